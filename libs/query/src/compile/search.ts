import { joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import type { Field } from '@plinth/schema';
import type { RowScope } from '../scope.js';
import { inputParameter } from './input-parameter.js';

/** Beyond this, PostgreSQL may refuse to make a text search vector at all (they are bounded to 1 MB). */
const MAX_SEARCHED_CHARACTERS = 100_000;

export const SEARCH_INPUT = 'search';

/**
 * Whether the words of a search are in the text fields of a row, as the caller sees it. The configuration is `simple`:
 * words as they are, in any language. Where no field is masked, an index over the same expression serves.
 */
export function compileSearch(fields: readonly Field[], scope: RowScope): Sql {
  if (fields.length === 0) return rawSql('false');
  const texts = fields.map((field) => sql`coalesce(${scope.field(field.name).sql}, '')`);
  const text = sql`left(${joinSql(texts, " || ' ' || ")}, ${rawSql(String(MAX_SEARCHED_CHARACTERS))})`;
  return sql`to_tsvector('simple', ${text}) @@ websearch_to_tsquery('simple', ${inputParameter(SEARCH_INPUT, 'text')})`;
}
