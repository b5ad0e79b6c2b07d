import { joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import { inputParameter } from '../../compile/input-parameter.js';
import { quotedColumn } from '../../sql-text.js';
import type { CreatePlan, SentGroup } from '../plan/write-plan.js';
import type { PresetPlan } from '../plan/write-permission.js';
import type { RowScope } from '../../scope.js';
import { compileAnswer, compileReturning } from './answer.js';
import { compileCreated } from './permission.js';
import { compileCreatePreset, SentScope } from './preset.js';
import { outcomeAfter, raiseForAny } from './raise.js';
import { allOf, RowSources, withClause, type WriteContext } from './row-source.js';
import { compileSentRecord, compileSentRows, type SentFields } from './sent-values.js';

/** The name under which the places of the n-th group's records in the body are bound: `{0,4,5}`. */
export const orderInput = (group: number): string => `order.${group}`;

/** `INSERT` of one record or many. */
export function compileCreate(plan: CreatePlan, context: WriteContext): Sql {
  return compileAtOnce(plan, context) ?? compileInSteps(plan, context);
}

/** One record that the `INSERT` itself answers with; no row comes where a trigger kept it from being created. */
function compileAtOnce(plan: CreatePlan, context: WriteContext): Sql | null {
  const [group] = plan.groups;
  if (plan.answer.isList || group === undefined) return null;
  const sources = new RowSources(context, plan.collection);
  const insert = compileInsert(group, 0, plan, sources);
  const check = (written: RowScope): readonly Sql[] => compileCreated(group.create, written);
  const returning = compileReturning(plan.answer, 't', check, true, sources, context);
  return returning && sql`${insert}\n${returning}`;
}

function compileInSteps(plan: CreatePlan, context: WriteContext): Sql {
  const sources = new RowSources(context, plan.collection);
  const { statements, ordinal, refusals } = plan.answer.isList
    ? compileMany(plan, sources)
    : compileOne(plan, sources);
  const source = {
    rows: rawSql('written'),
    ordinal,
    outcome: outcomeAfter(refusals, rawSql(`'done'`)),
    created: rawSql('(SELECT count(*) FROM written)'),
  };
  return sql`${withClause(statements)}${compileAnswer(plan.answer, source, sources, context)}`;
}

/** The statements that end with `written`, the created rows. */
interface CreateParts {
  readonly statements: readonly Sql[];
  /** The place of a row in the body. */
  readonly ordinal: Sql;
  readonly refusals: readonly Sql[];
}

function compileOne(plan: CreatePlan, sources: RowSources): CreateParts {
  const ordinal = rawSql('0');
  const written = plan.groups.map(
    (group) => sql`written AS (\n${compileReturningInsert(group, 0, plan, sources)}\n)`,
  );
  const refusals = plan.groups.flatMap((group) =>
    compileRefusal(group, { rows: rawSql('written'), ordinal: () => ordinal }, sources),
  );
  return { statements: written, ordinal, refusals };
}

function compileMany(plan: CreatePlan, sources: RowSources): CreateParts {
  const ordinal = sources.freshName('ordinal');
  const groups = plan.groups.map((group, index) => ({ group, index, name: rawSql(`inserted_${index}`) }));
  const inserts = groups.map(
    ({ group, index, name }) => sql`${name} AS (\n${compileReturningInsert(group, index, plan, sources)}\n)`,
  );
  const place = (index: number): Sql =>
    groups.length === 1 ? rawSql('row_number() OVER () - 1') : placeInBody(index);
  const numbered = groups.map(({ index, name }) => sql`SELECT *, ${place(index)} AS ${ordinal} FROM ${name}`);
  const written = sql`written AS (\n${joinSql(numbered, '\nUNION ALL ')}\n)`;
  const refusals = groups.flatMap(({ group, index }) => {
    const rows = groups.length === 1 ? rawSql('written') : sql`(${numbered[index] ?? rawSql('')})`;
    return compileRefusal(group, { rows, ordinal: (near) => sql`${near}.${ordinal}` }, sources);
  });
  return { statements: [...inserts, written], ordinal, refusals };
}

/** Rows come out of `INSERT ... RETURNING` in the order in which they went in. */
const placeInBody = (group: number): Sql =>
  sql`(${inputParameter(orderInput(group), 'int4[]')})[row_number() OVER ()]`;

const compileReturningInsert = (
  group: SentGroup,
  index: number,
  plan: CreatePlan,
  sources: RowSources,
): Sql => sql`${compileInsert(group, index, plan, sources)}
RETURNING ${sources.storedColumns(rawSql('t'))}`;

function compileInsert(group: SentGroup, index: number, plan: CreatePlan, sources: RowSources): Sql {
  const rows = { fields: group.fields, group: index, alias: rawSql('x') };
  const sent = plan.answer.isList ? compileSentRows(rows) : compileSentRecord(rows);
  const values = compileInsertValues(group, plan.presets, sources, sent);
  const target = sql`INSERT INTO ${sources.table} AS t`;
  if (values.length > 0) {
    const names = rawSql(values.map(({ name }) => quotedColumn(name)).join(', '));
    const expressions = joinSql(
      values.map(({ value }) => value),
      ', ',
    );
    const source =
      sent.source === null ? sql`VALUES (${expressions})` : sql`SELECT ${expressions} FROM ${sent.source}`;
    return sql`${target} (${names})\n${source}`;
  }
  if (group.emptyRows === 1) return sql`${target} DEFAULT VALUES`;
  // Rows of nothing but defaults need a column to say so.
  const fields = [...plan.collection.fields.values()];
  const anyField = fields.find((field) => field.writable) ?? fields[0];
  const defaults = Array.from({ length: group.emptyRows }, () => '(DEFAULT)').join(', ');
  return sql`${target} (${rawSql(quotedColumn(anyField?.name ?? ''))}) VALUES ${rawSql(defaults)}`;
}

/** The columns of an insert with their values: what is sent, and the presets of what is not. */
export function compileInsertValues(
  group: SentGroup,
  presets: readonly PresetPlan[],
  sources: RowSources,
  sent: SentFields,
): readonly { readonly name: string; readonly value: Sql }[] {
  const scope = new SentScope(sources.collection, group.fields, sent);
  const sentValues = group.fields.map((field) => ({ name: field.name, value: sent.value(field) }));
  const presetValues = presets.flatMap((preset) => {
    const field = sources.collection.fields.get(preset.field);
    return field ? [{ name: field.name, value: compileCreatePreset(preset, field, scope) }] : [];
  });
  return [...sentValues, ...presetValues];
}

/** Ends the statement when a new row does not pass the checks of its group. */
function compileRefusal(
  group: SentGroup,
  source: { readonly rows: Sql; readonly ordinal: (near: Sql) => Sql },
  sources: RowSources,
): readonly Sql[] {
  if (group.create.length === 0) return [];
  const scope = sources.scope();
  const predicate = allOf(compileCreated(group.create, scope));
  const near = rawSql(scope.alias);
  const failing = sql`FROM ${source.rows} ${near}${scope.joins()} WHERE (${predicate}) IS NOT TRUE`;
  return [raiseForAny('check-failed', source.ordinal(near), failing)];
}
