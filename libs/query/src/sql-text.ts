import { quoteIdentifier, rawSql, type Sql } from '@plinth/expression';

/** Words that PostgreSQL 14 to 18 do not take for a column without quotes, such as after `INSERT INTO t (` or `SET`. */
const KEYWORDS = new Set(
  (
    'all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation ' +
    'column concurrently constraint create cross current_catalog current_date current_role current_schema ' +
    'current_time current_timestamp current_user default deferrable desc distinct do else end except false fetch for ' +
    'foreign freeze from full grant group having ilike in initially inner intersect into is isnull join lateral ' +
    'leading left like limit localtime localtimestamp natural not notnull null offset on only or order outer overlaps ' +
    'placing primary references returning right select session_user similar some symmetric system_user table ' +
    'tablesample then to trailing true union unique user using variadic verbose when where window with'
  ).split(' '),
);

/**
 * A column, after its alias (`t0.title`) or alone, without quotes where it can do without. Generated statements are read
 * by people, in logs and in review.
 */
export const quotedColumn = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) && !KEYWORDS.has(name) ? name : quoteIdentifier(name);

/** `AS name` */
export const asLabel = (name: string): Sql => rawSql(` AS ${quotedColumn(name)}`);
