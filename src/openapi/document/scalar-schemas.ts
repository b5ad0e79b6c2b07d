import type { ScalarType } from '@plinth/schema';
import type { Schema } from './openapi-types.js';

/**
 * What `to_json` makes of the base types in a session with `TimeZone=UTC` and `IntervalStyle=iso_8601`. `format` is an
 * annotation, as JSON Schema means it: PostgreSQL's `infinity`, years past 9999 and negative durations are outside the
 * letter of `date-time`, `date` and `duration`, and the description of the document says so. Types and patterns hold
 * for every value.
 */
const DAY = String.raw`\d{4,7}-\d{2}-\d{2}`;
const TIME = String.raw`\d{2}:\d{2}:\d{2}(\.\d{1,6})?`;
const LOCAL_TIMESTAMP = `^(-?infinity|${DAY}T${TIME}( BC)?)$`;
/** What is taken for a column without a time zone: an offset is accounted for. */
const SENT_TIMESTAMP = String.raw`^(-?infinity|${DAY}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,12})?)?([Zz]|[+-]\d{2}(:?\d{2})?)?( BC)?)$`;
const SENT_TIME = String.raw`\d{2}:\d{2}(:\d{2}(\.\d{1,12})?)?`;

const text: Schema = { type: 'string' };

/** NaN and the infinities, which are no JSON numbers, are strings; a column with a precision has no infinities. */
const specialNumbers = (names: readonly string[]): Schema => ({ type: 'string', enum: names });
const ALL_SPECIAL = ['NaN', 'Infinity', '-Infinity'];

const float: Schema = { anyOf: [{ type: 'number', format: 'double' }, specialNumbers(ALL_SPECIAL)] };

const BOTH_WAYS: Readonly<Record<string, Schema>> = {
  bool: { type: 'boolean' },
  int2: { type: 'integer', format: 'int32', minimum: -32_768, maximum: 32_767 },
  int4: { type: 'integer', format: 'int32', minimum: -2_147_483_648, maximum: 2_147_483_647 },
  int8: { type: 'integer', format: 'int64' },
  float4: float,
  float8: float,
  uuid: { type: 'string', format: 'uuid' },
  date: { type: 'string', format: 'date' },
  timestamptz: { type: 'string', format: 'date-time' },
  interval: { type: 'string', format: 'duration' },
  bytea: { type: 'string', contentEncoding: 'base64' },
  json: {},
  jsonb: {},
};

const READ: Readonly<Record<string, Schema>> = {
  timestamp: { type: 'string', pattern: LOCAL_TIMESTAMP },
  time: { type: 'string', pattern: `^${TIME}$` },
  timetz: { type: 'string', pattern: String.raw`^${TIME}[+-]\d{2}(:\d{2}(:\d{2})?)?$` },
  hstore: { type: 'object', additionalProperties: { type: ['string', 'null'] } },
};

const WRITE: Readonly<Record<string, Schema>> = {
  timestamp: { type: 'string', pattern: SENT_TIMESTAMP },
  time: { type: 'string', pattern: `^${SENT_TIME}$` },
  timetz: { type: 'string', pattern: String.raw`^${SENT_TIME}([Zz]|[+-]\d{2}(:?\d{2})?)$` },
};

/** Types that are text in JSON. Any other one may have a cast to json of its own, and be anything. */
const TEXTS = new Set(
  (
    'text varchar bpchar char name citext bit varbit money inet cidr macaddr macaddr8 oid xid xid8 ' +
    'cid tid pg_lsn tsvector tsquery xml point line lseg box path polygon circle ltree lquery cube ' +
    'vector halfvec sparsevec regclass regproc regprocedure regoper regoperator regtype regrole ' +
    'regnamespace jsonpath'
  ).split(' '),
);

const MAX_EXACT_DIGITS = 15;

/** A base type's values, null aside, as they are read. */
export function readScalarSchema(type: ScalarType): Schema {
  const known = BOTH_WAYS[type.name] ?? READ[type.name];
  if (known) return known;
  if (type.name === 'numeric') return numericSchema(type);
  if (!TEXTS.has(type.name)) return {};
  // Padded with spaces to its full length.
  if (type.name === 'bpchar' && type.maxLength !== undefined) {
    return { ...text, minLength: type.maxLength, maxLength: type.maxLength };
  }
  return textSchema(type);
}

/** A base type's values, null aside, as they may be sent. */
export function writeScalarSchema(type: ScalarType): Schema {
  const known = BOTH_WAYS[type.name] ?? WRITE[type.name];
  if (known) return known;
  return type.name === 'numeric' ? numericSchema(type) : textSchema(type);
}

function textSchema(type: ScalarType): Schema {
  if (type.name === 'bit' || type.name === 'varbit') return bitSchema(type);
  if (type.name === 'name') return { ...text, maxLength: 63 };
  return type.maxLength === undefined ? text : { ...text, maxLength: type.maxLength };
}

function bitSchema(type: ScalarType): Schema {
  const bits: Schema = { ...text, pattern: '^[01]*$' };
  const length = type.maxLength ?? (type.name === 'bit' ? 1 : undefined);
  if (length === undefined) return bits;
  return type.name === 'bit'
    ? { ...bits, minLength: length, maxLength: length }
    : { ...bits, maxLength: length };
}

function numericSchema({ precision, scale = 0 }: ScalarType): Schema {
  if (precision === undefined) return { anyOf: [{ type: 'number' }, specialNumbers(ALL_SPECIAL)] };
  const wholeDigits = precision - scale;
  const bound = Number(`1e${wholeDigits}`);
  // With more digits than a double holds, the largest value is read as the bound itself.
  const limits: Schema =
    precision > MAX_EXACT_DIGITS
      ? { minimum: -bound, maximum: bound }
      : { exclusiveMinimum: -bound, exclusiveMaximum: bound };
  const type = scale <= 0 ? 'integer' : 'number';
  return { anyOf: [{ type, ...limits }, specialNumbers(['NaN'])] };
}
