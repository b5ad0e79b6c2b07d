import type { JsonNode } from '../json-node.js';
import { parseJsonBody } from '../parse-json-body.js';

/** Answers come out of the database, which may hold more, and deeper JSON, than a request may bring. */
const ANSWER_LIMITS = {
  maxLength: Number.POSITIVE_INFINITY,
  maxRecords: Number.POSITIVE_INFINITY,
  maxDepth: 500,
};

/** The answers of a batch's operations so far, by label. One is parsed when something refers to it, and once. */
export class OperationResults {
  private readonly texts = new Map<string, string | null>();
  private readonly nodes = new Map<string, JsonNode>();

  /** @param text the answer's JSON; null where the operation answered nothing */
  add(label: string, text: string | null): void {
    this.texts.set(label, text);
  }

  /** @throws WriteError for an answer that cannot be referred to: JSON with a key twice, or nested too deeply */
  get(label: string): JsonNode | undefined {
    let node = this.nodes.get(label);
    const text = this.texts.get(label);
    if (node === undefined && text !== undefined) {
      node = text === null ? null : parseJsonBody(text, ANSWER_LIMITS).root;
      this.nodes.set(label, node);
    }
    return node;
  }
}
