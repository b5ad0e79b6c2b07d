import { rawSql, sql, textLiteral, type Sql } from '@plinth/expression';

/** Why a statement of ours ended itself: the message of an SQLSTATE `PL001` error. */
export type RaisedCode =
  /** A row would break the check of the rules. */
  | 'check-failed'
  /** A row may not be updated by this caller. */
  | 'forbidden'
  /** The row's version is not the one asked for, or there is a row where there should be none. */
  | 'precondition-failed'
  /** There is no such row, and the caller may not create it. */
  | 'not-found'
  /** A row with this key exists that the caller cannot see. */
  | 'conflict'
  /** Two records of the body have the same key. */
  | 'duplicate-key'
  /** More rows match than a statement may change. */
  | 'too-many-rows'
  /** Someone else created a row meanwhile: the same statement again will find it. */
  | 'retry';

/** The SQLSTATE of `plinth.raise`. */
export const RAISED_STATE = 'PL001';

/**
 * A scalar subquery that ends the statement when `rows` (`FROM ... WHERE ...`) gives any row, and is null otherwise. The
 * error's detail is the least `ordinal` among them.
 */
export const raiseForAny = (code: RaisedCode, ordinal: Sql, rows: Sql): Sql =>
  sql`(SELECT plinth.raise(${textLiteral(code)}, coalesce(min(${ordinal})::text, ''))::text ${rows} HAVING count(*) > 0)`;

/** The same for a row that the statement looks at anyway, the only one of its body. */
export const raiseUnless = (code: RaisedCode, predicate: Sql): Sql =>
  sql`CASE WHEN (${predicate}) IS NOT TRUE THEN plinth.raise(${textLiteral(code)}, '0')::text END`;

/** The same for a condition that is not about a single row. */
export const raiseWhen = (code: RaisedCode, condition: Sql): Sql =>
  sql`CASE WHEN ${condition} THEN plinth.raise(${textLiteral(code)})::text END`;

/**
 * The outcome of a statement, after every reason to refuse it was asked for in turn. `coalesce` evaluates from left to
 * right and only as far as it must, so the first reason is the one that is told.
 */
export const outcomeAfter = (refusals: readonly Sql[], outcome: Sql): Sql =>
  refusals.length === 0
    ? outcome
    : sql`coalesce(${{ chunks: refusals.flatMap((refusal) => [refusal, rawSql(', ')]) }}${outcome})`;
