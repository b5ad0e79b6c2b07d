import { MAX_INT, MIN_INT } from './number-literals.js';
import { Decimal, Json, type JsonValue, type Value } from './value.js';
import { isCivilInstant, parseInstant } from './instant.js';
import { isStorableText } from './text-forms.js';

const JSON_NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

interface WrittenNumber {
  readonly isLosslessNumber: true;
  toString(): string;
}

const isWrittenNumber = (value: unknown): value is WrittenNumber =>
  typeof value === 'object' &&
  value !== null &&
  'isLosslessNumber' in value &&
  value.isLosslessNumber === true;

/** A number of JSON exactly, however the parser keeps its numbers; null where the value is none. */
export function jsonNumber(value: JsonValue): Decimal | null {
  if (typeof value === 'number') return Number.isFinite(value) ? new Decimal(value) : null;
  if (typeof value === 'bigint') return new Decimal(value.toString());
  if (Decimal.isDecimal(value)) return value;
  if (!isWrittenNumber(value)) return null;
  const text = value.toString();
  return JSON_NUMBER.test(text) ? new Decimal(text) : null;
}

export const isJsonObject = (value: JsonValue): value is Readonly<Record<string, JsonValue>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && jsonNumber(value) === null;

/** A key's value; null where there is none. Never what an object inherits. */
export function jsonMember(value: JsonValue, key: string): JsonValue {
  return isJsonObject(value) && Object.hasOwn(value, key) ? (value[key] ?? null) : null;
}

/** Equality of `jsonb`: numbers by value, objects without regard to order. */
export function isJsonEqual(left: JsonValue, right: JsonValue): boolean {
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, index) => isJsonEqual(item, right[index]));
  }
  const leftNumber = jsonNumber(left);
  const rightNumber = jsonNumber(right);
  if (leftNumber !== null || rightNumber !== null) {
    return leftNumber !== null && rightNumber !== null && leftNumber.equals(rightNumber);
  }
  if (isJsonObject(left) && isJsonObject(right)) {
    const keys = Object.keys(left);
    if (keys.length !== Object.keys(right).length) return false;
    return keys.every((key) => Object.hasOwn(right, key) && isJsonEqual(left[key], right[key]));
  }
  return (left ?? null) === (right ?? null);
}

/** JSON text of a value, numbers as they were written. */
export function formatJson(value: JsonValue): string {
  const number =
    typeof value === 'number' || typeof value === 'object' || typeof value === 'bigint'
      ? jsonNumber(value)
      : null;
  if (number !== null) return number.toString();
  if (Array.isArray(value)) return `[${value.map((item) => formatJson(item)).join(',')}]`;
  if (isJsonObject(value)) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${formatJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}

/** Whether `jsonb` can hold it: no NUL, no half of a surrogate pair, in any string of it. */
export function isStorableJson(value: JsonValue): boolean {
  if (typeof value === 'string') return isStorableText(value);
  if (Array.isArray(value)) return value.every((item) => isStorableJson(item));
  if (!isJsonObject(value)) return true;
  return Object.entries(value).every(([key, member]) => isStorableText(key) && isStorableJson(member));
}

export type CoercionTarget = 'bool' | 'int' | 'double' | 'decimal' | 'string' | 'timestamp';

function parseCivilInstant(text: string): bigint | null {
  const instant = parseInstant(text);
  return instant !== null && isCivilInstant(instant) ? instant : null;
}

/** JSON taken as a typed value: null where it holds something of another type. */
export function coerceJson(value: JsonValue, target: CoercionTarget): Value {
  switch (target) {
    case 'bool':
      return typeof value === 'boolean' ? value : null;
    case 'string':
      return typeof value === 'string' && isStorableText(value) ? value : null;
    case 'timestamp':
      return typeof value === 'string' ? parseCivilInstant(value) : null;
    default: {
      const number = jsonNumber(value);
      if (number === null || target === 'decimal') return number;
      if (target === 'double') return number.toNumber();
      if (
        !number.isInteger() ||
        number.lessThan(MIN_INT.toString()) ||
        number.greaterThan(MAX_INT.toString())
      )
        return null;
      return BigInt(number.toFixed(0));
    }
  }
}

/** JSON as a value of an expression; the JSON null is null. */
export function toJsonValue(value: JsonValue): Json | null {
  return value === null || value === undefined ? null : new Json(value);
}
