import { ExactNumber, isJsonArray, isJsonObject, type JsonNode } from '../json-node.js';
import { DEFAULT_BODY_LIMITS, type BodyLimits } from '../parse-json-body.js';
import { WriteError } from '../write-error.js';

/**
 * Holds a body that references were put into to the limits of one that came as a text. A few references can stand for
 * gigabytes, so it is measured before anything is made of it; the measuring ends where the limit does.
 *
 * @throws WriteError `body-too-large`
 */
export function refuseLargeBody(root: JsonNode, limits: Partial<BodyLimits> = {}): void {
  const { maxLength, maxDepth, maxRecords } = { ...DEFAULT_BODY_LIMITS, ...limits };
  if (isJsonArray(root) && root.length > maxRecords) {
    throw new WriteError('body-too-large', `The body has more than ${maxRecords} records.`);
  }
  let length = 0;
  const visit = (node: JsonNode, depth: number): void => {
    if (depth > maxDepth) {
      throw new WriteError('body-too-large', `The body is nested deeper than ${maxDepth} levels.`);
    }
    length += 1;
    if (typeof node === 'string') length += node.length;
    else if (node instanceof ExactNumber) length += node.text.length;
    if (length > maxLength) {
      throw new WriteError('body-too-large', `The body is longer than ${maxLength} characters.`);
    }
    if (isJsonArray(node)) for (const element of node) visit(element, depth + 1);
    else if (isJsonObject(node)) {
      for (const [key, member] of node) {
        length += key.length;
        visit(member, depth + 1);
      }
    }
  };
  visit(root, 0);
}
