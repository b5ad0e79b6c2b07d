import { joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import type { Field } from '@plinth/schema';
import { keyInput } from '../../compile/key.js';
import { inputParameter } from '../../compile/input-parameter.js';
import { isExactKeyType } from '../../record-key.js';
import type { RowScope } from '../../scope.js';
import { quotedColumn } from '../../sql-text.js';
import { baseType } from '../../types.js';
import type { MergeGroup, MergePlan } from '../plan/write-plan.js';
import { compileAnswer } from './answer.js';
import { compileInsertValues, orderInput } from './create.js';
import { compileBefore, compileCreated, compileUpdateRefusal, UpdateChecks } from './permission.js';
import { compileUpdatePreset } from './preset.js';
import { outcomeAfter, raiseForAny, raiseWhen } from './raise.js';
import { allOf, RowSources, where, withClause, type WriteContext } from './row-source.js';
import { SentRows } from './sent-rows.js';
import { oldColumns, versionMatches, type OldColumns } from './target.js';

/**
 * Upsert and `PUT`. Rows that are there are locked and updated like any update, so that its rules can see them as they
 * were; the others are inserted like any create. What `ON CONFLICT DO UPDATE` would do in one step cannot see the old
 * row afterwards, and could not tell by whose rules a row was changed. A row that someone else creates meanwhile makes
 * the statement end with `retry`: the same statement again will find it.
 */
export const compileMerge = (plan: MergePlan, context: WriteContext): Sql =>
  new MergeCompiler(plan, context).compile();

/** The names and parts of one group's statements. */
interface GroupParts {
  readonly group: MergeGroup;
  readonly index: number;
  readonly checks: UpdateChecks;
  readonly sent: SentRows;
}

class MergeCompiler {
  private readonly sources: RowSources;
  private readonly columns: OldColumns;
  private readonly isReadable: Sql;
  private readonly wasCreated: Sql;
  private readonly parts: readonly GroupParts[];

  constructor(
    private readonly plan: MergePlan,
    private readonly context: WriteContext,
  ) {
    this.sources = new RowSources(context, plan.collection);
    this.columns = oldColumns(this.sources);
    this.isReadable = this.sources.freshName('is_readable');
    this.wasCreated = this.sources.freshName('was_created');
    this.parts = plan.groups.map((group, index) => ({
      group,
      index,
      checks: new UpdateChecks(group.update, this.sources),
      sent: new SentRows({ fields: group.fields, group: index, alias: rawSql('x') }),
    }));
  }

  /** A row that must be there already is never created. */
  private get creates(): boolean {
    const { canCreate, precondition } = this.plan;
    return canCreate && precondition !== 'match' && precondition !== 'exists';
  }

  compile(): Sql {
    const { plan, sources, columns } = this;
    const statements = [
      ...this.parts.map((part) => this.compileSent(part)),
      ...(plan.isKeyInPath ? [] : [this.compileKeys()]),
      this.compileLocked(),
      ...this.parts.flatMap((part) => [
        this.compileOld(part),
        this.compileUpdated(part),
        ...(this.creates ? [this.compileInserted(part)] : []),
      ]),
      this.compileWritten(),
    ];
    const source = {
      rows: rawSql('written'),
      ordinal: columns.ordinal,
      outcome: outcomeAfter(this.refusals(), rawSql(`'done'`)),
      created: sql`(SELECT count(*) FROM written WHERE ${this.wasCreated})`,
    };
    return sql`${withClause(statements)}${compileAnswer(plan.answer, source, sources, this.context)}`;
  }

  /** `sent_0`: the records with their place in the body, from 0. */
  private compileSent({ group, index, sent }: GroupParts): Sql {
    const number = this.sources.freshName('number');
    const place =
      this.plan.groups.length === 1
        ? sql`x.${number} - 1`
        : sql`(${inputParameter(orderInput(index), 'int4[]')})[x.${number}]`;
    const fields = group.fields.map((field) => sql`x.${rawSql(quotedColumn(field.name))}, `);
    return sql`sent_${rawSql(String(index))} AS MATERIALIZED (
SELECT ${joinSql(fields, '')}${place} AS ${this.columns.ordinal} FROM ${sent.numberedSource(number)}
)`;
  }

  /** `keys`: the keys of all records, with the place of each. */
  private compileKeys(): Sql {
    const rows = this.parts.map(({ index, sent }) => {
      const fields = this.plan.key.map(
        (field) => sql`${sent.value(field)} AS ${rawSql(quotedColumn(field.name))}, `,
      );
      return sql`SELECT ${joinSql(fields, '')}x.${this.columns.ordinal} FROM sent_${rawSql(String(index))} x`;
    });
    return sql`keys AS (\n${joinSql(rows, '\nUNION ALL ')}\n)`;
  }

  /** The rows that are there, whether the caller may see them or not. */
  private compileLocked(): Sql {
    const { plan, sources } = this;
    const alias = sources.alias();
    const isMeant = plan.isKeyInPath
      ? this.matchesPath(alias)
      : sql`EXISTS (SELECT FROM keys k WHERE ${this.matchesKey(alias, (field) => sources.column(rawSql('k'), field.name))})`;
    const order = plan.isKeyInPath
      ? rawSql('')
      : sql` ORDER BY ${joinSql(
          plan.key.map((field) => sources.column(alias, field.name)),
          ', ',
        )}`;
    return sql`locked AS MATERIALIZED (
SELECT ${sources.storedColumns(alias)} FROM ${sources.table} ${alias} WHERE ${isMeant}${order} FOR UPDATE OF ${alias}
)`;
  }

  private matchesPath(alias: Sql): Sql {
    const equalities = this.plan.key.map((field, index) => {
      const column = this.sources.column(alias, field.name);
      return isExactKeyType(field.type)
        ? sql`${column} = ${this.pathValue(field, index)}`
        : sql`${column}::text = ${this.pathValue(field, index)}`;
    });
    return joinSql(equalities, ' AND ');
  }

  private pathValue(field: Field, index: number): Sql {
    return inputParameter(
      keyInput(index),
      isExactKeyType(field.type) ? baseType(field.type).castSql : 'text',
    );
  }

  private matchesSent(alias: Sql, sent: SentRows): Sql {
    return this.matchesKey(alias, (field) => sent.value(field));
  }

  private matchesKey(alias: Sql, valueOf: (field: Field) => Sql): Sql {
    const operator = rawSql(this.plan.nullsNotDistinct ? 'IS NOT DISTINCT FROM' : '=');
    const equalities = this.plan.key.map(
      (field) => sql`${this.sources.column(alias, field.name)} ${operator} ${valueOf(field)}`,
    );
    return joinSql(equalities, ' AND ');
  }

  /** `old_0`: the rows that are there with what the rules say of them. */
  private compileOld({ group, index, checks, sent }: GroupParts): Sql {
    const { plan, sources, columns } = this;
    const scope = sources.scope();
    const old = rawSql(scope.alias);
    const flags = checks.flagColumns(scope);
    const before = compileBefore(group.update, scope);
    const isPermitted = before.length === 0 ? rawSql('true') : sql`(${allOf(before)}) IS TRUE`;
    const isReadable = scope.rowPredicate() ?? rawSql('true');
    const isCurrent = this.compileIsCurrent(scope);
    const match = plan.isKeyInPath ? rawSql('true') : this.matchesSent(old, sent);
    return sql`old_${rawSql(String(index))} AS MATERIALIZED (
SELECT ${old}.*, x.${columns.ordinal}, (${isReadable}) IS TRUE AS ${this.isReadable}, ${isPermitted} AS ${columns.isPermitted}, ${isCurrent} AS ${columns.isCurrent}${flags}
FROM locked ${old}${scope.joins()} JOIN sent_${rawSql(String(index))} x ON ${match}
)`;
  }

  /** The key that the rows were found by tells them apart, also where it may be null. */
  private isSameRow(old: Sql): Sql {
    const { sources } = this;
    if (sources.identity.length > 0) return sources.isSameRow(rawSql('t'), old);
    return this.matchesKey(rawSql('t'), (field) => sources.column(old, field.name));
  }

  private compileIsCurrent(scope: RowScope): Sql {
    const { precondition } = this.plan;
    if (precondition === 'match') return versionMatches(scope);
    return rawSql(precondition === 'none' ? 'false' : 'true');
  }

  private compileUpdated({ group, index, sent }: GroupParts): Sql {
    const { plan, sources, columns } = this;
    const scope = sources.scope();
    const old = rawSql(scope.alias);
    const suffix = rawSql(String(index));
    const isMeant = sql`${old}.${this.isReadable} AND ${old}.${columns.isPermitted} AND ${old}.${columns.isCurrent}`;
    const assignments = [
      ...group.updated.map((field) => sql`${rawSql(quotedColumn(field.name))} = ${sent.value(field)}`),
      ...group.reset.map((field) => sql`${rawSql(quotedColumn(field.name))} = DEFAULT`),
      ...plan.updatePresets.flatMap((preset) => {
        const field = plan.collection.fields.get(preset.field);
        if (!field) return [];
        return [sql`${rawSql(quotedColumn(field.name))} = ${compileUpdatePreset(preset, field, scope)}`];
      }),
    ];
    if (assignments.length === 0) {
      return sql`updated_${suffix} AS (
SELECT ${sources.storedColumns(old)}, ${old}.${columns.ordinal} FROM old_${suffix} ${old} WHERE ${isMeant}
)`;
    }
    return sql`updated_${suffix} AS (
UPDATE ${sources.table} AS t SET ${joinSql(assignments, ', ')}
FROM old_${suffix} ${old}${scope.joins()} JOIN sent_${suffix} x ON x.${columns.ordinal} = ${old}.${columns.ordinal}
WHERE ${this.isSameRow(old)} AND ${isMeant}
RETURNING ${sources.storedColumns(rawSql('t'))}, ${old}.${columns.ordinal}
)`;
  }

  private compileInserted({ group, index, sent }: GroupParts): Sql {
    const { plan, sources, columns } = this;
    const values = compileInsertValues(group, plan.createPresets, sources, sent);
    const keys = plan.isKeyInPath
      ? plan.key.map((field, place) => ({
          name: field.name,
          value: sql`CAST(${this.pathValue(field, place)} AS ${rawSql(field.type.castSql)})`,
        }))
      : [];
    const all = [...keys, ...values];
    const names = rawSql(all.map(({ name }) => quotedColumn(name)).join(', '));
    const expressions = joinSql(
      all.map(({ value }) => value),
      ', ',
    );
    const there = rawSql('locked_row');
    const isThere = plan.isKeyInPath ? rawSql('true') : this.matchesSent(there, sent);
    const isNew = sql`NOT EXISTS (SELECT FROM locked ${there} WHERE ${isThere})`;
    const target = rawSql(plan.key.map((field) => quotedColumn(field.name)).join(', '));
    return sql`inserted_${rawSql(String(index))} AS (
INSERT INTO ${sources.table} AS t (${names})
SELECT ${expressions} FROM sent_${rawSql(String(index))} x${where([isNew])} ORDER BY x.${columns.ordinal}
ON CONFLICT (${target}) DO NOTHING
RETURNING ${sources.storedColumns(rawSql('t'))}
)`;
  }

  /**
   * Updated rows with the place of their record. Inserted ones are numbered in the order in which they went in, over the
   * places that no row was found for.
   */
  private compileWritten(): Sql {
    const rows = this.parts.flatMap(({ index }) => {
      const suffix = rawSql(String(index));
      const updated = sql`SELECT *, false AS ${this.wasCreated} FROM updated_${suffix}`;
      if (!this.creates) return [updated];
      return [updated, sql`SELECT *, true FROM (${this.numberedInserts(index)}) numbered`];
    });
    return sql`written AS (\n${joinSql(rows, '\nUNION ALL ')}\n)`;
  }

  private numberedInserts(index: number): Sql {
    const suffix = rawSql(String(index));
    const { ordinal } = this.columns;
    const places = sql`ARRAY(SELECT x.${ordinal} FROM sent_${suffix} x WHERE NOT EXISTS (SELECT FROM old_${suffix} o WHERE o.${ordinal} = x.${ordinal}) ORDER BY x.${ordinal})`;
    return sql`SELECT *, (${places})[row_number() OVER ()] AS ${ordinal} FROM inserted_${suffix}`;
  }

  private refusals(): readonly Sql[] {
    const { plan, columns } = this;
    const refusals: Sql[] = [];
    if (!plan.isKeyInPath) refusals.push(this.refuseDuplicates());
    for (const { index } of this.parts) {
      const old = sql`FROM old_${rawSql(String(index))} o`;
      const refuse = (code: 'conflict' | 'forbidden' | 'precondition-failed', flag: Sql): Sql =>
        raiseForAny(code, sql`o.${columns.ordinal}`, sql`${old} WHERE NOT o.${flag}`);
      refusals.push(refuse('conflict', this.isReadable), refuse('forbidden', columns.isPermitted));
      if (plan.precondition !== null) refusals.push(refuse('precondition-failed', columns.isCurrent));
    }
    refusals.push(this.creates ? this.refuseRaces() : this.refuseMissing());
    return [...refusals, ...this.parts.flatMap((part) => this.refuseUnchecked(part))];
  }

  /** Two records for one row: which of them should stay is not for us to say. */
  private refuseDuplicates(): Sql {
    const { columns, plan } = this;
    const keys = plan.key.map((field) => rawSql(`k.${quotedColumn(field.name)}`));
    const isKey = plan.nullsNotDistinct
      ? rawSql('')
      : sql` WHERE ${joinSql(
          keys.map((key) => sql`${key} IS NOT NULL`),
          ' AND ',
        )}`;
    const repeated = sql`FROM (SELECT max(k.${columns.ordinal}) AS place FROM keys k${isKey} GROUP BY ${joinSql(keys, ', ')} HAVING count(*) > 1) repeated`;
    return raiseForAny('duplicate-key', rawSql('repeated.place'), repeated);
  }

  /** Records without a row, where none may be created. */
  private refuseMissing(): Sql {
    if (this.plan.isKeyInPath) {
      const code = this.plan.canCreate ? 'precondition-failed' : 'not-found';
      return raiseWhen(code, rawSql('NOT EXISTS (SELECT FROM locked)'));
    }
    const { ordinal } = this.columns;
    const missing = this.parts.map(({ index }) => {
      const suffix = rawSql(String(index));
      return sql`SELECT x.${ordinal} AS place FROM sent_${suffix} x WHERE NOT EXISTS (SELECT FROM old_${suffix} o WHERE o.${ordinal} = x.${ordinal})`;
    });
    return raiseForAny(
      'forbidden',
      rawSql('missing.place'),
      sql`FROM (${joinSql(missing, ' UNION ALL ')}) missing`,
    );
  }

  private refuseRaces(): Sql {
    const count = (name: string): Sql =>
      joinSql(
        this.parts.map(({ index }) => sql`(SELECT count(*) FROM ${rawSql(`${name}_${index}`)})`),
        ' + ',
      );
    return raiseWhen('retry', sql`${count('sent')} > ${count('old')} + ${count('inserted')}`);
  }

  private refuseUnchecked({ group, index, checks }: GroupParts): readonly Sql[] {
    const { sources, columns } = this;
    const suffix = rawSql(String(index));
    const updates = compileUpdateRefusal(
      checks,
      { written: sql`updated_${suffix}`, old: sql`old_${suffix}` },
      columns.ordinal,
      sources,
    );
    if (!this.creates || group.create.length === 0) return updates;
    const scope = sources.scope();
    const near = rawSql(scope.alias);
    const predicate = allOf(compileCreated(group.create, scope));
    const failing = sql`FROM (${this.numberedInserts(index)}) ${near}${scope.joins()} WHERE (${predicate}) IS NOT TRUE`;
    return [...updates, raiseForAny('check-failed', sql`${near}.${columns.ordinal}`, failing)];
  }
}
