import { translatePattern } from '../pattern/translate-pattern.js';
import type { CalendarField, CallNode, FunctionName } from '../tree.js';
import {
  civilFromDays,
  daysFromCivil,
  formatInstant,
  isCivilInstant,
  splitInstant,
} from '../value/instant.js';
import { comparableMicros, type Interval, isFiniteInterval } from '../value/interval.js';
import { isJsonObject } from '../value/json.js';
import { MAX_INT, MIN_INT } from '../value/number-literals.js';
import { countCodePoints, lowerAscii, upperAscii } from '../value/text-forms.js';
import { Bytes, Decimal, Json, type Value } from '../value/value.js';
import { toDecimal } from './compare-values.js';

const isInterval = (value: Value): value is Interval =>
  typeof value === 'object' && value !== null && 'months' in value;

function textOf(value: Value): string {
  if (typeof value !== 'string') throw new TypeError('text is expected');
  return value;
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

function sizeOf(value: Value): bigint | null {
  if (typeof value === 'string') return BigInt(countCodePoints(value));
  if (value instanceof Bytes) return BigInt(value.hex.length / 2);
  if (Array.isArray(value)) return BigInt(value.length);
  if (!(value instanceof Json)) throw new TypeError('size of what has none');
  const json = value.value;
  if (typeof json === 'string') return BigInt(countCodePoints(json));
  if (Array.isArray(json)) return BigInt(json.length);
  return isJsonObject(json) ? BigInt(Object.keys(json).length) : null;
}

function narrowToInt(value: Decimal | null): bigint | null {
  if (value === null || !value.isFinite()) return null;
  const whole = value.truncated();
  if (whole.lessThan(MIN_INT.toString()) || whole.greaterThan(MAX_INT.toString())) return null;
  return BigInt(whole.toFixed(0));
}

function toInt(value: Value, kind: string): bigint | null {
  if (kind === 'timestamp' && typeof value === 'bigint') {
    return isCivilInstant(value) ? floorDivide(value, 1_000_000n) : null;
  }
  if (typeof value === 'bigint') return value;
  if (typeof value === 'string')
    return /^-?[0-9]{1,19}$/.test(value) ? narrowToInt(new Decimal(value)) : null;
  if (typeof value === 'number') {
    return value >= -(2 ** 63) && value < 2 ** 63 ? BigInt(Math.trunc(value)) : null;
  }
  return narrowToInt(toDecimal(value));
}

const DOUBLE_TEXT = /^-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]{1,2})?$/;

function toDouble(value: Value): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string') return value.length <= 100 && DOUBLE_TEXT.test(value) ? Number(value) : null;
  const decimal = toDecimal(value);
  if (decimal === null || !decimal.isFinite()) return decimal?.toNumber() ?? null;
  if (decimal.abs().lessThan('1e-300')) return 0;
  return decimal.abs().lessThan('1e308') ? decimal.toNumber() : null;
}

/** A double as PostgreSQL writes it: the same digits as in JavaScript, but exponents from 15 digits on. */
function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 15) return new Decimal(value).toFixed();
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${Math.abs(exponent).toString().padStart(2, '0')}`;
}

function toText(value: Value, kind: string): string | null {
  if (kind === 'timestamp' && typeof value === 'bigint')
    return isCivilInstant(value) ? formatInstant(value) : null;
  if (typeof value === 'number') return formatDouble(value);
  if (Decimal.isDecimal(value))
    return value.isFinite() ? value.toFixed().replace(/^-0$/, '0') : value.toString();
  return typeof value === 'bigint' || typeof value === 'boolean' ? value.toString() : textOf(value);
}

function calendarPart(name: CalendarField, instant: bigint): bigint | null {
  if (!isCivilInstant(instant)) return null;
  const { days, micros } = splitInstant(instant);
  const { year, month, day } = civilFromDays(days);
  switch (name) {
    case 'getFullYear':
      return BigInt(year);
    case 'getMonth':
      return BigInt(month - 1);
    case 'getDate':
      return BigInt(day);
    case 'getDayOfMonth':
      return BigInt(day - 1);
    case 'getDayOfWeek':
      return BigInt((((days + 4) % 7) + 7) % 7);
    case 'getDayOfYear':
      return BigInt(days - daysFromCivil(year, 1, 1));
    case 'getHours':
      return micros / 3_600_000_000n;
    case 'getMinutes':
      return (micros / 60_000_000n) % 60n;
    case 'getSeconds':
      return (micros / 1_000_000n) % 60n;
    default:
      return (micros / 1000n) % 1000n;
  }
}

const DURATION_MICROS: Readonly<Record<string, bigint>> = {
  getHours: 3_600_000_000n,
  getMinutes: 60_000_000n,
  getSeconds: 1_000_000n,
  getMilliseconds: 1000n,
};

function calendarOf(name: CalendarField, value: Value): bigint | null {
  if (typeof value === 'bigint') return calendarPart(name, value);
  if (!isInterval(value)) throw new TypeError('the calendar of what has none');
  if (!isFiniteInterval(value)) return null;
  const whole = comparableMicros(value) / (DURATION_MICROS[name] ?? 1n);
  return name === 'getMilliseconds' ? whole % 1000n : whole;
}

function searchText(name: FunctionName, text: string, part: string): boolean {
  if (name === 'startsWith') return text.startsWith(part);
  return name === 'endsWith' ? text.endsWith(part) : text.includes(part);
}

/** The result of a function on arguments that are not null; null where it has none. */
export function computeCall(node: CallNode, args: readonly Value[]): Value {
  const [first = null, second = null] = args;
  const kind = node.arguments[0]?.type.kind ?? 'null';
  switch (node.name) {
    case 'startsWith':
    case 'endsWith':
    case 'contains':
      return searchText(node.name, textOf(first), textOf(second));
    case 'matches':
      return translatePattern(textOf(second), node).re2.test(textOf(first));
    case 'size':
      return sizeOf(first);
    case 'lowerAscii':
      return lowerAscii(textOf(first));
    case 'upperAscii':
      return upperAscii(textOf(first));
    case 'int':
      return toInt(first, kind);
    case 'double':
      return toDouble(first);
    case 'string':
      return toText(first, kind);
    default:
      return calendarOf(node.name, first);
  }
}
