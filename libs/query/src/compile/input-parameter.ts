import { sql, type Parameter, type Sql } from '@plinth/expression';

/** A value of the request that is bound by name when the statement is run. */
export const inputParameter = (name: string, castSql: string): Sql =>
  sql`${{ source: { kind: 'input', name }, castSql } satisfies Parameter}`;
