import { rawSql, sql, type Sql } from '../sql.js';
import type { ArithmeticNode, ArithmeticOperator, ExpressionNode, MinusNode } from '../tree.js';
import { isScalar } from '../value/data-types.js';
import { MAX_DIGITS, MAX_SCALE, QUOTIENT_SCALE } from '../value/decimal-limits.js';
import { MAX_INT, MAX_LITERAL_SCALE, MIN_INT } from '../value/number-literals.js';
import type { Compiler } from './compiler.js';
import { doubleArithmetic } from './double-arithmetic.js';
import { bindAlways, bindOnce, type DecimalSize, type IntRange, type Operand } from './operand.js';

const ANY_INT: IntRange = { min: MIN_INT, max: MAX_INT };
const MIN_INT_SQL = rawSql(`'${MIN_INT}'::int8`);

const computed = (text: Sql, nullable: boolean): Operand => ({ sql: text, nullable, isSimple: false });

/** The range of a result, whatever 64 bits can hold of it. */
function resultRange(operator: ArithmeticOperator, a: IntRange, b: IntRange): IntRange {
  const magnitude = (range: IntRange): bigint => (range.max > -range.min ? range.max : -range.min);
  switch (operator) {
    case '+':
      return { min: a.min + b.min, max: a.max + b.max };
    case '-':
      return { min: a.min - b.max, max: a.max - b.min };
    case '*': {
      const product = magnitude(a) * magnitude(b);
      return { min: -product, max: product };
    }
    default:
      return { min: -magnitude(a), max: magnitude(a) };
  }
}

/** `numeric` as `int8`, null where it does not fit. */
export const narrowToInt = (numeric: Sql): Sql =>
  bindAlways(
    [numeric],
    (v) =>
      sql`CASE WHEN ${v} BETWEEN ${rawSql(`${MIN_INT}`)} AND ${rawSql(`${MAX_INT}`)} THEN ${v}::int8 END`,
  );

function intArithmetic(operator: ArithmeticOperator, a: Operand, b: Operand): Operand {
  const [left, right] = [a.range ?? ANY_INT, b.range ?? ANY_INT];
  const range = resultRange(operator, left, right);
  const isDivision = operator === '/' || operator === '%';
  const divisor = isDivision ? sql`NULLIF(${b.sql}::int8, 0)` : sql`${b.sql}::int8`;
  // Only the least int divided by -1 overflows; PostgreSQL gives 0 for its remainder.
  const isSafe = operator === '%' || (range.min >= MIN_INT && range.max <= MAX_INT);
  const nullable = a.nullable || b.nullable || isDivision || !isSafe;
  if (isSafe) return { ...computed(sql`(${a.sql}::int8 ${rawSql(operator)} ${divisor})`, nullable), range };
  const [wide, other] = [sql`${a.sql}::numeric`, sql`${divisor}::numeric`];
  const exact = isDivision ? sql`div(${wide}, ${other})` : sql`${wide} ${rawSql(operator)} ${other}`;
  return computed(narrowToInt(exact), nullable);
}

const ANY_DECIMAL: DecimalSize = { digits: Infinity, scale: Infinity };

function resultSize(operator: ArithmeticOperator, a: DecimalSize, b: DecimalSize): DecimalSize {
  if (operator === '*') return { digits: a.digits + b.digits, scale: a.scale + b.scale };
  if (operator === '/') return { digits: a.digits + b.scale, scale: QUOTIENT_SCALE };
  return { digits: Math.max(a.digits, b.digits) + 1, scale: Math.max(a.scale, b.scale) };
}

function decimalArithmetic(operator: ArithmeticOperator, a: Operand, b: Operand): Operand {
  const [left, right] = [a.size ?? ANY_DECIMAL, b.size ?? ANY_DECIMAL];
  const size = resultSize(operator, left, right);
  const isDivision = operator === '/';
  let exact: Sql;
  if (isDivision) {
    // `/` itself rounds at a place that depends on how its operands are written.
    const shift = rawSql(`1e${QUOTIENT_SCALE}`);
    const dividend = sql`${a.sql}::numeric * ${shift}`;
    exact = sql`(div(${dividend}, NULLIF(${b.sql}::numeric, 0)) * ${rawSql(`1e-${QUOTIENT_SCALE}`)})`;
  } else exact = sql`(${a.sql}::numeric ${rawSql(operator)} ${b.sql}::numeric)`;
  if (operator === '*' && size.scale > MAX_SCALE) exact = sql`round(${exact}, ${rawSql(`${MAX_SCALE}`)})`;
  if (size.digits <= MAX_DIGITS) return { ...computed(exact, a.nullable || b.nullable || isDivision), size };
  const limit = rawSql(`1e${MAX_DIGITS}`);
  const guarded = bindAlways(
    [exact],
    (v) => sql`CASE WHEN abs(${v}) < ${limit} OR ${v} IN ('NaN', 'Infinity', '-Infinity') THEN ${v} END`,
  );
  return computed(guarded, true);
}

const FIRST_TIMESTAMP = rawSql("'0001-01-01T00:00:00Z'::timestamptz");
const AFTER_TIMESTAMP = rawSql("'10000-01-01T00:00:00Z'::timestamptz");

/** Whether a timestamp lies in the years 1 to 9999, which is where CEL computes. */
const isCivil = (timestamp: Sql): Sql =>
  sql`${timestamp} >= ${FIRST_TIMESTAMP} AND ${timestamp} < ${AFTER_TIMESTAMP}`;

/** A point in time as `timestamptz`; null for a date beyond what that holds. */
export function asTimestamp(compiler: Compiler, node: ExpressionNode): Operand {
  const value = compiler.value(node);
  if (!isScalar(node.type.data, 'date')) return { ...value, sql: sql`${value.sql}::timestamptz` };
  const fits = sql`${value.sql} < '294277-01-01'::date OR ${value.sql} = 'infinity'::date`;
  return { ...value, sql: sql`CASE WHEN ${fits} THEN ${value.sql}::timestamptz END`, nullable: true };
}

/** A timestamp of the years 1 to 9999 as `timestamptz`; null for any other, and for the infinities. */
export function civilTimestamp(compiler: Compiler, node: ExpressionNode): Operand {
  const value = compiler.value(node);
  if (node.op === 'now' || node.op === 'literal' || node.op === 'arithmetic') return value;
  return {
    sql: bindOnce([value], (v) => sql`CASE WHEN ${isCivil(v)} THEN ${v}::timestamptz END`),
    nullable: true,
    isSimple: value.isSimple && isScalar(node.type.data, 'timestamptz', 'timestamp', 'date'),
  };
}

/**
 * A timestamp moves by at most 1500 years, 500,000 days and 12,000,000 hours at once: so the way to a result in the years
 * 1 to 9999 never leaves what PostgreSQL can count.
 */
const isStep = (interval: Sql): Sql =>
  sql`isfinite(${interval}) AND extract(year FROM ${interval}) BETWEEN -1500 AND 1500 AND extract(day FROM ${interval}) BETWEEN -500000 AND 500000 AND extract(hour FROM ${interval}) BETWEEN -12000000 AND 12000000`;

function moveTimestamp(
  compiler: Compiler,
  operator: ArithmeticOperator,
  at: ExpressionNode,
  by: ExpressionNode,
): Operand {
  const sign = rawSql(operator);
  const start = civilTimestamp(compiler, at);
  if (by.op === 'literal') {
    const step = compiler.literalParameter(by, 'interval', 'duration-step');
    const moved = sql`(${start.sql} ${sign} ${step})`;
    if (at.op === 'now') return { sql: moved, nullable: true, isSimple: true };
    return computed(
      bindAlways([moved], (v) => sql`CASE WHEN ${isCivil(v)} THEN ${v} END`),
      true,
    );
  }
  const moved = bindAlways(
    [start.sql, compiler.value(by).sql],
    (timestamp, interval) => sql`CASE WHEN ${isStep(interval)} THEN ${timestamp} ${sign} ${interval} END`,
  );
  return computed(
    bindAlways([moved], (v) => sql`CASE WHEN ${isCivil(v)} THEN ${v} END`),
    true,
  );
}

/** A double as the decimal that it is written as, or exactly where it is a whole number that 64 bits hold. */
export function doubleToDecimal(operand: Operand): Operand {
  const exact = bindOnce([{ ...operand, sql: sql`${operand.sql}::float8` }], (v) => {
    const isLarge = sql`abs(${v}) >= 9007199254740992 AND abs(${v}) < 9223372036854775808`;
    return sql`CASE WHEN ${isLarge} THEN ${v}::int8::numeric ELSE ${v}::text::numeric END`;
  });
  return {
    sql: exact,
    nullable: operand.nullable,
    isSimple: operand.isSimple,
    size: { digits: 309, scale: MAX_LITERAL_SCALE },
  };
}

export function compileArithmetic(compiler: Compiler, node: ArithmeticNode): Operand {
  const { operator, left, right, mode } = node;
  if (mode === 'timestamp-duration') return moveTimestamp(compiler, operator, left, right);
  if (mode === 'duration-timestamp') return moveTimestamp(compiler, operator, right, left);
  if (mode === 'timestamp-timestamp') {
    const [a, b] = [civilTimestamp(compiler, left), civilTimestamp(compiler, right)];
    return computed(sql`(${a.sql} - ${b.sql})`, a.nullable || b.nullable);
  }
  const [a, b] = [compiler.value(left), compiler.value(right)];
  switch (mode) {
    case 'int':
      return intArithmetic(operator, a, b);
    case 'decimal':
      return decimalArithmetic(operator, a, b);
    case 'string':
      return computed(sql`(${a.sql} || ${b.sql})`, a.nullable || b.nullable);
    default: {
      const values = [sql`${a.sql}::float8`, sql`${b.sql}::float8`];
      return computed(
        bindAlways(values, (u, v) => doubleArithmetic(operator, u, v)),
        true,
      );
    }
  }
}

export function compileMinus(compiler: Compiler, node: MinusNode): Operand {
  const operand = compiler.value(node.operand);
  if (node.type.kind !== 'int') {
    const cast = rawSql(node.type.kind === 'double' ? 'float8' : 'numeric');
    return { ...computed(sql`(- ${operand.sql}::${cast})`, operand.nullable), size: operand.size };
  }
  const range = operand.range ?? ANY_INT;
  if (range.min > MIN_INT) {
    const negated = { min: -range.max, max: -range.min };
    return { ...computed(sql`(- ${operand.sql}::int8)`, operand.nullable), range: negated };
  }
  return computed(sql`(- NULLIF(${operand.sql}::int8, ${MIN_INT_SQL}))`, true);
}
