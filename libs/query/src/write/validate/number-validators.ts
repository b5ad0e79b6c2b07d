import type { ScalarType } from '@plinth/schema';
import { ExactNumber, type JsonNode } from '../json-node.js';
import { failType, type ValueValidator } from './value-validator.js';

/** A decimal number taken apart: `coefficient × 10^exponent`, without trailing zeros; zero has no digits. */
interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

function parseDecimal(text: string): Decimal {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  const [, sign = '', whole = '', fraction = '', power = '0'] = match ?? [];
  const all = (whole + fraction).replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  const exponent = Number(power) - fraction.length + (all.length - digits.length);
  return { negative: sign === '-', digits, exponent: digits === '' ? 0 : exponent };
}

const isNumber = (value: JsonNode): value is number | ExactNumber =>
  typeof value === 'number' || value instanceof ExactNumber;

const numberText = (value: number | ExactNumber): string =>
  typeof value === 'number' ? String(value) : value.text;

/** More digits than any integer type has; keeps `1e999999999` from being written out. */
const MAX_INTEGER_DIGITS = 20;

/**
 * An integer between two bounds. JSON does not tell `1` from `1.0` or `1e0`, and neither does JSON Schema, but
 * PostgreSQL's integer input does: such spellings are written out.
 */
export function integerValidator(minimum: bigint, maximum: bigint): ValueValidator {
  const [low, high] = [Number(minimum), Number(maximum)];
  const message = `must be an integer from ${minimum} to ${maximum}`;
  return (value, place) => {
    if (!isNumber(value)) return failType(value, place, 'an integer');
    if (typeof value === 'number' && Number.isSafeInteger(value)) {
      if (value < low || value > high) place.fail('out-of-range', message);
      return Object.is(value, -0) ? 0 : value;
    }
    const decimal = parseDecimal(numberText(value));
    if (decimal.exponent < 0) {
      place.fail('type', 'must be an integer');
      return value;
    }
    if (decimal.digits.length + decimal.exponent > MAX_INTEGER_DIGITS) {
      place.fail('out-of-range', message);
      return value;
    }
    const magnitude = BigInt(`${decimal.digits || '0'}${'0'.repeat(decimal.exponent)}`);
    const integer = decimal.negative ? -magnitude : magnitude;
    if (integer < minimum || integer > maximum) place.fail('out-of-range', message);
    const text = integer.toString();
    return text === numberText(value) ? value : new ExactNumber(text);
  };
}

const SPECIAL_NUMBERS = new Set(['NaN', 'Infinity', '-Infinity']);

const FLOAT4_MAX = 3.4028234663852886e38;

/** `to_json` writes NaN and the infinities as strings, so they are read as strings too. */
export function floatValidator(bits: 32 | 64): ValueValidator {
  const round = bits === 32 ? Math.fround : (value: number): number => value;
  const limit = bits === 32 ? FLOAT4_MAX : Number.MAX_VALUE;
  return (value, place) => {
    if (typeof value === 'string' && SPECIAL_NUMBERS.has(value)) return value;
    if (!isNumber(value)) return failType(value, place, 'a number');
    const parsed = Number(numberText(value));
    const vanishes = round(parsed) === 0 && parseDecimal(numberText(value)).digits !== '';
    if (Math.abs(round(parsed)) > limit || vanishes) {
      place.fail('out-of-range', `does not fit a ${bits}-bit floating-point number`);
    }
    return value;
  };
}

/** Digits that PostgreSQL's numeric can hold before and after the point. */
const NUMERIC_WHOLE_DIGITS = 131_072;
const NUMERIC_FRACTION_DIGITS = 16_383;

/**
 * A decimal number. More digits after the point than the column keeps are refused: PostgreSQL would round them away
 * without a word, and a sum of money that changes on its way in is nobody's wish.
 */
export function numericValidator(type: ScalarType): ValueValidator {
  const { precision, scale = 0 } = type;
  const maxFraction = precision === undefined ? NUMERIC_FRACTION_DIGITS : scale;
  const maxWhole = precision === undefined ? NUMERIC_WHOLE_DIGITS : precision - scale;
  return (value, place) => {
    if (typeof value === 'string' && SPECIAL_NUMBERS.has(value)) {
      if (precision !== undefined && value !== 'NaN') place.fail('out-of-range', 'must be finite');
      return value;
    }
    if (!isNumber(value)) return failType(value, place, 'a number');
    const decimal = parseDecimal(numberText(value));
    if (decimal.digits === '') return value;
    if (decimal.digits.length + decimal.exponent > maxWhole) {
      place.fail('out-of-range', `must have at most ${Math.max(maxWhole, 0)} digits before the point`);
    } else if (-decimal.exponent > maxFraction) {
      place.fail('out-of-range', fractionMessage(maxFraction));
    }
    return value;
  };
}

function fractionMessage(digits: number): string {
  if (digits === 0) return 'must be a whole number';
  return digits > 0
    ? `must have at most ${digits} digits after the point`
    : `must be a multiple of 1${'0'.repeat(-digits)}`;
}

/** Whether a number in free JSON is one that jsonb, whose numbers are numeric, can hold. */
export function fitsNumeric(value: ExactNumber): boolean {
  const decimal = parseDecimal(value.text);
  return (
    decimal.digits.length + decimal.exponent <= NUMERIC_WHOLE_DIGITS &&
    -decimal.exponent <= NUMERIC_FRACTION_DIGITS
  );
}
