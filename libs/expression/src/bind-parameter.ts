import { ExpressionError } from './expression-error.js';
import type { Literal } from './lift-literals.js';
import type { Parameter, ParameterSource } from './sql.js';
import { coerceJson, type CoercionTarget, formatJson, isStorableJson, jsonMember } from './value/json.js';
import { formatInstant } from './value/instant.js';
import { formatIntervalMicros } from './value/interval.js';
import { parseDecimalLiteral, parseDoubleLiteral, parseIntLiteral } from './value/number-literals.js';
import { parseDurationLiteral, parseTimestampLiteral } from './value/temporal-literals.js';
import { canonicalUuid, isStorableText, lowerAscii } from './value/text-forms.js';
import { Decimal } from './value/value.js';
import { translatePattern } from './pattern/translate-pattern.js';

/** The actor, as expressions see it. */
export interface AuthValues {
  /** What sort of actor this is. Ids are unique within a kind only. */
  readonly kind: string;
  readonly id: string | null;
  readonly roles: readonly string[];
  /** Parsed JSON. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Where the values of a statement's parameters come from when it is run. */
export interface BindInput {
  literals(slot: string, index: number): Literal;
  readonly auth: AuthValues;
  input?(name: string): unknown;
}

/**
 * How a value becomes the text of a parameter. Where the value is none of the type that the parameter has (a text that
 * is no uuid, no label of the enum), the text is null: it equals nothing.
 */
export type ParameterEncoding =
  | 'text'
  | 'lower-text'
  | 'char'
  | 'uuid'
  | 'label'
  | 'like-prefix'
  | 'like-suffix'
  | 'like-infix'
  | 'pattern'
  | 'bool'
  | 'int'
  | 'index'
  | 'numeric'
  | 'float8'
  | 'float4'
  | 'bytea'
  | 'timestamp'
  | 'duration'
  | 'duration-step'
  | 'json'
  | 'text-array'
  | 'array';

export interface EncodingData {
  readonly isNegated?: boolean;
  /** Labels of the enum. */
  readonly values?: readonly string[];
  /** Bits of the integer type, where it is narrower than 64. */
  readonly bits?: number;
  /** For `array`: how each element is encoded. */
  readonly element?: { readonly encoding: ParameterEncoding; readonly data?: EncodingData };
}

/** A timestamp moves by no more than this at once; see `compileArithmetic`. */
const MAX_STEP_MICROS = 12_000_000n * 3_600_000_000n;

const MAX_INDEX = 2_147_483_646n;

const escapeLike = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Object.is(value, -0) ? '-0' : value.toString();
}

/** A string in the form that the encoding asks for; null where there is none. */
function encodeString(value: string, encoding: ParameterEncoding, data: EncodingData): string | null {
  if (!isStorableText(value)) return null;
  switch (encoding) {
    case 'lower-text':
      return lowerAscii(value);
    case 'char':
      return value.endsWith(' ') ? null : value;
    case 'uuid':
      return canonicalUuid(value);
    case 'label':
      return data.values?.includes(value) === true ? value : null;
    case 'like-prefix':
      return `${escapeLike(value)}%`;
    case 'like-suffix':
      return `%${escapeLike(value)}`;
    case 'like-infix':
      return `%${escapeLike(value)}%`;
    default:
      return value;
  }
}

function encodeInt(value: bigint, data: EncodingData): string | null {
  if (data.bits === undefined) return value.toString();
  return BigInt.asIntN(data.bits, value) === value ? value.toString() : null;
}

function encodeLiteral(literal: Literal, encoding: ParameterEncoding, data: EncodingData): string | null {
  const isNegated = data.isNegated === true;
  switch (encoding) {
    case 'int':
      return encodeInt(parseIntLiteral(literal, isNegated), data);
    case 'index': {
      const index = parseIntLiteral(literal, isNegated);
      return index >= 0n && index <= MAX_INDEX ? index.toString() : null;
    }
    case 'numeric':
      return parseDecimalLiteral(literal, isNegated);
    case 'float8':
      return formatDouble(parseDoubleLiteral(literal, isNegated));
    case 'float4':
      return formatDouble(Math.fround(parseDoubleLiteral(literal, isNegated)));
    case 'bytea':
      return `\\x${literal.value}`;
    case 'timestamp':
      return formatInstant(parseTimestampLiteral(literal.value, literal));
    case 'duration':
      return formatIntervalMicros(parseDurationLiteral(literal.value, literal));
    case 'duration-step': {
      const micros = parseDurationLiteral(literal.value, literal);
      const isStep = micros <= MAX_STEP_MICROS && micros >= -MAX_STEP_MICROS;
      return isStep ? formatIntervalMicros(micros) : null;
    }
    case 'pattern':
      return translatePattern(literal.value, literal).are;
    case 'json':
      if (literal.kind === 'string') return JSON.stringify(literal.value);
      return new Decimal(parseDecimalLiteral(literal, isNegated)).toString();
    default:
      if (!isStorableText(literal.value)) {
        throw new ExpressionError(
          'bad-literal',
          'A text cannot hold NUL or half of a surrogate pair.',
          literal,
        );
      }
      return encodeString(literal.value, encoding, data);
  }
}

const CLAIM_TARGETS: Partial<Readonly<Record<ParameterEncoding, CoercionTarget>>> = {
  bool: 'bool',
  int: 'int',
  index: 'int',
  numeric: 'decimal',
  float8: 'double',
  float4: 'double',
  timestamp: 'timestamp',
};

function encodeClaim(claim: unknown, encoding: ParameterEncoding, data: EncodingData): string | null {
  if (claim === null || claim === undefined) return null;
  if (encoding === 'json') return isStorableJson(claim) ? formatJson(claim) : null;
  if (encoding === 'array') return encodeArray(claim, data);
  const value = coerceJson(claim, CLAIM_TARGETS[encoding] ?? 'string');
  if (value === null) return null;
  switch (typeof value) {
    case 'string':
      return encodeString(value, encoding, data);
    case 'bigint':
      if (encoding === 'timestamp') return formatInstant(value);
      return encodeInt(value, data);
    case 'number':
      return formatDouble(encoding === 'float4' ? Math.fround(value) : value);
    default:
      return Decimal.isDecimal(value) ? value.toString() : JSON.stringify(value);
  }
}

const quoteElement = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`;

const formatArray = (elements: readonly string[]): string =>
  `{${elements.map((text) => quoteElement(text)).join(',')}}`;

/** Elements that are no value of the type can equal nothing and are left out. */
function encodeArray(claim: unknown, data: EncodingData): string | null {
  if (!Array.isArray(claim)) return null;
  const { encoding, data: elementData = {} } = data.element ?? { encoding: 'text' };
  return formatArray(
    claim.flatMap((item) => {
      const text = encodeClaim(item, encoding, elementData);
      return text === null ? [] : [text];
    }),
  );
}

function authValue(auth: AuthValues, path: readonly string[]): unknown {
  const [member, ...keys] = path;
  if (member === 'kind') return auth.kind;
  if (member === 'id') return auth.id;
  if (member === 'roles') return auth.roles;
  let value: unknown = auth.claims;
  for (const key of keys) value = jsonMember(value, key);
  return value;
}

const isLiteral = (value: unknown): value is Literal =>
  typeof value === 'object' && value !== null && 'kind' in value;

const isEncodingData = (data: unknown): data is EncodingData => typeof data === 'object' && data !== null;

function findLiteral(source: ParameterSource, input: BindInput): Literal | null {
  if (source.kind === 'literal') return input.literals(source.slot, source.index);
  return source.kind === 'constant' && isLiteral(source.value) ? source.value : null;
}

/**
 * The text to send for a parameter that `compileExpression` made.
 *
 * @throws ExpressionError `bad-literal`, or `unsupported` and `too-complex` for patterns, with the place of the literal
 *   in the request's own text.
 */
export function bindParameter(parameter: Parameter, input: BindInput): string | null {
  const { source } = parameter;
  // Made by this engine, so the name is one of ours.
  const encoding = (parameter.encoding ?? 'text') as ParameterEncoding;
  const data = isEncodingData(parameter.encodingData) ? parameter.encodingData : {};
  const literal = findLiteral(source, input);
  if (literal !== null) return encodeLiteral(literal, encoding, data);
  if (source.kind === 'auth') return encodeClaim(authValue(input.auth, source.path), encoding, data);
  const value =
    source.kind === 'input' ? input.input?.(source.name) : source.kind === 'constant' ? source.value : null;
  return encodeClaim(value, encoding, data);
}
