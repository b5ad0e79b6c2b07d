import { joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import { fieldVisibility } from '../../access.js';
import { hiddenOrder } from '../../compile/hidden-order.js';
import { compileSelection, recordJson, recordListJson } from '../../compile/selection.js';
import type { SelectionPlan } from '../../plan/selection-plan.js';
import type { RowScope } from '../../scope.js';
import type { AnswerPlan } from '../plan/write-plan.js';
import { outcomeAfter, raiseUnless } from './raise.js';
import { allOf, where, type RowSources, type WriteContext } from './row-source.js';

export interface AnswerSource {
  /** The name of the common table expression with the written rows. */
  readonly rows: Sql;
  /** Gives the list its order. */
  readonly ordinal: Sql;
  /** Whether that is the order of the key, which may be hidden, and not that of what was sent. */
  readonly hasKeyOrder?: boolean;
  readonly outcome: Sql;
  /** How many rows were created, where some may have been updated instead. */
  readonly created: Sql;
}

/**
 * The end of every write: one row of `outcome`, `written` and `created` (numbers), `key` (a JSON array of texts),
 * `version` and `data` (JSON). What is answered goes through the read policies like anything that is read: a record
 * that its writer cannot see has neither key nor version nor data.
 *
 * Embedded records are those that were there before the statement, as PostgreSQL shows them to it.
 */
export function compileAnswer(
  plan: AnswerPlan,
  source: AnswerSource,
  sources: RowSources,
  context: WriteContext,
): Sql {
  const { rows, outcome, created } = source;
  const head = sql`SELECT ${outcome} AS outcome, (SELECT count(*) FROM ${rows}) AS written, ${created} AS created`;
  if (plan.isList) {
    const data = plan.selection ? compileList(plan.selection, source, sources, context) : rawSql('NULL');
    return sql`${head}, NULL AS key, NULL AS version, ${data}::text AS data`;
  }
  const scope = sources.scope();
  const data = plan.selection ? compileRecord(plan.selection, scope) : rawSql('NULL');
  const version = sources.collection.hasRowVersion ? scope.version() : rawSql('NULL');
  const record = sql`SELECT ${compileKey(scope, context)} AS key, ${version} AS version, ${data}::text AS data`;
  const readable = where([scope.rowPredicate()]);
  const alias = sources.alias();
  return sql`${head}, ${alias}.key, ${alias}.version, ${alias}.data
FROM (VALUES (0)) always(present)
LEFT JOIN (${record} FROM ${rows} ${rawSql(scope.alias)}${scope.joins()}${readable} LIMIT 1) ${alias} ON true`;
}

/**
 * The same row as the `RETURNING` of a statement that writes one record itself, for a check of its own and without
 * further look at what was written; null where rules follow relations, which `RETURNING` cannot join.
 *
 * @param alias of the table in the statement
 * @param check what must hold for the record as it has become
 */
export function compileReturning(
  plan: AnswerPlan,
  alias: string,
  check: (written: RowScope) => readonly Sql[],
  isCreated: boolean,
  sources: RowSources,
  context: WriteContext,
): Sql | null {
  if (plan.isList) return null;
  const scope = sources.scope(alias);
  const checks = check(scope);
  const refusals = checks.length === 0 ? [] : [raiseUnless('check-failed', allOf(checks))];
  const data = plan.selection ? sql`${compileRecord(plan.selection, scope)}::text` : rawSql('NULL');
  const version = sources.collection.hasRowVersion ? scope.version() : rawSql('NULL');
  const readable = scope.rowPredicate();
  const shown = [compileKey(scope, context), version, data].map((value) =>
    readable === null ? value : sql`CASE WHEN ${readable} THEN ${value} END`,
  );
  if (scope.hasJoins) return null;
  const outcome = outcomeAfter(refusals, rawSql(`'done'`));
  return sql`RETURNING ${outcome}, 1, ${rawSql(isCreated ? '1' : '0')}, ${joinSql(shown, ', ')}`;
}

function compileRecord(selection: SelectionPlan, scope: RowScope): Sql {
  return recordJson(sql`SELECT ${compileSelection(selection, scope)}`);
}

function compileList(
  selection: SelectionPlan,
  source: AnswerSource,
  sources: RowSources,
  { access }: WriteContext,
): Sql {
  const scope = sources.scope();
  const columns = compileSelection(selection, scope);
  const readable = where([scope.rowPredicate()]);
  const near = rawSql(scope.alias);
  const rules = access.collection(scope.collection.name);
  const hidden = scope.collection.primaryKey.flatMap((name) => {
    const field = scope.collection.fields.get(name);
    return field && rules && fieldVisibility(rules, name) === 'always' ? [] : (field ?? []);
  });
  const order =
    source.hasKeyOrder && hidden.length > 0 ? hiddenOrder(hidden, scope) : sql`${near}.${source.ordinal}`;
  const records = sql`SELECT ${columns} FROM ${source.rows} ${near}${scope.joins()}${readable} ORDER BY ${order}`;
  return recordListJson(records);
}

/** The primary key as texts, as far as the caller may see all of it. */
function compileKey(scope: RowScope, { access }: WriteContext): Sql {
  const { collection } = scope;
  const rules = access.collection(collection.name);
  const isVisible = collection.primaryKey.every(
    (name) => rules && fieldVisibility(rules, name) !== undefined,
  );
  if (!isVisible || collection.primaryKey.length === 0) return rawSql('NULL');
  const fields = collection.primaryKey.map((name) => scope.field(name).sql);
  const texts = joinSql(
    fields.map((field) => sql`(${field})::text`),
    ', ',
  );
  const array = sql`array_to_json(ARRAY[${texts}])::text`;
  if (!collection.primaryKey.some((name) => scope.isMasked(name))) return array;
  const present = joinSql(
    fields.map((field) => sql`(${field}) IS NOT NULL`),
    ' AND ',
  );
  return sql`CASE WHEN ${present} THEN ${array} END`;
}
