/** Digits after the point that a product of decimals keeps. */
export const MAX_SCALE = 1000;
/** Digits after the point that a quotient of decimals is worked out to; the rest is cut off. */
export const QUOTIENT_SCALE = 20;
/** Decimals from 10^1000 on are not computed with: such a result is null. */
export const MAX_DIGITS = 1000;
