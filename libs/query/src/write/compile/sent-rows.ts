import { joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import type { DataType, Field } from '@plinth/schema';
import { inputParameter } from '../../compile/input-parameter.js';
import { quotedColumn } from '../../sql-text.js';
import { baseType } from '../../types.js';

/** The name under which the JSON text of the n-th group's records is bound: an array of objects. */
export const bodyInput = (group: number): string => `body.${group}`;

export interface SentRowsOptions {
  readonly fields: readonly Field[];
  readonly group: number;
  readonly alias: Sql;
  /** Fields that are merged into what is there instead of replacing it. */
  readonly merged?: ReadonlySet<string>;
}

/** The records of a body as rows: the whole JSON text is one parameter, and PostgreSQL takes it apart. */
export class SentRows {
  constructor(private readonly options: SentRowsOptions) {}

  get alias(): Sql {
    return this.options.alias;
  }

  /** What belongs into `FROM`: a row for each record, in order. */
  source(): Sql {
    const { alias, fields, group } = this.options;
    const body = inputParameter(bodyInput(group), 'json');
    if (fields.length === 0) return sql`json_array_elements(${body}) AS ${alias}`;
    return sql`json_to_recordset(${body}) AS ${alias}(${this.columnDefinitions()})`;
  }

  /** The same with the record's place in the group, from 1, as a last column. */
  numberedSource(ordinal: Sql): Sql {
    const { alias, fields, group } = this.options;
    const body = inputParameter(bodyInput(group), 'json');
    const names = fields.map((field) => rawSql(`${quotedColumn(field.name)}, `));
    const rows =
      fields.length === 0
        ? sql`json_array_elements(${body}) WITH ORDINALITY AS ${alias}(element, `
        : sql`ROWS FROM (json_to_recordset(${body}) AS (${this.columnDefinitions()})) WITH ORDINALITY AS ${alias}(`;
    return sql`${rows}${joinSql(names, '')}${ordinal})`;
  }

  /** A sent value as the column takes it; merged with the current one where that is asked for. */
  value(field: Field, current?: Sql): Sql {
    const column = sql`${this.alias}.${rawSql(quotedColumn(field.name))}`;
    if (current && this.isMerged(field)) return mergeValue(field.type, current, column);
    return decodeValue(field.type, column);
  }

  private columnDefinitions(): Sql {
    const definitions = this.options.fields.map((field) =>
      rawSql(`${quotedColumn(field.name)} ${this.sentType(field)}`),
    );
    return joinSql(definitions, ', ');
  }

  /** The type that JSON is read as: the column's own, but for base64 and for what is merged first. */
  private sentType(field: Field): string {
    const base = baseType(field.type);
    if (this.isMerged(field)) return base.kind === 'composite' ? 'json' : 'jsonb';
    if (isBytea(base)) return 'text';
    if (base.kind === 'array' && isBytea(baseType(base.element))) return 'text[]';
    return field.type.sql;
  }

  private isMerged(field: Field): boolean {
    return this.options.merged?.has(field.name) ?? false;
  }
}

/** Whether an object that is sent for a value of the type is merged into the value that is there. */
export function isMergeable(type: DataType): boolean {
  const base = baseType(type);
  return (
    base.kind === 'composite' || (base.kind === 'scalar' && (base.name === 'json' || base.name === 'jsonb'))
  );
}

export function mergeValue(type: DataType, current: Sql, patch: Sql): Sql {
  const base = baseType(type);
  // PostgreSQL's own function keeps the members that the JSON does not name, and does so inside of members as well.
  if (base.kind === 'composite') return sql`json_populate_record(${current}, ${patch})`;
  return base.kind === 'scalar' && base.name === 'json'
    ? sql`plinth.merge_patch(${current}::jsonb, ${patch})::json`
    : sql`plinth.merge_patch(${current}, ${patch})`;
}

export function decodeValue(type: DataType, value: Sql): Sql {
  const base = baseType(type);
  if (isBytea(base)) return sql`decode(${value}, 'base64')`;
  if (base.kind === 'array' && isBytea(baseType(base.element))) {
    return sql`CASE WHEN ${value} IS NOT NULL THEN ARRAY(SELECT decode(u.e, 'base64') FROM unnest(${value}) WITH ORDINALITY AS u(e, i) ORDER BY u.i) END`;
  }
  return value;
}

const isBytea = (type: DataType): boolean => type.kind === 'scalar' && type.name === 'bytea';
