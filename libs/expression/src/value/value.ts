import { Decimal as DecimalJs } from 'decimal.js';
import type { Literal } from '../lift-literals.js';
import type { Interval } from './interval.js';
import { parseDecimalLiteral, parseDoubleLiteral, parseIntLiteral } from './number-literals.js';
import { parseDurationLiteral, parseTimestampLiteral } from './temporal-literals.js';

/** Exact decimals: enough digits for whatever `numeric` holds, half away from zero where one must round, as PostgreSQL. */
export const Decimal = DecimalJs.clone({
  precision: 200_000,
  rounding: DecimalJs.ROUND_HALF_UP,
  toExpNeg: -20,
  toExpPos: 30,
  maxE: 9e15,
  minE: -9e15,
});
export type Decimal = DecimalJs;

/** JSON as it was parsed, whatever the parser made of its numbers. */
export type JsonValue = unknown;

/** The bytes as hex digits, so that their order is that of the bytes. */
export class Bytes {
  constructor(readonly hex: string) {}
}

/** JSON inside an expression; apart from `null` for the JSON null, which is null like any other. */
export class Json {
  constructor(readonly value: JsonValue) {}
}

/**
 * A value in memory, by the kind of its type: `int` is a bigint, `double` a number, `decimal` a `Decimal`, `timestamp` a
 * bigint of microseconds, `duration` an `Interval`, `dyn` a `Json`.
 */
export type Value =
  null | boolean | bigint | number | string | Decimal | Bytes | Interval | Json | readonly Value[];

export type LiteralReading = 'int' | 'double' | 'decimal' | 'string' | 'bytes' | 'timestamp' | 'duration';

/**
 * The value of a literal, read as the given kind.
 *
 * @throws ExpressionError `bad-literal` where it is none of that kind.
 */
export function literalValue(
  literal: Literal,
  isNegated: boolean,
  reading: LiteralReading,
): NonNullable<Value> {
  switch (reading) {
    case 'int':
      return parseIntLiteral(literal, isNegated);
    case 'double':
      return parseDoubleLiteral(literal, isNegated);
    case 'decimal':
      return new Decimal(parseDecimalLiteral(literal, isNegated));
    case 'bytes':
      return new Bytes(literal.value);
    case 'timestamp':
      return parseTimestampLiteral(literal.value, literal);
    case 'duration':
      return { months: 0, days: 0, micros: parseDurationLiteral(literal.value, literal) };
    default:
      return literal.value;
  }
}
