import { orderInput } from './compile/create.js';
import { bodyInput } from './compile/sent-rows.js';
import { textOfValue, valueInput } from './compile/sent-values.js';
import { stringifyNode, type JsonNode, type JsonObjectNode } from './json-node.js';
import type { JsonBody } from './parse-json-body.js';
import type { RecordGroup } from './plan/group-records.js';

/** A body that does not come from a text, such as an operation of a batch. */
export const bodyOfNode = (root: JsonNode): JsonBody => ({
  text: stringifyNode(root),
  root,
  elementSpans: [],
});

/**
 * The inputs that carry a body into its statement: for each group a JSON array of its records, and their places; for a
 * body of one record each of its values, too. A body that nothing had to be changed in is passed on as it came.
 */
export function bindBody(
  body: JsonBody,
  checked: readonly JsonObjectNode[],
  groups: readonly RecordGroup[],
): ReadonlyMap<string, string | null> {
  const inputs = new Map<string, string | null>();
  const sent: readonly JsonNode[] = Array.isArray(body.root)
    ? (body.root as readonly JsonNode[])
    : [body.root];
  const isUnchanged = groups.length === 1 && checked.every((record, index) => record === sent[index]);
  const [record] = checked;
  if (record !== undefined && !Array.isArray(body.root)) {
    for (const field of groups[0]?.fields ?? []) {
      inputs.set(valueInput(field.name), textOfValue(field, record.get(field.name) ?? null));
    }
  }
  groups.forEach((group, number) => {
    inputs.set(orderInput(number), `{${group.indexes.join(',')}}`);
    if (isUnchanged) inputs.set(bodyInput(number), Array.isArray(body.root) ? body.text : `[${body.text}]`);
    else {
      const records = group.indexes.map((index) => recordText(body, checked[index], sent[index], index));
      inputs.set(bodyInput(number), `[${records.join(',')}]`);
    }
  });
  return inputs;
}

function recordText(
  body: JsonBody,
  record: JsonObjectNode | undefined,
  sent: JsonNode | undefined,
  index: number,
): string {
  const [start, end] = [body.elementSpans[2 * index], body.elementSpans[2 * index + 1]];
  if (record === sent && start !== undefined && end !== undefined) return body.text.slice(start, end);
  return stringifyNode(record ?? new Map());
}
