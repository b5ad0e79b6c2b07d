import type { DataType, EnumType } from '@plinth/schema';
import type { ExpressionType } from '../tree.js';

/** A column's type without the domains around it. */
export function unwrapDomain(type: DataType): Exclude<DataType, { kind: 'domain' }> {
  let inner = type;
  while (inner.kind === 'domain') inner = inner.base;
  return inner;
}

const SCALAR_KINDS: Readonly<
  Record<string, Exclude<ExpressionType['kind'], 'list' | 'record' | 'composite'>>
> = {
  bool: 'bool',
  int2: 'int',
  int4: 'int',
  int8: 'int',
  float4: 'double',
  float8: 'double',
  numeric: 'decimal',
  timestamp: 'timestamp',
  timestamptz: 'timestamp',
  date: 'timestamp',
  interval: 'duration',
  bytea: 'bytes',
  json: 'dyn',
  jsonb: 'dyn',
};

/** What an expression sees in a column of this type. Every type that has no kind of its own is its text. */
export function expressionTypeOf(type: DataType): ExpressionType {
  const data = unwrapDomain(type);
  switch (data.kind) {
    case 'array':
      return { kind: 'list', element: expressionTypeOf(data.element), data };
    case 'composite':
      return { kind: 'composite', data };
    case 'scalar':
      return { kind: SCALAR_KINDS[data.name] ?? 'string', data };
    default:
      return { kind: 'string', data };
  }
}

/**
 * What strings a column holds. `text`: characters, as they are. `char`: blank-padded, seen without the padding.
 * `other`: whatever `to_json` prints.
 */
export type StringForm = 'text' | 'char' | 'citext' | 'uuid' | 'enum' | 'name' | 'other';

const STRING_FORMS: Readonly<Record<string, StringForm>> = {
  text: 'text',
  varchar: 'text',
  bpchar: 'char',
  citext: 'citext',
  uuid: 'uuid',
  name: 'name',
  char: 'name',
};

/** The form of the strings of a type, `text` for strings that come from no column. */
export function stringFormOf(data: DataType | undefined): StringForm {
  if (data === undefined) return 'text';
  if (data.kind === 'enum') return 'enum';
  return data.kind === 'scalar' ? (STRING_FORMS[data.name] ?? 'other') : 'other';
}

/** The type of a value that has left its column: text for an enum, say. */
export function withoutData(type: ExpressionType): ExpressionType {
  return type.kind === 'list' || type.kind === 'record' || type.kind === 'composite'
    ? type
    : { kind: type.kind };
}

export const isSameEnum = (left: EnumType, right: EnumType): boolean =>
  left.schema === right.schema && left.name === right.name;

export const isScalar = (data: DataType | undefined, ...names: readonly string[]): boolean =>
  data?.kind === 'scalar' && names.includes(data.name);

const ARTICLED: Readonly<Record<ExpressionType['kind'], string>> = {
  bool: 'a bool',
  int: 'an int',
  double: 'a double',
  decimal: 'a decimal',
  string: 'a string',
  bytes: 'bytes',
  timestamp: 'a timestamp',
  duration: 'a duration',
  null: 'null',
  dyn: 'JSON',
  claim: 'a claim',
  list: 'a list',
  record: 'a record',
  composite: 'a composite value',
};

/** The type in words, for messages: `a list of strings`. */
export function describeType(type: ExpressionType): string {
  if (type.kind === 'list') return `a list (each element is ${describeType(type.element)})`;
  return type.kind === 'record' ? `a record of ${type.schema.name}` : ARTICLED[type.kind];
}
