import { joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import { isExactKeyType } from '../record-key.js';
import type { RowScope } from '../scope.js';
import { baseType } from '../types.js';
import { inputParameter } from './input-parameter.js';

/** The name under which the n-th part of a record's key is bound. */
export const keyInput = (index: number): string => `key.${index}`;

/**
 * Whether a row is the one with the key that `parseRecordKey` has read. A key field that is hidden on the row matches
 * nothing there: the record cannot be addressed by who may not see its key.
 */
export function keyPredicate(scope: RowScope): Sql {
  const conditions = scope.collection.primaryKey.flatMap((name, index) => {
    const stored = scope.raw.field(name);
    const { castSql } = baseType(stored.type);
    const isExact = isExactKeyType(stored.type);
    const value = inputParameter(keyInput(index), isExact ? castSql : 'text');
    const compare = (field: Sql): Sql =>
      isExact ? sql`${field} = ${value}` : sql`(${field})::text = ${value}`;
    // The stored value is compared first, and by itself, because an index can find only that.
    const found = compare(stored.sql);
    return scope.isMasked(name) ? [found, sql`${scope.field(name).sql} IS DISTINCT FROM NULL`] : [found];
  });
  return conditions.length === 0 ? rawSql('false') : joinSql(conditions, ' AND ');
}
