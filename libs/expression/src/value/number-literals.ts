import { ExpressionError, type TextRange } from '../expression-error.js';
import type { Literal } from '../lift-literals.js';

export const MIN_INT = -(2n ** 63n);
export const MAX_INT = 2n ** 63n - 1n;

/** Digits after the point that a number may be written with. */
export const MAX_LITERAL_SCALE = 400;

/**
 * The value of an integer literal.
 *
 * @throws ExpressionError `bad-literal` beyond 64 bits.
 */
export function parseIntLiteral(literal: Literal, isNegated: boolean): bigint {
  const magnitude = BigInt(literal.value);
  const value = isNegated ? -magnitude : magnitude;
  if (value >= MIN_INT && value <= MAX_INT) return value;
  throw new ExpressionError('bad-literal', `${literal.value} does not fit into 64 bits.`, literal);
}

/**
 * A number literal in decimal notation, exactly as written.
 *
 * @throws ExpressionError `bad-literal` where it has too many digits to compute with.
 */
export function parseDecimalLiteral(literal: Literal, isNegated: boolean): string {
  if (literal.kind === 'int') return parseIntLiteral(literal, isNegated).toString();
  const [mantissa = '', exponent = '0'] = literal.value.toLowerCase().split('e');
  const fraction = mantissa.split('.')[1] ?? '';
  if (fraction.length - Number(exponent) > MAX_LITERAL_SCALE || !Number.isFinite(Number(literal.value))) {
    const message = `A number has at most ${MAX_LITERAL_SCALE} digits after the point and is smaller than 1.8e308.`;
    throw new ExpressionError('bad-literal', message, literal satisfies TextRange);
  }
  return isNegated ? `-${literal.value}` : literal.value;
}

/** The nearest double. */
export function parseDoubleLiteral(literal: Literal, isNegated: boolean): number {
  return Number(parseDecimalLiteral(literal, isNegated));
}
