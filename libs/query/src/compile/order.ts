import { joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import type { Collection } from '@plinth/schema';
import type { SortKeyPlan } from '../plan/selection-plan.js';
import type { RowScope } from '../scope.js';
import { baseType } from '../types.js';
import { hiddenOrder } from './hidden-order.js';

/** A sort key as SQL. */
export interface SortKey {
  readonly sql: Sql;
  readonly nullable: boolean;
  readonly descending: boolean;
  /** Whether its values are rows themselves: `IS NULL` would also be true of a row of nulls, which sorts as a value. */
  readonly isRow: boolean;
  /** Whether an index could give rows in its order, were it the first key. */
  readonly isIndexed: boolean;
  /** The type that a cursor's text is cast to. */
  readonly castSql: string;
}

export function compileSortKeys(keys: readonly SortKeyPlan[], scope: RowScope): readonly SortKey[] {
  return keys.map((key): SortKey => {
    const { descending } = key;
    if (key.kind === 'place') {
      const castSql = key.column === 'ctid' ? 'tid' : 'oid';
      const place = rawSql(`${scope.alias}.${key.column}`);
      return { sql: place, nullable: false, descending, isRow: false, isIndexed: true, castSql };
    }
    if (key.kind === 'digest') {
      const digest = hiddenOrder(key.fields, scope);
      return { sql: digest, nullable: false, descending, isRow: false, isIndexed: false, castSql: 'bytea' };
    }
    const owner = key.path.reduce((near, relation) => near.one(relation), scope);
    const field = owner.field(key.field.name);
    // A domain's values compare as its base type's; a cast to the domain would run its checks for nothing.
    const type = baseType(field.type);
    const isStored = key.path.length === 0 && !scope.isMasked(key.field.name);
    const isIndexed = isStored && leadsIndex(key.field.name, scope.collection);
    return {
      sql: field.sql,
      nullable: field.nullable,
      descending,
      isRow: type.kind === 'composite',
      isIndexed,
      castSql: type.castSql,
    };
  });
}

export const leadsIndex = (field: string, collection: Collection): boolean =>
  collection.indexes.some(
    (index) => index.method === 'btree' && index.predicate === null && index.fields[0] === field,
  );

/**
 * ` ORDER BY ...`, or nothing. Nulls stand where PostgreSQL puts them by itself (last, or first when descending), so
 * that an ordinary index gives the order in both directions.
 */
export function orderBy(keys: readonly SortKey[]): Sql {
  if (keys.length === 0) return rawSql('');
  const terms = keys.map((key) => (key.descending ? sql`${key.sql} DESC` : key.sql));
  return sql` ORDER BY ${joinSql(terms, ', ')}`;
}
