import { describeNode, isJsonArray, isJsonObject, type JsonNode, type JsonObjectNode } from '../json-node.js';
import type { JsonBody } from '../parse-json-body.js';
import { pointerStep, ProblemList, WriteError } from '../write-error.js';
import { parseReference, referenceText } from './reference.js';

export type BatchMethod = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** One operation as it was written; references in it are resolved when its turn comes. */
export interface BatchOperation {
  /** Of the operation itself, for errors: `/operations/3`. */
  readonly pointer: string;
  readonly label: string | null;
  readonly method: BatchMethod;
  /** Relative to the API, percent-encoded, beginning with a slash: `/posts`. */
  readonly path: string;
  /** The record's key, where it is not part of the path: a value or a reference, or a list of them. */
  readonly id: JsonNode | undefined;
  /** Query parameters by name: strings, numbers, booleans or references. */
  readonly query: JsonObjectNode;
  readonly body: JsonNode | undefined;
  /** An entity tag, as in the header `If-Match`. */
  readonly ifMatch: string | null;
}

export interface BatchLimits {
  readonly maxOperations: number;
}

export const DEFAULT_BATCH_LIMITS: BatchLimits = { maxOperations: 100 };

const METHODS: ReadonlySet<string> = new Set<BatchMethod>(['GET', 'POST', 'PATCH', 'PUT', 'DELETE']);
const isMethod = (node: JsonNode | undefined): node is BatchMethod =>
  typeof node === 'string' && METHODS.has(node);

const MEMBERS: ReadonlySet<string> = new Set(['label', 'method', 'path', 'id', 'query', 'body', 'ifMatch']);
const LABEL = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
const PATH = /^(?:\/[^/?#\s]+)+$/;

/**
 * Reads `{"operations": [...]}` and checks all of it before anything runs, references too: each must lead to the label
 * of an earlier operation.
 * @throws WriteError `invalid-batch` with every fault that was found
 */
export function parseBatch(body: JsonBody, limits: Partial<BatchLimits> = {}): readonly BatchOperation[] {
  const { maxOperations } = { ...DEFAULT_BATCH_LIMITS, ...limits };
  const { root } = body;
  const operations = isJsonObject(root) ? root.get('operations') : undefined;
  if (!isJsonObject(root) || !operations || !isJsonArray(operations) || root.size > 1) {
    throw new WriteError('invalid-batch', 'The body must be {"operations": [...]} and nothing else.');
  }
  if (operations.length === 0 || operations.length > maxOperations) {
    throw new WriteError('invalid-batch', `A batch has from 1 to ${maxOperations} operations.`);
  }
  const problems = new ProblemList();
  const labels = new Set<string>();
  const parsed = operations.map((node, index) =>
    new OperationParser(`/operations/${index}`, labels, problems).parse(node),
  );
  problems.throwIfAny('invalid-batch');
  return parsed.filter((operation) => operation !== null);
}

class OperationParser {
  constructor(
    private readonly pointer: string,
    /** Of the operations before this one; its own is added at the end. */
    private readonly labels: Set<string>,
    private readonly problems: ProblemList,
  ) {}

  parse(node: JsonNode): BatchOperation | null {
    if (!isJsonObject(node)) {
      this.problems.add(this.pointer, 'type', `must be an object, not ${describeNode(node)}`);
      return null;
    }
    for (const name of node.keys()) {
      if (!MEMBERS.has(name))
        this.problems.add(this.pointer + pointerStep(name), 'unknown-field', 'is not known');
    }
    for (const name of ['id', 'query', 'body']) {
      const value = node.get(name);
      if (value !== undefined) this.checkReferences(value, this.pointer + pointerStep(name));
    }
    const method = node.get('method');
    if (!isMethod(method)) this.fail('method', 'format', 'must be GET, POST, PATCH, PUT or DELETE');
    const operation = {
      pointer: this.pointer,
      method: isMethod(method) ? method : 'GET',
      path: this.parsePath(node.get('path')),
      id: this.parseId(node.get('id')),
      query: this.parseQuery(node.get('query')),
      body: node.get('body'),
      ifMatch: this.parseText(node.get('ifMatch'), 'ifMatch'),
      label: this.parseLabel(node.get('label')),
    };
    if (operation.body !== undefined && (operation.method === 'GET' || operation.method === 'DELETE')) {
      this.fail('body', 'type', `is not for ${operation.method}`);
    }
    return operation;
  }

  private parsePath(node: JsonNode | undefined): string {
    if (typeof node !== 'string' || !PATH.test(node)) {
      this.fail('path', 'format', 'must be a path such as /posts or /posts/42, without a query');
      return '/';
    }
    if (node === '/batch') this.fail('path', 'format', 'must not be a batch itself');
    return node;
  }

  private parseId(node: JsonNode | undefined): JsonNode | undefined {
    const parts = node !== undefined && isJsonArray(node) ? node : [node];
    const isKey = parts.every((part) => part === undefined || isScalarOrReference(part));
    if (!isKey || parts.length === 0) {
      this.fail('id', 'type', 'must be a string, a number or a reference, or a list of these');
    }
    return node;
  }

  private parseQuery(node: JsonNode | undefined): JsonObjectNode {
    if (node === undefined) return new Map();
    if (!isJsonObject(node)) {
      this.fail('query', 'type', 'must be an object of parameters');
      return new Map();
    }
    for (const [name, value] of node) {
      if (!isScalarOrReference(value)) {
        this.fail(`query`, 'type', `has no text for ${JSON.stringify(name)}`);
      }
    }
    return node;
  }

  private parseText(node: JsonNode | undefined, name: string): string | null {
    if (node === undefined || typeof node === 'string') return node ?? null;
    this.fail(name, 'type', 'must be a string');
    return null;
  }

  private parseLabel(node: JsonNode | undefined): string | null {
    if (node === undefined) return null;
    if (typeof node !== 'string' || !LABEL.test(node)) {
      this.fail('label', 'format', 'must be a word of letters, digits, - and _, beginning with a letter');
      return null;
    }
    if (this.labels.has(node)) this.fail('label', 'unique', 'is the label of an earlier operation');
    this.labels.add(node);
    return node;
  }

  private checkReferences(node: JsonNode, pointer: string): void {
    const reference = referenceText(node);
    if (reference !== null) {
      const label = parseReference(reference)?.label;
      if (label === undefined) {
        this.problems.add(pointer, 'format', 'must be a reference such as {"$ref": "label.field"}');
      } else if (!this.labels.has(label)) {
        this.problems.add(pointer, 'unknown-reference', 'does not lead to the label of an earlier operation');
      }
    } else if (isJsonArray(node)) {
      node.forEach((element, index) => this.checkReferences(element, pointer + pointerStep(index)));
    } else if (isJsonObject(node)) {
      for (const [key, member] of node) this.checkReferences(member, pointer + pointerStep(key));
    }
  }

  private fail(member: string, code: 'type' | 'format' | 'unique', message: string): void {
    this.problems.add(this.pointer + pointerStep(member), code, message);
  }
}

const isScalarOrReference = (node: JsonNode): boolean =>
  node !== null && ((!isJsonArray(node) && !isJsonObject(node)) || referenceText(node) !== null);
