import { joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import type { Field } from '@plinth/schema';
import type { FilterPlan } from '../plan/selection-plan.js';
import type { RowScope } from '../scope.js';
import { compileSearch } from './search.js';
import { compileFilter } from './selection.js';

/** What restricts the rows of a request, beside policies. */
export interface RowRestriction {
  readonly filter: FilterPlan | null;
  readonly search: readonly Field[] | null;
}

/** Every condition on the rows of a request: policies, filter, search. */
export function compileWhere(plan: RowRestriction, scope: RowScope): readonly Sql[] {
  const conditions = [
    scope.rowPredicate(),
    plan.filter ? compileFilter(plan.filter, scope) : null,
    plan.search ? compileSearch(plan.search, scope) : null,
  ];
  return conditions.filter((condition) => condition !== null);
}

export const whereClause = (conditions: readonly Sql[]): Sql =>
  conditions.length === 0 ? rawSql('') : sql` WHERE ${joinSql(conditions, ' AND ')}`;
