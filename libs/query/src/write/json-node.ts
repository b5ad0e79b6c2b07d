/**
 * A JSON value as it was sent: objects are maps, so that no key can reach a prototype, and a number that JavaScript
 * would change stays the text that it was.
 */
export type JsonNode = null | boolean | number | string | ExactNumber | readonly JsonNode[] | JsonObjectNode;

export type JsonObjectNode = ReadonlyMap<string, JsonNode>;

/** A number in the spelling of the body: `12345678901234567890`, `1.50`, `1e400`. */
export class ExactNumber {
  constructor(readonly text: string) {}
}

export const isJsonObject = (node: JsonNode): node is JsonObjectNode => node instanceof Map;

export const isJsonArray = (node: JsonNode): node is readonly JsonNode[] => Array.isArray(node);

/** What a value is, in words for a message. */
export function describeNode(node: JsonNode): string {
  if (node === null) return 'null';
  if (isJsonArray(node)) return 'an array';
  if (isJsonObject(node)) return 'an object';
  if (node instanceof ExactNumber || typeof node === 'number') return 'a number';
  return typeof node === 'string' ? 'a string' : 'a boolean';
}

/** Writes a value back as JSON text; the reverse of `parseJsonBody`, numbers exactly as they were. */
export function stringifyNode(node: JsonNode): string {
  if (node instanceof ExactNumber) return node.text;
  if (isJsonArray(node)) return `[${node.map(stringifyNode).join(',')}]`;
  if (isJsonObject(node)) {
    const members = [...node].map(([key, value]) => `${JSON.stringify(key)}:${stringifyNode(value)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(node);
}
