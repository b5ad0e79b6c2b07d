import { rawSql, sql, type Sql } from '@plinth/expression';
import { keyPredicate } from '../../compile/key.js';
import { inputParameter } from '../../compile/input-parameter.js';
import { compileFilter } from '../../compile/selection.js';
import type { RowScope } from '../../scope.js';
import type { PermissionClause } from '../plan/write-permission.js';
import type { UpdatePlan, WriteTarget } from '../plan/write-plan.js';
import { compileBefore } from './permission.js';
import { allOf, where, type RowSources, type WriteContext } from './row-source.js';

/** Row versions that `If-Match` accepts, as an array's text: `{"123-(0,4)"}`. */
export const VERSIONS_INPUT = 'versions';
/** How many rows a statement may change. */
export const MAX_ROWS_INPUT = 'maxRows';

export interface TargetOptions {
  readonly target: WriteTarget;
  readonly permission: readonly PermissionClause[];
  /** Whether the key stays as it is, so that rows that refer to this one need not wait. */
  readonly keepsKey: boolean;
  /** `, <condition> AS <name>` over the row as it was. */
  readonly flagColumns: (old: RowScope) => Sql;
}

/** Names of the columns that `old` has beside the collection's. */
export interface OldColumns {
  readonly ordinal: Sql;
  readonly isPermitted: Sql;
  readonly isCurrent: Sql;
}

export const oldColumns = (sources: RowSources): OldColumns => ({
  ordinal: sources.freshName('ordinal'),
  isPermitted: sources.freshName('is_permitted'),
  isCurrent: sources.freshName('is_current'),
});

/**
 * `locked` and `old`: the rows that the caller means and may see, locked, as they are after whoever wrote them last has
 * committed.
 *
 * A lock may have waited, and then PostgreSQL gives the newest version of a row and asks the conditions beside it once
 * more; but far rows that were joined to it are still those of the older version. So where a condition follows
 * relations, the lock takes every row that matched in the statement's snapshot, and `old` asks again of what was locked.
 */
export function compileTarget(
  options: TargetOptions,
  columns: OldColumns,
  sources: RowSources,
  context: WriteContext,
): readonly Sql[] {
  const { target } = options;
  const isLocal = isOfOneRow(options, sources, context);
  const matching = sources.scope();
  const conditions = rowConditions(options, matching);
  const near = rawSql(matching.alias);
  const bound = target.kind === 'filter' && target.isBounded ? boundClause : rawSql('');
  const columnsOf = (alias: Sql): Sql => sources.storedColumns(alias);
  let locked: Sql;
  if (isLocal || sources.identity.length === 0) {
    locked = sql`SELECT ${columnsOf(near)} FROM ${matching.source()}${where(conditions)}${keyOrder(near, options, sources)}${bound}${lockClause(near, options.keepsKey, sources)}`;
  } else {
    const alias = sources.alias();
    const matched = sql`SELECT ${sources.keyColumns(near)} FROM ${matching.source()}${where(conditions)}`;
    locked = sql`SELECT ${columnsOf(alias)} FROM ${sources.table} ${alias} WHERE (${sources.keyColumns(alias)}) IN (${matched})${keyOrder(alias, options, sources)}${bound}${lockClause(alias, options.keepsKey, sources)}`;
  }
  const scope = sources.scope();
  const flags = options.flagColumns(scope);
  const old = rawSql(scope.alias);
  const before = compileBefore(options.permission, scope);
  const isPermitted = before.length === 0 ? rawSql('true') : sql`(${allOf(before)}) IS TRUE`;
  const again = isLocal ? [] : rowConditions(options, scope);
  const isCurrent = target.kind === 'key' && target.isConditional ? versionMatches(scope) : rawSql('true');
  const selected = sql`SELECT ${old}.*, row_number() OVER () - 1 AS ${columns.ordinal}, ${isPermitted} AS ${columns.isPermitted}, ${isCurrent} AS ${columns.isCurrent}${flags}`;
  return [
    sql`locked AS MATERIALIZED (\n${locked}\n)`,
    sql`old AS MATERIALIZED (\n${selected} FROM locked ${old}${scope.joins()}${where(again)}\n)`,
  ];
}

/** One more than allowed, so that too many can be told from just enough. */
const boundClause = sql` LIMIT ${inputParameter(MAX_ROWS_INPUT, 'int8')} + 1`;

/** Locks in the order of the key, so that two statements over the same rows wait for each other and do not deadlock. */
function keyOrder(alias: Sql, { target }: TargetOptions, sources: RowSources): Sql {
  if (target.kind === 'key' || sources.identity.length === 0) return rawSql('');
  return sql` ORDER BY ${sources.keyColumns(alias)}`;
}

/** PostgreSQL locks rows only for a role that may update them; and views and foreign tables have none to lock. */
export function lockClause(alias: Sql, keepsKey: boolean, { collection }: RowSources): Sql {
  const { kind, privileges } = collection;
  if ((kind !== 'table' && kind !== 'partitioned-table') || !privileges.update) return rawSql('');
  return keepsKey ? sql` FOR NO KEY UPDATE OF ${alias}` : sql` FOR UPDATE OF ${alias}`;
}

/** Where rows have no version, no version that a caller may name is the current one. */
export const versionMatches = (scope: RowScope): Sql =>
  scope.collection.hasRowVersion
    ? sql`(${scope.version()}) = ANY(${inputParameter(VERSIONS_INPUT, 'text[]')})`
    : rawSql('false');

/** Which rows are meant: readable ones, with the key; or those that the filter finds and the rules let be changed. */
function rowConditions({ target, permission }: TargetOptions, scope: RowScope): readonly Sql[] {
  const own =
    target.kind === 'key'
      ? [keyPredicate(scope)]
      : [compileFilter(target.filter, scope), ...compileBefore(permission, scope)];
  const readable = scope.rowPredicate();
  return readable ? [...own, readable] : own;
}

/** Whether no condition looks beyond the row itself. */
export function isOfOneRow(
  { target, permission }: Pick<TargetOptions, 'target' | 'permission'>,
  sources: RowSources,
  { access }: WriteContext,
): boolean {
  const rules = access.collection(sources.collection.name);
  const conditions = [
    ...(rules?.read ?? []).map((rule) => rule.condition),
    ...(target.kind === 'filter' ? [target.filter.expression] : []),
    ...(target.kind === 'filter' ? permission.flat().map((rule) => rule.condition) : []),
  ];
  return conditions.every((condition) => condition === null || condition.relations.size === 0);
}

/** Whether an update leaves every unique key as it is. */
export function keepsKey(plan: UpdatePlan): boolean {
  const keys = new Set(plan.collection.uniqueKeys.flatMap((key) => key.fields));
  const changed = [...plan.fields.map((field) => field.name), ...plan.presets.map((preset) => preset.field)];
  return !changed.some((name) => keys.has(name));
}
