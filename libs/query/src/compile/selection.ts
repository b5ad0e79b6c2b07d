import { compileExpression, joinSql, sql, type Parameter, type Sql } from '@plinth/expression';
import type { DataType } from '@plinth/schema';
import type { FilterPlan, SelectedRelation, SelectionPlan } from '../plan/selection-plan.js';
import type { RowScope, RowSubquery } from '../scope.js';
import { asLabel } from '../sql-text.js';
import { compileSortKeys, orderBy } from './order.js';

/**
 * The columns of the subselect that becomes the record's JSON, `t0.id, t0.title, (SELECT ...) AS author`, to stand as
 * `row_to_json(r)` over `(SELECT <columns> ...) r`. They may ask `scope` for joins.
 */
export function compileSelection(selection: SelectionPlan, scope: RowScope): Sql {
  const columns = selection.columns.map((column) => {
    if (column.kind === 'relation') return sql`${compileEmbed(column, scope)}${asLabel(column.name)}`;
    const { sql: value } = scope.field(column.name);
    return sql`${asJsonInput(value, column.field.type)}${asLabel(column.name)}`;
  });
  return joinSql(columns, ', ');
}

/** A request's filter as a predicate over the masked row. */
export const compileFilter = (filter: FilterPlan, scope: RowScope): Sql =>
  sql`(${compileExpression(filter.expression, scope, { literals: { slot: filter.slot } })})`;

/** The name under which the limit of an embedded list is bound. */
export const embedLimitInput = (path: string): string => `${path}.limit`;

export const limitParameter = (name: string): Parameter => ({
  source: { kind: 'input', name },
  castSql: 'int8',
});

/**
 * A correlated subquery and not a join: it runs only for the rows that are left after filter, sort and limit, each
 * time as one look into an index.
 */
function compileEmbed(embed: SelectedRelation, near: RowScope): Sql {
  const far: RowSubquery = near.many(embed.name);
  const columns = compileSelection(embed.selection, far.scope);
  const filter = embed.filter ? compileFilter(embed.filter, far.scope) : undefined;
  if (!embed.relation.isList) {
    return sql`(SELECT row_to_json(r) FROM (${far.select(columns, filter)}) r)`;
  }
  const order = orderBy(compileSortKeys(embed.sort, far.scope));
  const tail = sql`${order} LIMIT ${limitParameter(embedLimitInput(embed.path))}`;
  return sql`(SELECT coalesce(json_agg(row_to_json(r)), '[]') FROM (${far.select(columns, filter, tail)}) r)`;
}

/**
 * A value in the form that `to_json` gives the documented wire form for. Only bytea needs help: base64 in one line
 * instead of hex.
 */
export function asJsonInput(value: Sql, type: DataType): Sql {
  const base = type.kind === 'domain' ? type.base : type;
  if (base.kind === 'domain') return asJsonInput(value, base);
  if (isBytea(base)) return sql`translate(encode(${value}, 'base64'), E'\\n', '')`;
  if (base.kind === 'array' && isBytea(base.element)) {
    return sql`CASE WHEN ${value} IS NOT NULL THEN array(SELECT translate(encode(b, 'base64'), E'\\n', '') FROM unnest(${value}) b) END`;
  }
  return value;
}

function isBytea(type: DataType): boolean {
  if (type.kind === 'domain') return isBytea(type.base);
  return type.kind === 'scalar' && type.name === 'bytea';
}
