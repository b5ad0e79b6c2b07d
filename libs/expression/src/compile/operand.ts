import { joinSql, rawSql, sql, type Sql } from '../sql.js';

/** The least and the greatest value that an int can have, as far as its origin tells. */
export interface IntRange {
  readonly min: bigint;
  readonly max: bigint;
}

/** How large a decimal can be, as far as its origin tells: digits before and after the point. */
export interface DecimalSize {
  readonly digits: number;
  readonly scale: number;
}

/** A value in SQL. */
export interface Operand {
  readonly sql: Sql;
  /** Whether the value may be null. */
  readonly nullable: boolean;
  /** Whether the SQL may be null though the value is not: a text that is no label of the enum it is compared with. */
  readonly isFallible?: boolean;
  /** Whether it may stand in a statement more than once: a column or a parameter, not a computation. */
  readonly isSimple: boolean;
  /** True exactly where the value is null, if that is not simply where its SQL is null. */
  readonly isNull?: Sql;
  /** Whether it is a value of the actor, which equals nothing where the actor lacks it. */
  readonly isActor?: boolean;
  readonly range?: IntRange;
  readonly size?: DecimalSize;
}

/** A predicate in SQL: true where the condition holds, otherwise false or null. */
export interface Condition {
  readonly sql: Sql;
  /** True where it is never null. */
  readonly isTwoValued: boolean;
  readonly form: 'and' | 'or' | 'comparison' | 'atom';
}

export const TRUE_CONDITION: Condition = { sql: rawSql('TRUE'), isTwoValued: true, form: 'atom' };
export const FALSE_CONDITION: Condition = { sql: rawSql('FALSE'), isTwoValued: true, form: 'atom' };

export const comparison = (text: Sql, isTwoValued: boolean): Condition => ({
  sql: text,
  isTwoValued,
  form: 'comparison',
});
export const atom = (text: Sql, isTwoValued: boolean): Condition => ({
  sql: text,
  isTwoValued,
  form: 'atom',
});

const wrap = (condition: Condition, ...forms: readonly Condition['form'][]): Sql =>
  forms.includes(condition.form) ? sql`(${condition.sql})` : condition.sql;

export function conjunction(conditions: readonly Condition[]): Condition {
  const [only] = conditions;
  if (only === undefined) return TRUE_CONDITION;
  if (conditions.length === 1) return only;
  const parts = conditions.map((condition) => wrap(condition, 'or'));
  return {
    sql: joinSql(parts, ' AND '),
    isTwoValued: conditions.every((part) => part.isTwoValued),
    form: 'and',
  };
}

export function disjunction(conditions: readonly Condition[]): Condition {
  const [only] = conditions;
  if (only === undefined) return FALSE_CONDITION;
  if (conditions.length === 1) return only;
  const parts = conditions.map((condition) => condition.sql);
  return {
    sql: joinSql(parts, ' OR '),
    isTwoValued: conditions.every((part) => part.isTwoValued),
    form: 'or',
  };
}

/** The condition does not hold: two-valued. */
export function negation(condition: Condition): Condition {
  const inner = wrap(condition, 'and', 'or', 'comparison');
  if (condition.isTwoValued) return comparison(sql`NOT ${inner}`, true);
  return comparison(sql`${inner} IS NOT TRUE`, true);
}

/** The same truth, never null. */
export function strict(condition: Condition): Condition {
  if (condition.isTwoValued) return condition;
  return comparison(sql`${wrap(condition, 'and', 'or', 'comparison')} IS TRUE`, true);
}

/** The condition so that it can stand anywhere a value can. */
export const enclosed = (condition: Condition): Sql => wrap(condition, 'and', 'or', 'comparison');

/**
 * Gives a computation a name, so that it can be used more than once without being written (and computed) more than once:
 * texts that double at each level of nesting would grow beyond all bounds. `OFFSET 0` keeps the planner from putting
 * the computation back in place of the name, and constants from being folded where a guard forbids it.
 */
export function bindOnce(operands: readonly Operand[], body: (...names: readonly Sql[]) => Sql): Sql {
  if (operands.every((operand) => operand.isSimple)) return body(...operands.map((operand) => operand.sql));
  return bindAlways(
    operands.map((operand) => operand.sql),
    body,
  );
}

/** `bindOnce` for operands however simple. */
export function bindAlways(values: readonly Sql[], body: (...names: readonly Sql[]) => Sql): Sql {
  const columns = values.map((value, index) => sql`${value} AS ${rawSql(`v${index}`)}`);
  const names = values.map((_, index) => rawSql(`_v.v${index}`));
  return sql`(SELECT ${body(...names)} FROM (SELECT ${joinSql(columns, ', ')} OFFSET 0) AS _v)`;
}
