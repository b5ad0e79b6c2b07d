import { rawSql, sql, type Sql } from '../sql.js';
import type { ArithmeticOperator } from '../tree.js';

/*
 * PostgreSQL raises errors where IEEE 754 gives infinity, or zero for what is too small. These expressions ask first.
 * A result beyond the largest double is null, a result below the smallest is zero; infinities and NaN compute as in
 * IEEE 754. `u` and `v` are names of doubles (see `bindAlways`), so nothing here is folded before it is guarded.
 */

const number = (value: number): Sql => rawSql(`'${value}'::float8`);

const INFINITY = rawSql("'Infinity'::float8");
const HALF_MAX = number(2 ** 1023);

/** Sum. Overflows only if half of it reaches 2^1023; beside so large a number, one below 1 does not count. */
function addition(u: Sql, v: Sql): Sql {
  const most = sql`GREATEST(abs(${u}), abs(${v}))`;
  const isSafe = sql`${most} < ${HALF_MAX} OR NOT ${most} < ${INFINITY} OR LEAST(abs(${u}), abs(${v})) < 1`;
  const fits = sql`abs(${u} / 2 + ${v} / 2) < ${HALF_MAX}`;
  return sql`CASE WHEN ${isSafe} OR ${fits} THEN ${u} + ${v} END`;
}

/** Product. Can overflow only where both factors are at least 1, and vanish only where both are at most 1. */
function multiplication(u: Sql, v: Sql): Sql {
  const least = sql`LEAST(abs(${u}), abs(${v}))`;
  const most = sql`GREATEST(abs(${u}), abs(${v}))`;
  const scaledDown = sql`abs((${u} * ${number(2 ** -512)}) * (${v} * ${number(2 ** -512)}))`;
  const scaledUp = sql`abs((${u} * ${number(2 ** 538)}) * (${v} * ${number(2 ** 538)}))`;
  return sql`CASE WHEN ${u} IS NULL OR ${v} IS NULL THEN NULL
    WHEN ${least} = 0 OR NOT ${most} < ${INFINITY} THEN ${u} * ${v}
    WHEN ${least} >= 1 THEN CASE WHEN ${scaledDown} < 1 THEN ${u} * ${v} END
    WHEN ${most} > 1 OR ${least} >= 1e-150 THEN ${u} * ${v}
    WHEN ${scaledUp} > 2 THEN ${u} * ${v} ELSE 0 END`;
}

/** Quotient; null by zero. Can overflow only by a divisor below 1, and vanish only by one above. */
function division(u: Sql, v: Sql): Sql {
  const [dividend, divisor] = [sql`abs(${u})`, sql`abs(${v})`];
  const overflows = sql`${dividend} >= ${divisor} * ${HALF_MAX} * 2`;
  const vanishes = sql`${dividend} * ${number(2 ** 1022)} * ${number(2 ** 52)} <= ${divisor} / 2`;
  return sql`CASE WHEN ${u} IS NULL OR ${v} IS NULL OR ${v} = 0 THEN NULL
    WHEN ${divisor} = ${INFINITY} AND ${dividend} < ${INFINITY} THEN 0
    WHEN NOT ${dividend} < ${INFINITY} OR NOT ${divisor} < ${INFINITY} OR ${u} = 0 THEN ${u} / ${v}
    WHEN ${divisor} < 1 THEN CASE WHEN ${overflows} THEN NULL ELSE ${u} / ${v} END
    WHEN ${dividend} > ${number(2 ** -51)} THEN ${u} / ${v}
    WHEN ${vanishes} THEN 0 ELSE ${u} / ${v} END`;
}

/** A sum, difference, product or quotient of doubles that never raises an error. */
export function doubleArithmetic(operator: ArithmeticOperator, u: Sql, v: Sql): Sql {
  switch (operator) {
    case '+':
      return addition(u, v);
    case '-':
      return addition(u, sql`(- ${v})`);
    case '*':
      return multiplication(u, v);
    case '/':
      return division(u, v);
    default:
      throw new TypeError('doubles have no remainder');
  }
}
