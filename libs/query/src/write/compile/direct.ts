import { joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import { keyPredicate } from '../../compile/key.js';
import { quotedColumn } from '../../sql-text.js';
import type { RowScope } from '../../scope.js';
import type { DeletePlan, UpdatePlan } from '../plan/write-plan.js';
import { compileAnswer, compileReturning } from './answer.js';
import { compileBefore, UpdateChecks } from './permission.js';
import { compileUpdatePreset } from './preset.js';
import { outcomeAfter, raiseForAny } from './raise.js';
import { allOf, RowSources, where, type WriteContext } from './row-source.js';
import { compileSentRecord } from './sent-values.js';
import { isOfOneRow, keepsKey, lockClause, versionMatches } from './target.js';

/**
 * The ordinary write of one record, in one go: no condition looks beyond the row, so PostgreSQL itself asks them again
 * when it had to wait for another transaction. Only when nothing was written is the row looked at, to tell why.
 */
export const isDirectDelete = (plan: DeletePlan, sources: RowSources, context: WriteContext): boolean =>
  plan.target.kind === 'key' &&
  plan.collection.hasRowVersion &&
  isOfOneRow(plan, sources, context) &&
  isLocalPermission(plan);

const isLocalPermission = ({ permission }: UpdatePlan | DeletePlan): boolean =>
  permission.flat().every((rule) => (rule.condition?.relations.size ?? 0) === 0);

export function isDirectUpdate(
  plan: UpdatePlan,
  checks: UpdateChecks,
  sources: RowSources,
  context: WriteContext,
): boolean {
  const choices = plan.presets.flatMap((preset) => preset.choices);
  const isLocal = choices.every(
    ({ rule, preset }) =>
      (rule.condition?.relations.size ?? 0) === 0 &&
      (!('expression' in preset) || preset.expression.relations.size === 0),
  );
  return (
    plan.target.kind === 'key' &&
    plan.collection.hasRowVersion &&
    isLocal &&
    !checks.needOldRow &&
    plan.fields.length + plan.presets.length > 0 &&
    isOfOneRow(plan, sources, context) &&
    isLocalPermission(plan)
  );
}

export function compileDirectUpdate(
  plan: UpdatePlan,
  checks: UpdateChecks,
  sources: RowSources,
  context: WriteContext,
): Sql {
  const scope = sources.scope();
  const row = rawSql(scope.alias);
  const written = sql`${compileChange(plan, scope, sources)}
RETURNING ${sources.storedColumns(row)}`;
  const refusals: Sql[] = [];
  if (!checks.isEmpty) {
    const updated = sources.scope();
    const predicate = allOf(checks.compile(updated, null));
    const failing = sql`FROM written ${rawSql(updated.alias)}${updated.joins()} WHERE (${predicate}) IS NOT TRUE`;
    refusals.push(raiseForAny('check-failed', rawSql('0'), failing));
  }
  return compileDirect(plan, { written, refusals, keepsKey: keepsKey(plan) }, sources, context);
}

/**
 * The same as a plain `UPDATE` that gives the answer itself, or no row where nothing was written: then the whole
 * statement has to be run, to write after all or to tell why not. Null where it cannot be had so simply, or where the
 * database might do something twice.
 */
export function compileUpdateAttempt(plan: UpdatePlan, context: WriteContext): Sql | null {
  const sources = new RowSources(context, plan.collection);
  const checks = new UpdateChecks(plan.permission, sources);
  if (plan.collection.divertsWrites || !isDirectUpdate(plan, checks, sources, context)) return null;
  const scope = sources.scope();
  const change = compileChange(plan, scope, sources);
  const check = (written: RowScope): readonly Sql[] => checks.compile(written, null);
  const returning = compileReturning(plan.answer, scope.alias, check, false, sources, context);
  return returning && sql`${change}\n${returning}`;
}

/** The same for a `DELETE`. */
export function compileDeleteAttempt(plan: DeletePlan, context: WriteContext): Sql | null {
  const sources = new RowSources(context, plan.collection);
  if (plan.collection.divertsWrites || !isDirectDelete(plan, sources, context)) return null;
  const scope = sources.scope();
  const removal = sql`DELETE FROM ${sources.table} AS ${rawSql(scope.alias)}${where(conditions(plan, scope))}`;
  const returning = compileReturning(plan.answer, scope.alias, () => [], false, sources, context);
  return returning && sql`${removal}\n${returning}`;
}

function compileChange(plan: UpdatePlan, scope: RowScope, sources: RowSources): Sql {
  const row = rawSql(scope.alias);
  const { fields, merged } = plan;
  const sent = compileSentRecord({ fields, group: 0, alias: rawSql('x'), merged });
  const assignments = [
    ...plan.fields.map((field) => ({ field, value: sent.value(field, sources.column(row, field.name)) })),
    ...plan.presets.flatMap((preset) => {
      const field = plan.collection.fields.get(preset.field);
      return field ? [{ field, value: compileUpdatePreset(preset, field, scope) }] : [];
    }),
  ];
  const set = joinSql(
    assignments.map(({ field, value }) => sql`${rawSql(quotedColumn(field.name))} = ${value}`),
    ', ',
  );
  const from = sent.source === null ? rawSql('') : sql`\nFROM ${sent.source}`;
  return sql`UPDATE ${sources.table} AS ${row} SET ${set}${from}${where(conditions(plan, scope))}`;
}

export function compileDirectDelete(plan: DeletePlan, sources: RowSources, context: WriteContext): Sql {
  const scope = sources.scope();
  const row = rawSql(scope.alias);
  const written = sql`DELETE FROM ${sources.table} AS ${row}${where(conditions(plan, scope))}
RETURNING ${sources.storedColumns(row)}`;
  return compileDirect(plan, { written, refusals: [], keepsKey: false }, sources, context);
}

const conditions = (plan: UpdatePlan | DeletePlan, scope: RowScope): readonly (Sql | null)[] => [
  keyPredicate(scope),
  scope.rowPredicate(),
  ...compileBefore(plan.permission, scope),
  isConditional(plan) ? versionMatches(scope) : null,
];

const isConditional = ({ target }: UpdatePlan | DeletePlan): boolean =>
  target.kind === 'key' && target.isConditional;

function compileDirect(
  plan: UpdatePlan | DeletePlan,
  parts: { readonly written: Sql; readonly refusals: readonly Sql[]; readonly keepsKey: boolean },
  sources: RowSources,
  context: WriteContext,
): Sql {
  const missed = compileMissed(plan, parts.keepsKey, sources);
  const outcome = outcomeAfter(
    parts.refusals,
    sql`CASE WHEN EXISTS (SELECT FROM written) THEN 'done' ELSE coalesce((${missed.reason}), (${missed.suppressed}), 'not-found') END`,
  );
  const source = { rows: rawSql('written'), ordinal: rawSql('ctid'), outcome, created: rawSql('0') };
  return sql`WITH written AS (
${parts.written}
),
missed AS MATERIALIZED (
${missed.row}
)
${compileAnswer(plan.answer, source, sources, context)}`;
}

/**
 * The row that was not written, as it is now, and why. Where nothing is wrong with it, either a trigger kept the write
 * from happening, which is the database's own way of doing it, or the row changed between the write and this look: then
 * it is not the one that the statement's snapshot shows, and the statement must be run again. A trigger that did
 * something else to the row instead leaves a version that cannot be locked, with this transaction's mark on it.
 */
function compileMissed(
  plan: UpdatePlan | DeletePlan,
  isKeyKept: boolean,
  sources: RowSources,
): { readonly row: Sql; readonly reason: Sql; readonly suppressed: Sql } {
  const now = sources.scope();
  const row = rawSql(now.alias);
  const before = compileBefore(plan.permission, now);
  const isPermitted = before.length === 0 ? rawSql('true') : sql`(${allOf(before)}) IS TRUE`;
  const isCurrent = isConditional(plan) ? versionMatches(now) : rawSql('true');
  const found = where([keyPredicate(now), now.rowPredicate(), rawSql('NOT EXISTS (SELECT FROM written)')]);
  const snapshot = sources.scope();
  const earlier = rawSql(snapshot.alias);
  const place = sql`SELECT ${earlier}.ctid FROM ${snapshot.source()}${where([keyPredicate(snapshot.raw)])}`;
  const touched = where([...conditions(plan, snapshot), sql`${earlier}.xmax = pg_current_xact_id()::xid`]);
  return {
    row: sql`SELECT ${row}.ctid, ${isPermitted} AS is_permitted, ${isCurrent} AS is_current FROM ${now.source()}${found}${lockClause(row, isKeyKept, sources)}`,
    reason: sql`SELECT CASE WHEN NOT is_permitted THEN 'forbidden' WHEN NOT is_current THEN 'precondition-failed' WHEN ctid IS DISTINCT FROM (${place}) THEN plinth.raise('retry')::text ELSE 'done' END FROM missed`,
    suppressed: sql`SELECT 'done' FROM ${snapshot.source()}${touched}`,
  };
}
