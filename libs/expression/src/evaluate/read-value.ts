import type { ExpressionType } from '../tree.js';
import { isScalar, stringFormOf } from '../value/data-types.js';
import { parseInstant } from '../value/instant.js';
import { parseInterval } from '../value/interval.js';
import { isJsonObject, isStorableJson, jsonNumber, toJsonValue } from '../value/json.js';
import { Bytes, Decimal, Json, type Value } from '../value/value.js';

const wrongType = (value: unknown, type: ExpressionType): TypeError =>
  new TypeError(`a record holds ${typeof value} where ${type.kind} is expected`);

const SPECIAL_NUMBERS: ReadonlySet<string> = new Set(['NaN', 'Infinity', '-Infinity']);

function readDecimal(value: unknown, type: ExpressionType): Decimal {
  const number = typeof value === 'string' ? readDecimalText(value) : jsonNumber(value);
  if (number !== null) return number;
  if (typeof value === 'number') return new Decimal(value);
  throw wrongType(value, type);
}

function readDecimalText(text: string): Decimal | null {
  const isNumber = SPECIAL_NUMBERS.has(text) || /^[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?$/.test(text);
  return isNumber ? new Decimal(text) : null;
}

function readDouble(value: unknown, type: ExpressionType): number {
  const double = typeof value === 'number' ? value : readDecimal(value, type).toNumber();
  return isScalar(type.data, 'float4') ? Math.fround(double) : double;
}

function readString(value: unknown, type: ExpressionType): string {
  if (typeof value !== 'string') throw wrongType(value, type);
  return stringFormOf(type.data) === 'char' ? value.replace(/ +$/, '') : value;
}

function readParsed<T>(value: unknown, type: ExpressionType, parse: (text: string) => T | null): T {
  const parsed = typeof value === 'string' ? parse(value) : null;
  if (parsed === null) throw wrongType(value, type);
  return parsed;
}

/**
 * A value of a record, as `to_json` writes it, as an expression sees it.
 *
 * @throws TypeError where the value is none of the column's type.
 */
export function readValue(value: unknown, type: ExpressionType): Value {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'bool':
      if (typeof value !== 'boolean') throw wrongType(value, type);
      return value;
    case 'int':
      return BigInt(readDecimal(value, type).toFixed(0));
    case 'double':
      return readDouble(value, type);
    case 'decimal':
      return readDecimal(value, type);
    case 'bytes':
      return readParsed(value, type, (text) => new Bytes(Buffer.from(text, 'base64').toString('hex')));
    case 'timestamp':
      return readParsed(value, type, parseInstant);
    case 'duration':
      return readParsed(value, type, parseInterval);
    case 'list':
      if (!Array.isArray(value)) throw wrongType(value, type);
      return value.map((item) =>
        Array.isArray(item) ? readValue(item, type) : readValue(item, type.element),
      );
    case 'composite':
      if (!isJsonObject(value)) throw wrongType(value, type);
      return new Json(value);
    case 'dyn':
    case 'claim':
      // A json column may hold what jsonb cannot; see `guardedJson`.
      return isScalar(type.data, 'json') && !isStorableJson(value) ? null : toJsonValue(value);
    default:
      return readString(value, type);
  }
}
