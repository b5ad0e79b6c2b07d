import type { JsonValue } from '@plinth/query';
import type { DataType } from '@plinth/schema';

const INTEGERS: Readonly<Record<string, number>> = { int2: 2 ** 15, int4: 2 ** 31, int8: 2 ** 63 };
const NUMBERS = new Set(['numeric', 'float4', 'float8']);
const DOCUMENTS = new Set(['json', 'jsonb']);

/** What `JSON.parse` gives. */
export const isJsonValue = (value: unknown): value is JsonValue =>
  value === null || ['boolean', 'number', 'string', 'object'].includes(typeof value);

/**
 * Whether a constant of a policy, which is never a text by itself, can be kept in a column of the type. Rules of the
 * database that go further, such as the checks of a domain, are told to whoever writes.
 */
export function fitsType(value: JsonValue, type: DataType): boolean {
  if (value === null) return true;
  switch (type.kind) {
    case 'domain':
      return fitsType(value, type.base);
    case 'enum':
      return typeof value === 'string' && type.values.includes(value);
    case 'array':
      return Array.isArray(value) && value.every((element) => fitsElement(element, type.element, type));
    case 'composite':
      return typeof value === 'object' && !Array.isArray(value) && fitsMembers(value, type.fields);
    case 'scalar':
      return fitsScalar(value, type.name);
    default:
      return typeof value === 'string';
  }
}

/** An array in an array is one more dimension. */
const fitsElement = (value: JsonValue, element: DataType, array: DataType): boolean =>
  Array.isArray(value) ? fitsType(value, array) : fitsType(value, element);

function fitsMembers(
  value: object,
  fields: readonly { readonly name: string; readonly type: DataType }[],
): boolean {
  return Object.entries(value).every(([name, member]: [string, unknown]) => {
    const field = fields.find((candidate) => candidate.name === name);
    return field !== undefined && isJsonValue(member) && fitsType(member, field.type);
  });
}

function fitsScalar(value: JsonValue, name: string): boolean {
  if (DOCUMENTS.has(name)) return true;
  const bound = INTEGERS[name];
  if (bound !== undefined) return Number.isInteger(value) && Number(value) >= -bound && Number(value) < bound;
  if (NUMBERS.has(name)) return typeof value === 'number';
  return name === 'bool' ? typeof value === 'boolean' : typeof value === 'string';
}
