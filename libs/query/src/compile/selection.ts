import { compileExpression, joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import type { DataType } from '@plinth/schema';
import type { FilterPlan, LimitPlan, SelectedRelation, SelectionPlan } from '../plan/selection-plan.js';
import type { RowScope, RowSubquery } from '../scope.js';
import { asLabel } from '../sql-text.js';
import { baseType } from '../types.js';
import { inputParameter } from './input-parameter.js';
import { compileSortKeys, orderBy } from './order.js';

/**
 * The columns of the subselect that becomes the record's JSON, `t0.id, t0.title, (SELECT ...) AS author`, to stand
 * in `recordJson` or `recordListJson`. They may ask `scope` for joins.
 */
export function compileSelection(selection: SelectionPlan, scope: RowScope): Sql {
  const columns = selection.columns.map((column) => {
    if (column.kind === 'relation') return sql`${compileEmbed(column, scope)}${asLabel(column.name)}`;
    const { sql: value } = scope.field(column.name);
    const input = asJsonInput(value, column.field.type);
    return input === value && !scope.isMasked(column.name) ? value : sql`${input}${asLabel(column.name)}`;
  });
  return joinSql(columns, ', ');
}

/**
 * The one row of a select as a JSON object, null for no row. With the star, because a plain `r` would be a column of
 * that name where there is one, in this statement or in any around it.
 */
export const recordJson = (rows: Sql): Sql => sql`(SELECT row_to_json(r.*) FROM (${rows}) r)`;

/** The rows of a select as a JSON array, in their order and in one line. */
export const recordListJson = (rows: Sql): Sql =>
  sql`(SELECT coalesce(array_to_json(array_agg(r.*)), '[]') FROM (${rows}) r)`;

/** A request's filter as a predicate over the masked row. */
export const compileFilter = (filter: FilterPlan, scope: RowScope): Sql =>
  compileExpression(filter.expression, scope, { literals: { slot: filter.slot } });

/** A number of rows, as an `int8` expression. */
export const compileLimit = (limit: LimitPlan): Sql =>
  limit.kind === 'inline' ? rawSql(String(limit.rows)) : inputParameter(limit.input, 'int8');

/**
 * A correlated subquery and not a join: it runs only for the rows that are left after filter, sort and limit, each
 * time as one look into an index.
 */
function compileEmbed(embed: SelectedRelation, near: RowScope): Sql {
  const far: RowSubquery = near.many(embed.name);
  const columns = compileSelection(embed.selection, far.scope);
  const filter = embed.filter ? compileFilter(embed.filter, far.scope) : undefined;
  if (!embed.list) return recordJson(far.select(columns, filter));
  const order = orderBy(compileSortKeys(embed.list.sort, far.scope));
  const tail = sql`${order} LIMIT ${compileLimit(embed.list.limit)}`;
  const rows = far.select(columns, filter, tail);
  return recordListJson(rows);
}

/**
 * A value in the form that `to_json` gives the documented wire form for. Only bytea needs help: base64 in one line
 * instead of hex.
 */
export function asJsonInput(value: Sql, type: DataType): Sql {
  const base = baseType(type);
  if (isBytea(base)) return toBase64(value);
  if (base.kind === 'array' && isBytea(base.element)) {
    return sql`CASE WHEN ${value} IS NOT NULL THEN ARRAY(SELECT ${toBase64(rawSql('b'))} FROM unnest(${value}) b) END`;
  }
  return value;
}

const toBase64 = (value: Sql): Sql => sql`translate(encode(${value}, 'base64'), E'\\n', '')`;

function isBytea(type: DataType): boolean {
  const base = baseType(type);
  return base.kind === 'scalar' && base.name === 'bytea';
}
