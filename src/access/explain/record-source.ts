import {
  compileExpression,
  identifier,
  joinSql,
  quoteIdentifier,
  rawSql,
  sql,
  type Sql,
} from '@plinth/expression';
import {
  AliasSource,
  createScope,
  inputParameter,
  keyPredicate,
  planPresets,
  type AccessView,
  type CollectionAccess,
  type RowScope,
} from '@plinth/query';
import type { Catalog, Collection, DataType, Field } from '@plinth/schema';
import type { Action } from '../policies/policy.entity.js';

/** What one explanation speaks of. */
export interface ExplanationSubject {
  readonly catalog: Catalog;
  readonly view: AccessView;
  readonly rules: CollectionAccess;
  readonly collection: Collection;
  readonly action: Action;
  /** Whether a stored record is meant; its key is bound as `key.0`, ... */
  readonly hasKey: boolean;
  /** The fields that are given, bound as JSON in `record`; null where none are. */
  readonly given: readonly Field[] | null;
}

/** The rows under `WITH` that conditions and checks are evaluated on. */
export interface RecordSource {
  readonly with: Sql;
  /** The record as it is; for a new one, as it is sent. */
  readonly before: RowScope;
  /** The record as it would be. */
  readonly after: RowScope;
}

const RECORD_INPUT = 'record';

/**
 * The record of an explanation as two rows, `before` and `after` the action. Nothing is written: a given record is read
 * out of its JSON, with the presets and defaults that the write itself would put in. Sequences are not asked, because
 * that would use their numbers up.
 */
export function compileRecordSource(subject: ExplanationSubject): RecordSource {
  const { catalog, view: access, collection } = subject;
  const aliases = new AliasSource();
  const scopeOf = (alias: string): RowScope =>
    createScope({ catalog, access, collection, alias, aliases, masked: true });
  const before = scopeOf('before');
  const after = scopeOf('after');
  const stored = scopeOf('stored');
  const beforeRows = subject.hasKey
    ? sql`SELECT ${columnsOf(collection, (field) => column('stored', field))} FROM ${stored.source()} WHERE ${keyPredicate(stored.raw)}`
    : sql`SELECT ${columnsOf(collection, (field) => sentValue(subject, field))} FROM ${sentRow(subject.given ?? [])}`;
  const afterRows = sql`SELECT ${columnsOf(collection, (field) => valueAfter(subject, field, before))} FROM ${
    subject.hasKey ? sql`${sentRow(subject.given ?? [])} CROSS JOIN before` : rawSql('before')
  }`;
  const joined = joinSql([afterRows, before.joins()], '');
  return {
    with: sql`WITH before AS (${beforeRows}), after AS (${joined})`,
    before: scopeOf('before'),
    after,
  };
}

const columnsOf = (collection: Collection, valueOf: (field: Field) => Sql): Sql =>
  joinSql(
    [...collection.fields.values()].map((field) => sql`${valueOf(field)} AS ${identifier(field.name)}`),
    ', ',
  );

const column = (alias: string, field: Field): Sql => rawSql(`${alias}.${quoteIdentifier(field.name)}`);

/** The given fields as one row. Values are not held to the checks of domains: the write itself will do that. */
function sentRow(given: readonly Field[]): Sql {
  if (given.length === 0) return rawSql('(SELECT) AS sent');
  const columns = given.map((field) => `${quoteIdentifier(field.name)} ${wireType(field.type)}`);
  return sql`json_to_record(${inputParameter(RECORD_INPUT, 'json')}) AS sent(${rawSql(columns.join(', '))})`;
}

const isBytea = (type: DataType): boolean => type.castSql === 'bytea';
const wireType = (type: DataType): string => (isBytea(type) ? 'text' : type.castSql);

function givenValue(field: Field): Sql {
  const value = column('sent', field);
  return isBytea(field.type) ? sql`decode(${value}, 'base64')` : value;
}

/** What a new record has in a field: what is sent, else the default. */
function sentValue({ given }: ExplanationSubject, field: Field): Sql {
  if (given?.includes(field)) return givenValue(field);
  const takesDefault = field.default !== null && !/\bnextval\b/.test(field.default);
  return rawSql(`CAST(${takesDefault ? `(${field.default})` : 'NULL'} AS ${field.type.castSql})`);
}

function valueAfter(subject: ExplanationSubject, field: Field, before: RowScope): Sql {
  const { action, rules, collection, given, hasKey } = subject;
  const unset = hasKey && given?.includes(field) ? givenValue(field) : column('before', field);
  if (action !== 'create' && action !== 'update') return unset;
  const plan = planPresets(rules[action], collection).find(({ field: name }) => name === field.name);
  if (!plan) return unset;
  const branches = plan.choices.map(({ rule, preset }) => {
    const applies = rule.condition ? compileExpression(rule.condition, before.raw) : rawSql('true');
    const value =
      'expression' in preset
        ? compileExpression(preset.expression, before.raw)
        : sql`(SELECT p.value FROM json_to_record(${{
            source: { kind: 'constant', value: JSON.stringify({ value: preset.value }) },
            castSql: 'json',
          }}) AS p(value ${rawSql(field.type.castSql)}))`;
    return sql`WHEN ${applies} THEN CAST(${value} AS ${rawSql(field.type.castSql)})`;
  });
  return sql`CASE ${joinSql(branches, ' ')} ELSE ${unset} END`;
}
