import { QUOTIENT_SCALE, MAX_DIGITS, MAX_SCALE } from '../value/decimal-limits.js';
import type { ArithmeticNode, ArithmeticOperator } from '../tree.js';
import {
  civilFromDays,
  daysFromCivil,
  daysInMonth,
  isCivilInstant,
  MICROS_PER_DAY,
  splitInstant,
} from '../value/instant.js';
import { type Interval, isFiniteInterval } from '../value/interval.js';
import { MAX_INT, MIN_INT } from '../value/number-literals.js';
import { Decimal, type Value } from '../value/value.js';
import { toDecimal } from './compare-values.js';

const fitInt = (value: bigint): bigint | null => (value >= MIN_INT && value <= MAX_INT ? value : null);

function computeInt(operator: ArithmeticOperator, left: bigint, right: bigint): bigint | null {
  switch (operator) {
    case '+':
      return fitInt(left + right);
    case '-':
      return fitInt(left - right);
    case '*':
      return fitInt(left * right);
    case '/':
      return right === 0n ? null : fitInt(left / right);
    default:
      return right === 0n ? null : left % right;
  }
}

function computeDouble(operator: ArithmeticOperator, left: number, right: number): number | null {
  if (operator === '/' && right === 0) return null;
  const results = {
    '+': left + right,
    '-': left - right,
    '*': left * right,
    '/': left / right,
    '%': Number.NaN,
  };
  const result = results[operator];
  // SQL does not keep the sign of what becomes zero.
  if (operator === '/' && Number.isFinite(left) && Math.abs(right) === Infinity) return 0;
  if (!Number.isFinite(left) || !Number.isFinite(right)) return result;
  if (!Number.isFinite(result)) return null;
  return result === 0 && (operator === '*' || operator === '/') && left !== 0 && right !== 0 ? 0 : result;
}

const DECIMAL_LIMIT = new Decimal(10).pow(MAX_DIGITS);

function divideDecimals(left: Decimal, right: Decimal): Decimal | null {
  if (right.isZero()) return null;
  if (left.isNaN() || right.isNaN()) return new Decimal(Number.NaN);
  if (!right.isFinite()) return left.isFinite() ? new Decimal(0) : new Decimal(Number.NaN);
  if (!left.isFinite()) return left.times(right.isNegative() ? -1 : 1);
  const shift = new Decimal(10).pow(QUOTIENT_SCALE);
  return left.times(shift).dividedToIntegerBy(right).dividedBy(shift);
}

function computeDecimal(operator: ArithmeticOperator, left: Decimal, right: Decimal): Decimal | null {
  let result: Decimal | null;
  if (operator === '/') result = divideDecimals(left, right);
  else if (operator === '+') result = left.plus(right);
  else if (operator === '-') result = left.minus(right);
  else result = left.times(right);
  if (result === null || !result.isFinite()) return result;
  const rounded = result.decimalPlaces() > MAX_SCALE ? result.toDecimalPlaces(MAX_SCALE) : result;
  return rounded.abs().lessThan(DECIMAL_LIMIT) ? rounded : null;
}

/** The bounds of one step; see `isStep` of the SQL compiler. */
function isStep(interval: Interval): boolean {
  const years = Math.trunc(interval.months / 12);
  const hours = interval.micros / 3_600_000_000n;
  const isShort = Math.abs(years) <= 1500 && Math.abs(interval.days) <= 500_000;
  return isFiniteInterval(interval) && isShort && hours <= 12_000_000n && hours >= -12_000_000n;
}

/** By calendar months first, cut to the month's last day, then by days, then by the rest, as PostgreSQL does. */
function moveInstant(instant: bigint, by: Interval, sign: 1 | -1): bigint | null {
  if (!isCivilInstant(instant) || !isStep(by)) return null;
  const { days, micros } = splitInstant(instant);
  const { year, month, day } = civilFromDays(days);
  const months = year * 12 + (month - 1) + sign * by.months;
  const [movedYear, movedMonth] = [Math.floor(months / 12), (((months % 12) + 12) % 12) + 1];
  const movedDay = Math.min(day, daysInMonth(movedYear, movedMonth));
  const movedDays = daysFromCivil(movedYear, movedMonth, movedDay) + sign * by.days;
  const moved = BigInt(movedDays) * MICROS_PER_DAY + micros + BigInt(sign) * by.micros;
  return isCivilInstant(moved) ? moved : null;
}

/** In whole days and the rest, as PostgreSQL gives it: the bounds of a step are of each of them. */
function intervalBetween(left: bigint, right: bigint): Interval {
  const micros = left - right;
  return { months: 0, days: Number(micros / MICROS_PER_DAY), micros: micros % MICROS_PER_DAY };
}

const isInterval = (value: Value): value is Interval =>
  typeof value === 'object' && value !== null && 'months' in value;

/** The result of an arithmetic node on values that are not null; null where it has none. */
export function computeArithmetic(node: ArithmeticNode, left: Value, right: Value): Value {
  const { mode, operator } = node;
  if (mode === 'int' && typeof left === 'bigint' && typeof right === 'bigint')
    return computeInt(operator, left, right);
  if (mode === 'double') {
    const [one, other] = [Number(left), Number(right)];
    return computeDouble(operator, one, other);
  }
  if (mode === 'string' && typeof left === 'string' && typeof right === 'string') return left + right;
  if (mode === 'decimal') {
    const [one, other] = [toDecimal(left), toDecimal(right)];
    return one === null || other === null ? null : computeDecimal(operator, one, other);
  }
  if (typeof left === 'bigint' && isInterval(right))
    return moveInstant(left, right, operator === '-' ? -1 : 1);
  if (typeof right === 'bigint' && isInterval(left)) return moveInstant(right, left, 1);
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    return isCivilInstant(left) && isCivilInstant(right) ? intervalBetween(left, right) : null;
  }
  throw new TypeError(`cannot compute ${mode}`);
}
