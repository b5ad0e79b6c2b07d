import type { Field } from '@plinth/schema';

const NUMBERS = new Set(['int2', 'int4', 'int8', 'float4', 'float8', 'numeric']);
const QUOTED = /^'((?:[^'\\]|'')*)'::[\w ."()]+$/;

/**
 * A column's default as JSON, where PostgreSQL prints it as a plain constant of a type that is written alike in JSON;
 * undefined for every expression.
 */
export function findDefault({ default: text, type }: Field): boolean | number | string | undefined {
  if (text === null) return undefined;
  if (type.kind === 'enum') {
    const label = QUOTED.exec(text)?.[1]?.replaceAll("''", "'");
    return label !== undefined && type.values.includes(label) ? label : undefined;
  }
  if (type.kind !== 'scalar') return undefined;
  if (type.name === 'bool') return text === 'true' ? true : text === 'false' ? false : undefined;
  if (NUMBERS.has(type.name)) {
    const number = /^\(?(-?\d{1,15}(?:\.\d{1,10})?)\)?$/.exec(text)?.[1];
    return number === undefined ? undefined : Number(number);
  }
  if (type.name !== 'text' && type.name !== 'varchar') return undefined;
  return QUOTED.exec(text)?.[1]?.replaceAll("''", "'");
}
