import {
  compileExpression,
  joinSql,
  rawSql,
  sql,
  type Parameter,
  type Sql,
  type SqlField,
  type SqlScope,
} from '@plinth/expression';
import type { Collection, Field } from '@plinth/schema';
import type { Preset } from '../../access.js';
import type { RowScope } from '../../scope.js';
import type { PresetPlan } from '../plan/write-permission.js';
import type { SentFields } from './sent-values.js';

/** A preset of a new record. Its expression sees the record as far as it was sent. */
export function compileCreatePreset(plan: PresetPlan, field: Field, sent: SqlScope): Sql {
  const [first] = plan.choices;
  return first ? compilePreset(first.preset, field, sent) : rawSql('NULL');
}

/** A preset of an update: of the first rule that applies to the row as it was; the value stays where none does. */
export function compileUpdatePreset(plan: PresetPlan, field: Field, old: RowScope): Sql {
  const branches: Sql[] = [];
  for (const { rule, preset } of plan.choices) {
    const value = compilePreset(preset, field, old.raw);
    if (rule.condition === null) {
      return branches.length === 0 ? value : sql`CASE ${joinSql(branches, ' ')} ELSE ${value} END`;
    }
    branches.push(sql`WHEN ${compileExpression(rule.condition, old.raw)} THEN ${value}`);
  }
  return sql`CASE ${joinSql(branches, ' ')} ELSE ${old.raw.field(field.name).sql} END`;
}

function compilePreset(preset: Preset, field: Field, scope: SqlScope): Sql {
  if ('expression' in preset) {
    return sql`CAST(${compileExpression(preset.expression, scope)} AS ${rawSql(field.type.castSql)})`;
  }
  const json: Parameter = {
    source: { kind: 'constant', value: JSON.stringify({ value: preset.value }) },
    castSql: 'json',
  };
  // Read like a value of a body, so that arrays, objects and numbers mean the same in both places.
  return sql`(SELECT p.value FROM json_to_record(${json}) AS p(value ${rawSql(field.type.sql)}))`;
}

/** The record that is about to be created: what was sent, null for the rest. */
export class SentScope implements SqlScope {
  constructor(
    private readonly collection: Collection,
    private readonly fields: readonly Field[],
    private readonly sent: SentFields,
  ) {}

  field(name: string): SqlField {
    const field = this.collection.fields.get(name);
    if (!field) throw new Error(`no field ${name} in ${this.collection.name}`);
    const value = this.fields.includes(field)
      ? this.sent.value(field)
      : rawSql(`NULL::${field.type.castSql}`);
    return { sql: value, nullable: true, type: field.type };
  }

  one(relation: string): never {
    throw new Error(`a preset of a new record cannot follow the relation ${relation}`);
  }

  many(relation: string): never {
    throw new Error(`a preset of a new record cannot follow the relation ${relation}`);
  }
}
