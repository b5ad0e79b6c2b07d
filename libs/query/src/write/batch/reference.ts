import { ExactNumber, isJsonArray, isJsonObject, type JsonNode } from '../json-node.js';
import { pointerStep, WriteError } from '../write-error.js';

/** A value out of an earlier result: `post.id`, `order.items.0.id`. */
export interface Reference {
  readonly label: string;
  readonly path: readonly string[];
}

/** The text of `{"$ref": "..."}`, an object of that one member; null for any other value. */
export function referenceText(node: JsonNode): string | null {
  if (!isJsonObject(node) || node.size !== 1) return null;
  const text = node.get('$ref');
  return typeof text === 'string' ? text : null;
}

export function parseReference(text: string): Reference | null {
  const [label = '', ...path] = text.split('.');
  return label !== '' && path.length > 0 && path.every((step) => step !== '') ? { label, path } : null;
}

/** The answers of earlier operations by label; null where one answered nothing. */
export interface ReferableResults {
  get(label: string): JsonNode | undefined;
}

/**
 * A value with every reference in it replaced by what it leads to.
 * @param pointer of the value in the batch, for errors
 * @throws WriteError `invalid-batch` for a reference to what is not in the answer
 */
export function resolveReferences(node: JsonNode, results: ReferableResults, pointer: string): JsonNode {
  const text = referenceText(node);
  if (text !== null) return followReference(text, results, pointer);
  if (isJsonArray(node)) {
    return node.map((element, index) => resolveReferences(element, results, pointer + pointerStep(index)));
  }
  if (isJsonObject(node)) {
    return new Map(
      [...node].map(([key, member]) => [key, resolveReferences(member, results, pointer + pointerStep(key))]),
    );
  }
  return node;
}

function followReference(text: string, results: ReferableResults, pointer: string): JsonNode {
  const reference = parseReference(text);
  let value = reference ? results.get(reference.label) : undefined;
  for (const step of reference?.path ?? []) {
    value = value === undefined ? undefined : memberOf(value, step);
  }
  if (value !== undefined && reference) return value;
  const message = 'leads to nothing in the answer of that operation';
  throw new WriteError('invalid-batch', `The reference ${JSON.stringify(text)} ${message}.`, [
    { pointer, code: 'unknown-reference', message },
  ]);
}

function memberOf(value: JsonNode, step: string): JsonNode | undefined {
  if (isJsonArray(value)) return /^\d{1,9}$/.test(step) ? value[Number(step)] : undefined;
  return isJsonObject(value) ? value.get(step) : undefined;
}

/** A scalar as it stands in an address: a query parameter, a part of a key. Null for what has no such form. */
export function addressText(node: JsonNode): string | null {
  if (typeof node === 'string') return node;
  if (typeof node === 'number' || typeof node === 'boolean') return String(node);
  return node instanceof ExactNumber ? node.text : null;
}
