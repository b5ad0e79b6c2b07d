import { joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import { inputParameter } from '../../compile/input-parameter.js';
import { quotedColumn } from '../../sql-text.js';
import type { DeletePlan, UpdatePlan, WriteTarget } from '../plan/write-plan.js';
import { compileAnswer } from './answer.js';
import { compileDirectDelete, compileDirectUpdate, isDirectDelete, isDirectUpdate } from './direct.js';
import { compileUpdateRefusal, UpdateChecks } from './permission.js';
import { compileUpdatePreset } from './preset.js';
import { outcomeAfter, raiseWhen } from './raise.js';
import { RowSources, withClause, type WriteContext } from './row-source.js';
import { SentRows } from './sent-rows.js';
import { compileTarget, keepsKey, MAX_ROWS_INPUT, oldColumns, type OldColumns } from './target.js';

/** `UPDATE` of one record by its key, or of those that a filter finds. */
export function compileUpdate(plan: UpdatePlan, context: WriteContext): Sql {
  const sources = new RowSources(context, plan.collection);
  const checks = new UpdateChecks(plan.permission, sources);
  if (isDirectUpdate(plan, checks, sources, context))
    return compileDirectUpdate(plan, checks, sources, context);
  const columns = oldColumns(sources);
  const target = compileTarget(
    {
      target: plan.target,
      permission: plan.permission,
      keepsKey: keepsKey(plan),
      flagColumns: (old) => checks.flagColumns(old),
    },
    columns,
    sources,
    context,
  );
  const written = sql`written AS (\n${compileWritten(plan, columns, sources)}\n)`;
  const refusals = [
    ...refuseRows(plan.target, sources, columns),
    ...compileUpdateRefusal(
      checks,
      { written: rawSql('written'), old: rawSql('old') },
      columns.ordinal,
      sources,
    ),
  ];
  const source = {
    rows: rawSql('written'),
    ordinal: columns.ordinal,
    hasKeyOrder: true,
    outcome: outcomeAfter(refusals, targetOutcome(plan.target, columns)),
    created: rawSql('0'),
  };
  return sql`${withClause([...target, written])}${compileAnswer(plan.answer, source, sources, context)}`;
}

/** `DELETE` of one record by its key, or of those that a filter finds. */
export function compileDelete(plan: DeletePlan, context: WriteContext): Sql {
  const sources = new RowSources(context, plan.collection);
  if (isDirectDelete(plan, sources, context)) return compileDirectDelete(plan, sources, context);
  const columns = oldColumns(sources);
  const { permission } = plan;
  const options = { target: plan.target, permission, keepsKey: false, flagColumns: () => rawSql('') };
  const target = compileTarget(options, columns, sources, context);
  const returning = sql`RETURNING ${sources.storedColumns(rawSql('t'))}, o.${columns.ordinal}`;
  const written = sql`written AS (
DELETE FROM ${sources.table} AS t USING old o
WHERE ${sources.isSameRow(rawSql('t'), rawSql('o'))} AND ${isWritable(columns)}
${returning}
)`;
  const source = {
    rows: rawSql('written'),
    ordinal: columns.ordinal,
    hasKeyOrder: true,
    outcome: outcomeAfter(refuseRows(plan.target, sources, columns), targetOutcome(plan.target, columns)),
    created: rawSql('0'),
  };
  return sql`${withClause([...target, written])}${compileAnswer(plan.answer, source, sources, context)}`;
}

const isWritable = (columns: OldColumns): Sql => sql`o.${columns.isPermitted} AND o.${columns.isCurrent}`;

function compileWritten(plan: UpdatePlan, columns: OldColumns, sources: RowSources): Sql {
  const old = sources.scope();
  const near = rawSql(old.alias);
  const sent = new SentRows({ fields: plan.fields, group: 0, alias: rawSql('x'), merged: plan.merged });
  const assignments = [
    ...plan.fields.map((field) => ({
      field,
      value: sent.value(field, sources.column(near, field.name)),
    })),
    ...plan.presets.flatMap((preset) => {
      const field = plan.collection.fields.get(preset.field);
      return field ? [{ field, value: compileUpdatePreset(preset, field, old) }] : [];
    }),
  ];
  const isMeant = sql`${near}.${columns.isPermitted} AND ${near}.${columns.isCurrent}`;
  if (assignments.length === 0) {
    return sql`SELECT ${sources.storedColumns(near)}, ${near}.${columns.ordinal} FROM old ${near} WHERE ${isMeant}`;
  }
  const set = joinSql(
    assignments.map(({ field, value }) => sql`${rawSql(quotedColumn(field.name))} = ${value}`),
    ', ',
  );
  const from = plan.fields.length === 0 ? rawSql('') : sql` CROSS JOIN ${sent.source()}`;
  return sql`UPDATE ${sources.table} AS t SET ${set}
FROM old ${near}${old.joins()}${from}
WHERE ${sources.isSameRow(rawSql('t'), near)} AND ${isMeant}
RETURNING ${sources.storedColumns(rawSql('t'))}, ${near}.${columns.ordinal}`;
}

function refuseRows(target: WriteTarget, sources: RowSources, columns: OldColumns): readonly Sql[] {
  if (target.kind === 'key') return [];
  const maximum = inputParameter(MAX_ROWS_INPUT, 'int8');
  return [
    ...(target.isBounded ? [raiseWhen('too-many-rows', sql`(SELECT count(*) FROM old) > ${maximum}`)] : []),
    // A row without an identity that was changed while we waited for it cannot be found again in this snapshot.
    ...(sources.identity.length === 0
      ? [
          raiseWhen(
            'retry',
            sql`(SELECT count(*) FROM old WHERE ${columns.isPermitted}) > (SELECT count(*) FROM written)`,
          ),
        ]
      : []),
  ];
}

/** By key: why nothing was written, in the order in which a caller may learn of it. */
function targetOutcome(target: WriteTarget, columns: OldColumns): Sql {
  if (target.kind === 'filter') return rawSql(`'done'`);
  return sql`coalesce((SELECT CASE WHEN NOT ${columns.isPermitted} THEN 'forbidden' WHEN NOT ${columns.isCurrent} THEN 'precondition-failed' ELSE 'done' END FROM old), 'not-found')`;
}
