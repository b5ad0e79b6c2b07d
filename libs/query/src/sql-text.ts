import { quoteIdentifier, rawSql, type Sql } from '@plinth/expression';

/**
 * A column after its alias (`t0.title`), without quotes where it can do without: PostgreSQL takes any word after a dot,
 * keyword or not. Generated statements are read by people, in logs and in review.
 */
export const quotedColumn = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdentifier(name);

/** `AS name`: here a keyword needs no quotes either. */
export const asLabel = (name: string): Sql => rawSql(` AS ${quotedColumn(name)}`);
