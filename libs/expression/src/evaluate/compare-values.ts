import type { Comparison } from '../tree.js';
import { comparableMicros } from '../value/interval.js';
import { isJsonEqual } from '../value/json.js';
import { canonicalUuid, compareText, lowerAscii } from '../value/text-forms.js';
import { Bytes, Decimal, Json, type Value } from '../value/value.js';

const isInterval = (value: unknown): value is Parameters<typeof comparableMicros>[0] =>
  typeof value === 'object' && value !== null && 'months' in value;

/** A double as the decimal that it is written as, or exactly where it is a whole number that 64 bits hold. */
function doubleToDecimal(value: number): Decimal {
  const isLarge = Math.abs(value) >= 2 ** 53 && Math.abs(value) < 2 ** 63;
  return isLarge ? new Decimal(BigInt(value).toString()) : new Decimal(value);
}

export function toDecimal(value: Value): Decimal | null {
  if (Decimal.isDecimal(value)) return value;
  if (typeof value === 'bigint') return new Decimal(value.toString());
  return typeof value === 'number' ? doubleToDecimal(value) : null;
}

/** In the order of PostgreSQL: NaN equals itself and is greater than all else. */
function compareDoubles(left: number, right: number): number {
  if (Number.isNaN(left)) return Number.isNaN(right) ? 0 : 1;
  if (Number.isNaN(right)) return -1;
  return left < right ? -1 : Number(left > right);
}

function compareDecimals(left: Decimal, right: Decimal): number {
  if (left.isNaN()) return right.isNaN() ? 0 : 1;
  return right.isNaN() ? -1 : left.comparedTo(right);
}

function compareIntegers(left: bigint, right: bigint): number {
  return left < right ? -1 : Number(left > right);
}

function compareStrings(left: string, right: string, { mode, data }: Comparison): number | null {
  switch (mode) {
    case 'citext':
      return compareText(lowerAscii(left), lowerAscii(right));
    case 'uuid': {
      const [one, other] = [canonicalUuid(left), canonicalUuid(right)];
      return one === null || other === null ? null : compareText(one, other);
    }
    case 'enum': {
      const labels = data?.kind === 'enum' ? data.values : [];
      const [one, other] = [labels.indexOf(left), labels.indexOf(right)];
      return one < 0 || other < 0 ? null : one - other;
    }
    default:
      return compareText(left, right);
  }
}

function compareNumbers(left: Value, right: Value, mode: Comparison['mode']): number | null {
  if (typeof left === 'bigint' && typeof right === 'bigint') return compareIntegers(left, right);
  if (mode === 'float4' && typeof left === 'number' && typeof right === 'number') {
    return compareDoubles(Math.fround(left), Math.fround(right));
  }
  if (typeof left === 'number' && typeof right === 'number') return compareDoubles(left, right);
  const [one, other] = [toDecimal(left), toDecimal(right)];
  return one === null || other === null ? null : compareDecimals(one, other);
}

/** Less than, equal to or greater than 0, as `left` is to `right`; null where they cannot be compared after all. */
export function compareValues(
  left: NonNullable<Value>,
  right: NonNullable<Value>,
  how: Comparison,
): number | null {
  if (typeof left === 'string' && typeof right === 'string') return compareStrings(left, right, how);
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right);
  if (left instanceof Bytes && right instanceof Bytes) return compareText(left.hex, right.hex);
  if (isInterval(left) && isInterval(right))
    return compareIntegers(comparableMicros(left), comparableMicros(right));
  return compareNumbers(left, right, how.mode);
}

/** The value as JSON, as `to_json` would print it. */
function toJson(value: Value): unknown {
  if (value instanceof Json) return value.value;
  if (Array.isArray(value)) return value.map((item: Value) => toJson(item));
  if (value instanceof Bytes) return `\\x${value.hex}`;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Decimal.isDecimal(value)) return value.isFinite() ? value : value.toString();
  return value;
}

export function isEqualValue(left: NonNullable<Value>, right: NonNullable<Value>, how: Comparison): boolean {
  if (how.mode === 'json') return isJsonEqual(toJson(left), toJson(right));
  return compareValues(left, right, how) === 0;
}
