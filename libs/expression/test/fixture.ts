import { parse } from 'lossless-json';
import type { Pool } from 'pg';
import type { DataType, EnumType } from '@plinth/schema';
import { identifier, rawSql, sql, type Sql } from '../src/sql.js';
import type {
  FieldSchema,
  RecordSchema,
  RelationSchema,
  SqlField,
  SqlScope,
  SqlSubquery,
} from '../src/index.js';

/** A collection as the tests know it: columns, and relations by pairs of columns. */
export interface TestCollection {
  readonly name: string;
  readonly fields: Readonly<Record<string, FieldSchema>>;
  readonly relations: Readonly<Record<string, TestRelation>>;
}

export interface TestRelation {
  readonly target: string;
  readonly isList: boolean;
  readonly near: string;
  readonly far: string;
}

const scalar = (
  name: string,
  extra: Partial<Extract<DataType, { kind: 'scalar' }>> = {},
  spelled = name,
): DataType => ({
  kind: 'scalar',
  name,
  sql: spelled,
  castSql: name,
  ...extra,
});

const arrayOf = (element: DataType): DataType => ({
  kind: 'array',
  element,
  sql: `${element.sql}[]`,
  castSql: `${element.castSql}[]`,
});

export const MOOD: EnumType = {
  kind: 'enum',
  schema: 'public',
  name: 'Mood',
  values: ['sad', 'ok', 'Happy days', "it's"],
  sql: 'public."Mood"',
  castSql: 'public."Mood"',
};

const ADDRESS: DataType = {
  kind: 'composite',
  schema: 'public',
  name: 'address',
  sql: 'public.address',
  castSql: 'public.address',
  fields: [
    { name: 'city', type: scalar('text') },
    { name: 'number', type: scalar('int4') },
    { name: 'mood', type: MOOD },
  ],
};

const RANGE: DataType = {
  kind: 'range',
  schema: 'pg_catalog',
  name: 'int4range',
  subtype: scalar('int4'),
  sql: 'int4range',
  castSql: 'int4range',
};

const LABEL: DataType = {
  kind: 'domain',
  schema: 'public',
  name: 'label',
  base: scalar('text'),
  notNull: false,
  checks: [],
  sql: 'public.label',
  castSql: 'public.label',
};

const nullable = (type: DataType): FieldSchema => ({ type, nullable: true });
const required = (type: DataType): FieldSchema => ({ type, nullable: false });

export const COLLECTIONS: Readonly<Record<string, TestCollection>> = {
  items: {
    name: 'items',
    fields: {
      id: required(scalar('int4')),
      flag: nullable(scalar('bool')),
      active: required(scalar('bool')),
      small: nullable(scalar('int2')),
      medium: nullable(scalar('int4')),
      big: nullable(scalar('int8')),
      views: required(scalar('int4')),
      ratio: nullable(scalar('float8')),
      approx: nullable(scalar('float4')),
      price: nullable(scalar('numeric', { precision: 10, scale: 2 }, 'numeric(10,2)')),
      amount: nullable(scalar('numeric')),
      title: required(scalar('text')),
      note: nullable(scalar('text')),
      code: nullable(scalar('varchar', { maxLength: 20 }, 'varchar(20)')),
      padded: nullable(scalar('bpchar', { maxLength: 6 }, 'char(6)')),
      handle: nullable(scalar('citext')),
      short: nullable(scalar('name')),
      label: nullable(LABEL),
      uid: nullable(scalar('uuid')),
      mood: nullable(MOOD),
      at: nullable(scalar('timestamptz')),
      local: nullable(scalar('timestamp')),
      day: nullable(scalar('date')),
      span: nullable(scalar('interval')),
      raw: nullable(scalar('bytea')),
      meta: nullable(scalar('jsonb')),
      doc: nullable(scalar('json')),
      tags: nullable(arrayOf(scalar('text'))),
      numbers: nullable(arrayOf(scalar('int4'))),
      moods: nullable(arrayOf(MOOD)),
      scores: nullable(arrayOf(scalar('float8'))),
      address: nullable(ADDRESS),
      addresses: nullable(arrayOf(ADDRESS)),
      period: nullable(RANGE),
      ip: nullable(scalar('inet')),
      clock: nullable(scalar('time')),
      parent_id: nullable(scalar('int4')),
      owner_id: nullable(scalar('int4')),
      'hostile "name"': nullable(scalar('text')),
    },
    relations: {
      parent: { target: 'items', isList: false, near: 'parent_id', far: 'id' },
      owner: { target: 'people', isList: false, near: 'owner_id', far: 'id' },
      items: { target: 'items', isList: true, near: 'id', far: 'parent_id' },
      comments: { target: 'comments', isList: true, near: 'id', far: 'item_id' },
    },
  },
  people: {
    name: 'people',
    fields: {
      id: required(scalar('int4')),
      name: required(scalar('text')),
      age: nullable(scalar('int4')),
      boss_id: nullable(scalar('int4')),
    },
    relations: {
      boss: { target: 'people', isList: false, near: 'boss_id', far: 'id' },
      comments: { target: 'comments', isList: true, near: 'id', far: 'author_id' },
    },
  },
  comments: {
    name: 'comments',
    fields: {
      id: required(scalar('int4')),
      item_id: required(scalar('int4')),
      author_id: nullable(scalar('int4')),
      body: nullable(scalar('text')),
      approved: nullable(scalar('bool')),
      score: nullable(scalar('int4')),
    },
    relations: {
      author: { target: 'people', isList: false, near: 'author_id', far: 'id' },
      item: { target: 'items', isList: false, near: 'item_id', far: 'id' },
    },
  },
};

function collection(name: string): TestCollection {
  const found = COLLECTIONS[name];
  if (found === undefined) throw new Error(`no collection ${name}`);
  return found;
}

/** What an expression may know of a collection. */
export class TestSchema implements RecordSchema {
  private readonly collection: TestCollection;

  constructor(readonly name: string) {
    this.collection = collection(name);
  }

  field(name: string): FieldSchema | undefined {
    return Object.hasOwn(this.collection.fields, name) ? this.collection.fields[name] : undefined;
  }

  relation(name: string): RelationSchema | undefined {
    const relation = Object.hasOwn(this.collection.relations, name)
      ? this.collection.relations[name]
      : undefined;
    return relation && { target: new TestSchema(relation.target), isList: relation.isList };
  }

  names(): Iterable<string> {
    return [...Object.keys(this.collection.fields), ...Object.keys(this.collection.relations)];
  }
}

/** A row in a statement: joins what is asked of it. */
export class TestScope implements SqlScope {
  private readonly joined = new Map<string, { scope: TestScope; relation: TestRelation }>();

  constructor(
    private readonly collection: TestCollection,
    private readonly alias: string,
    private readonly counter: { next: number } = { next: 1 },
    private readonly isFar = false,
  ) {}

  static of(name: string, alias = 't0'): TestScope {
    return new TestScope(collection(name), alias);
  }

  get presence(): Sql {
    return this.column('id');
  }

  field(name: string): SqlField {
    const field = this.collection.fields[name];
    if (field === undefined) throw new Error(`no field ${name}`);
    return { sql: this.column(name), nullable: field.nullable || this.isFar, type: field.type };
  }

  one(name: string): TestScope {
    const known = this.joined.get(name);
    if (known !== undefined) return known.scope;
    const relation = this.relation(name);
    const scope = new TestScope(collection(relation.target), this.freshAlias(), this.counter, true);
    this.joined.set(name, { scope, relation });
    return scope;
  }

  many(name: string): SqlSubquery {
    const relation = this.relation(name);
    const scope = new TestScope(collection(relation.target), this.freshAlias(), this.counter);
    const link = sql`${scope.column(relation.far)} = ${this.column(relation.near)}`;
    return {
      scope,
      select: (columns, predicate) => {
        const where = predicate === undefined ? link : sql`${link} AND ${predicate}`;
        return sql`SELECT ${columns} FROM ${scope.source()} WHERE ${where}`;
      },
    };
  }

  source(): Sql {
    return sql`${identifier(this.collection.name)} ${rawSql(this.alias)}${this.joins()}`;
  }

  /** The source as one operand of a join. */
  private group(): Sql {
    return this.joined.size === 0 ? this.source() : sql`(${this.source()})`;
  }

  private joins(): Sql {
    return [...this.joined.values()].reduce<Sql>(
      (joins, { scope, relation }) =>
        sql`${joins} LEFT JOIN ${scope.group()} ON ${scope.column(relation.far)} = ${this.column(relation.near)}`,
      rawSql(''),
    );
  }

  private freshAlias(): string {
    const number = this.counter.next;
    this.counter.next += 1;
    return `t${number}`;
  }

  private relation(name: string): TestRelation {
    const relation = this.collection.relations[name];
    if (relation === undefined) throw new Error(`no relation ${name}`);
    return relation;
  }

  private column(name: string): Sql {
    return sql`${rawSql(this.alias)}.${identifier(name)}`;
  }
}

/** `CREATE TYPE`, `CREATE TABLE`. */
export function schemaStatements(): string {
  const tables = Object.values(COLLECTIONS).map(({ name, fields }) => {
    const columns = Object.entries(fields).map(
      ([column, field]) =>
        `"${column.replaceAll('"', '""')}" ${field.type.sql}${field.nullable ? '' : ' NOT NULL'}`,
    );
    return `CREATE TABLE ${name} (${columns.join(', ')}, PRIMARY KEY (id));`;
  });
  const labels = MOOD.values.map((label) => `'${label.replaceAll("'", "''")}'`).join(', ');
  return [
    'CREATE EXTENSION IF NOT EXISTS citext;',
    `CREATE TYPE "Mood" AS ENUM (${labels});`,
    'CREATE TYPE address AS (city text, number int4, mood "Mood");',
    'CREATE DOMAIN label AS text;',
    ...tables,
  ].join('\n');
}

export const SESSION = "SET TimeZone = 'UTC'; SET IntervalStyle = 'iso_8601'; SET DateStyle = 'ISO'";

export type TestRow = Record<string, unknown>;

/** All rows of all collections as parsed JSON, with the far sides of their relations in them, round and round. */
export async function readRecords(pool: Pool): Promise<Record<string, readonly TestRow[]>> {
  const records: Record<string, TestRow[]> = {};
  for (const { name, fields } of Object.values(COLLECTIONS)) {
    const columns = Object.entries(fields).map(([column, field]) => {
      const quoted = `"${column.replaceAll('"', '""')}"`;
      const isBytes = field.type.kind === 'scalar' && field.type.name === 'bytea';
      return isBytes ? `translate(encode(${quoted}, 'base64'), E'\\n', '') AS ${quoted}` : quoted;
    });
    const { rows } = await pool.query<{ json: string }>(
      `SELECT row_to_json(r)::text AS json FROM (SELECT ${columns.join(', ')} FROM ${name} ORDER BY id) r`,
    );
    records[name] = rows.map(({ json }) => parse(json) as TestRow);
  }
  const key = (value: unknown): string => JSON.stringify(value);
  for (const { name, relations } of Object.values(COLLECTIONS)) {
    for (const row of records[name] ?? []) {
      for (const [relation, { target, isList, near, far }] of Object.entries(relations)) {
        const matches = (records[target] ?? []).filter(
          (other) => row[near] !== null && key(other[far]) === key(row[near]),
        );
        row[relation] = isList ? matches : (matches[0] ?? null);
      }
    }
  }
  return records;
}
