import { suggestName } from '@plinth/expression';
import type { Collection, DataType } from '@plinth/schema';
import { fieldVisibility, type AccessView } from './access.js';
import { QueryError } from './errors.js';
import { baseType } from './types.js';

const INTEGER_BOUNDS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int2: [-(2n ** 15n), 2n ** 15n - 1n],
  int4: [-(2n ** 31n), 2n ** 31n - 1n],
  int8: [-(2n ** 63n), 2n ** 63n - 1n],
  oid: [0n, 2n ** 32n - 1n],
};

const DATE = String.raw`(\d{4,6})-(\d\d)-(\d\d)`;
const TIME = String.raw`([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?`;
const OFFSET = String.raw`(Z|[+-](0\d|1[0-4])(:?[0-5]\d)?)`;
const PATTERNS: Readonly<Record<string, RegExp>> = {
  uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
  numeric: /^-?(\d{1,1000}(\.\d{0,1000})?|\.\d{1,1000})$/,
  bool: /^(true|false)$/,
  date: new RegExp(`^${DATE}$`),
  timestamp: new RegExp(`^${DATE}[T ]${TIME}$`),
  timestamptz: new RegExp(`^${DATE}[T ]${TIME}${OFFSET}?$`),
  time: new RegExp(`^${TIME}$`),
};
const FREE_TEXT: ReadonlySet<string> = new Set(['text', 'varchar', 'bpchar', 'name', 'citext']);

/**
 * Whether a key of the type is compared as a value of the type, so that an index serves. A key of any other type
 * (ranges, addresses, ...) is compared by its text, so that no text can make the statement fail.
 */
export function isExactKeyType(type: DataType): boolean {
  const base = baseType(type);
  if (base.kind === 'enum') return true;
  return (
    base.kind === 'scalar' &&
    (base.name in INTEGER_BOUNDS || base.name in PATTERNS || FREE_TEXT.has(base.name))
  );
}

/**
 * Reads the key in a record's path, `42` or `7,en`, each part percent-encoded, as the texts of the primary key's
 * fields in order. Throws `QueryError` (`invalid-key`) where the number of parts or the type of one is wrong, and where
 * there is no key or the caller may never see it.
 */
export function parseRecordKey(
  pathSegment: string,
  collection: Collection,
  access: AccessView,
): readonly string[] {
  const names = collection.primaryKey;
  const rules = access.collection(collection.name);
  if (names.length === 0 || !names.every((name) => rules && fieldVisibility(rules, name) !== undefined)) {
    throw new QueryError('invalid-key', `records of ${collection.name} have no key to be addressed by`);
  }
  const parts = pathSegment.split(',').map((part) => decodePart(part));
  if (parts.length !== names.length) {
    const expected = names.join(',');
    throw new QueryError(
      'invalid-key',
      `the key of ${collection.name} is ${expected}: ${names.length} ${names.length === 1 ? 'part' : 'parts'}, not ${parts.length}`,
    );
  }
  return names.map((name, index) => {
    const type = collection.fields.get(name)?.type;
    const part = parts[index];
    if (!type || part === undefined) throw new Error(`the key field ${name} is not in the catalog`);
    return readPart(part, name, type);
  });
}

function decodePart(part: string): string {
  try {
    const text = decodeURIComponent(part);
    if (!text.includes('\0')) return text;
  } catch (error) {
    throw new QueryError(
      'invalid-key',
      'the key is not percent-encoded as it should be',
      {},
      { cause: error },
    );
  }
  throw new QueryError('invalid-key', 'the key holds a NUL character');
}

function readPart(text: string, name: string, type: DataType): string {
  const base = baseType(type);
  const refuse = (expected: string, suggestion?: string): QueryError =>
    new QueryError('invalid-key', `${JSON.stringify(text)} is not a key: ${name} is ${expected}`, {
      name,
      suggestion,
    });
  if (base.kind === 'enum') {
    if (base.values.includes(text)) return text;
    throw refuse(`one of ${base.values.join(', ')}`, suggestName(text, base.values));
  }
  if (base.kind !== 'scalar') return text;
  const bounds = INTEGER_BOUNDS[base.name];
  if (bounds) {
    if (/^-?\d{1,19}$/.test(text) && BigInt(text) >= bounds[0] && BigInt(text) <= bounds[1]) return text;
    throw refuse(`a whole number from ${bounds[0]} to ${bounds[1]}`);
  }
  const match = PATTERNS[base.name]?.exec(text);
  if (match === undefined) return text;
  if (match === null || !isCalendarDate(base.name, match)) throw refuse(`a ${type.sql}`);
  return text;
}

function isCalendarDate(typeName: string, match: RegExpExecArray): boolean {
  if (typeName !== 'date' && !typeName.startsWith('timestamp')) return true;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  // PostgreSQL's timestamps end in 294276.
  if (year < 1 || year > 294_275 || month < 1 || month > 12) return false;
  return day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
