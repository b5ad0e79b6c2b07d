import { joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import { fieldVisibility } from '../../access.js';
import { compileSelection, recordJson, recordListJson } from '../../compile/selection.js';
import type { SelectionPlan } from '../../plan/selection-plan.js';
import type { RowScope } from '../../scope.js';
import type { AnswerPlan } from '../plan/write-plan.js';
import { where, type RowSources, type WriteContext } from './row-source.js';

export interface AnswerSource {
  /** The name of the common table expression with the written rows. */
  readonly rows: Sql;
  /** Gives the list its order. */
  readonly ordinal: Sql;
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
    const data = plan.selection ? compileList(plan.selection, source, sources) : rawSql('NULL');
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

function compileRecord(selection: SelectionPlan, scope: RowScope): Sql {
  return recordJson(sql`SELECT ${compileSelection(selection, scope)}`);
}

function compileList(selection: SelectionPlan, source: AnswerSource, sources: RowSources): Sql {
  const scope = sources.scope();
  const columns = compileSelection(selection, scope);
  const readable = where([scope.rowPredicate()]);
  const near = rawSql(scope.alias);
  const records = sql`SELECT ${columns} FROM ${source.rows} ${near}${scope.joins()}${readable} ORDER BY ${near}.${source.ordinal}`;
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
