import type { DataType } from '@plinth/schema';

/** A type without its domains. */
export function baseType(type: DataType): Exclude<DataType, { kind: 'domain' }> {
  return type.kind === 'domain' ? baseType(type.base) : type;
}

const NUMBERS = new Set(['int2', 'int4', 'int8', 'float4', 'float8', 'numeric']);
const TEXTS = new Set(['text', 'varchar', 'bpchar', 'name', 'citext']);
const TIMES = new Set(['date', 'timestamp', 'timestamptz']);
/** Base types with a default btree operator class; a type of an extension that we do not know is not taken for one. */
const ORDERED = new Set([
  ...NUMBERS,
  ...TEXTS,
  ...TIMES,
  'bool',
  'char',
  'uuid',
  'time',
  'timetz',
  'interval',
  'money',
  'oid',
  'bytea',
  'bit',
  'varbit',
  'inet',
  'cidr',
  'macaddr',
  'macaddr8',
  'jsonb',
  'pg_lsn',
  'tsvector',
  'tid',
  'ltree',
  'xid8',
]);
/** Base types with `min` and `max` in every supported version. */
const EXTREMES = new Set([
  ...NUMBERS,
  ...TEXTS,
  ...TIMES,
  'time',
  'timetz',
  'interval',
  'money',
  'oid',
  'inet',
  'pg_lsn',
  'tid',
]);

const scalarName = (type: DataType): string | null => {
  const base = baseType(type);
  return base.kind === 'scalar' ? base.name : null;
};

const isOneOf = (type: DataType, names: ReadonlySet<string>): boolean => {
  const name = scalarName(type);
  return name !== null && names.has(name);
};

/** Whether values of the type can be sorted, and so also grouped and counted distinct. */
export function isOrdered(type: DataType): boolean {
  const base = baseType(type);
  switch (base.kind) {
    case 'scalar':
      return ORDERED.has(base.name);
    case 'array':
      return isOrdered(base.element);
    case 'composite':
      return base.fields.every((field) => isOrdered(field.type));
    default:
      return true;
  }
}

export const isText = (type: DataType): boolean => isOneOf(type, TEXTS);
export const isTime = (type: DataType): boolean => isOneOf(type, TIMES);
export const isDate = (type: DataType): boolean => scalarName(type) === 'date';
/** What `sum` and `avg` take. */
export const isSummable = (type: DataType): boolean =>
  isOneOf(type, NUMBERS) || scalarName(type) === 'interval';
/** What `min` and `max` take. */
export const hasExtremes = (type: DataType): boolean =>
  isOneOf(type, EXTREMES) || baseType(type).kind === 'enum';
