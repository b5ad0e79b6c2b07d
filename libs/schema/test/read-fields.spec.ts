import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestDatabase } from '../../../test/kit/database.js';
import { readCatalog, type Catalog, type Collection, type Field } from '../src/index.js';
import { createFixtureDatabase, getCollection, getField } from './catalog-fixture.js';

let database: TestDatabase;
let catalog: Catalog;
let serverVersion: number;

const collection = (name: string, from = catalog): Collection => getCollection(from, name);
const field = (of: string, name: string): Field => getField(catalog, of, name);

beforeAll(async () => {
  database = await createFixtureDatabase();
  const [setting] = await database.query<{ server_version_num: string }>('SHOW server_version_num');
  serverVersion = Number(setting?.server_version_num);
  catalog = await readCatalog(database.pool, { schemas: ['public', 'billing'] });
});
afterAll(() => database.drop());

describe('fields', () => {
  it('have types as deep as they go', () => {
    const typeOf = (name: string): unknown => field('people', name).type;
    const varchar = { kind: 'scalar', name: 'varchar', castSql: 'character varying' };
    const mood = {
      kind: 'enum',
      sql: 'public.mood',
      castSql: 'public.mood',
      schema: 'public',
      name: 'mood',
      values: ['sad', 'ok', 'Very "happy"'],
    };
    const email = {
      kind: 'domain',
      sql: 'public.email',
      castSql: 'character varying',
      schema: 'public',
      name: 'email',
      notNull: false,
      base: { ...varchar, sql: 'character varying(200)', maxLength: 200 },
      checks: [expect.stringContaining('CHECK')],
    };
    expect(typeOf('id')).toEqual({ kind: 'scalar', name: 'int8', sql: 'bigint', castSql: 'bigint' });
    expect(typeOf('name')).toEqual({ ...varchar, sql: 'character varying(160)', maxLength: 160 });
    expect(typeOf('code')).toEqual({
      kind: 'scalar',
      name: 'bpchar',
      sql: 'character(3)',
      castSql: 'bpchar',
      maxLength: 3,
    });
    expect(typeOf('letter')).toMatchObject({ name: 'char', sql: '"char"', castSql: '"char"' });
    expect(typeOf('flags')).toMatchObject({ name: 'bit', sql: 'bit(5)', castSql: '"bit"', maxLength: 5 });
    expect(typeOf('more_flags')).toMatchObject({ name: 'varbit', sql: 'bit varying(9)', maxLength: 9 });
    expect(typeOf('price')).toMatchObject({
      sql: 'numeric(10,2)',
      castSql: 'numeric',
      precision: 10,
      scale: 2,
    });
    expect(typeOf('amount')).toEqual({ kind: 'scalar', name: 'numeric', sql: 'numeric', castSql: 'numeric' });
    expect(typeOf('seen_at')).toMatchObject({
      sql: 'timestamp(3) with time zone',
      castSql: 'timestamp with time zone',
    });
    expect(typeOf('mood')).toEqual(mood);
    expect(typeOf('moods')).toEqual({
      kind: 'array',
      sql: 'public.mood[]',
      castSql: 'public.mood[]',
      element: mood,
    });
    expect(typeOf('tags')).toEqual({
      kind: 'array',
      sql: 'character varying(20)[]',
      castSql: 'character varying[]',
      element: { ...varchar, sql: 'character varying(20)', maxLength: 20 },
    });
    expect(typeOf('grid')).toMatchObject({ sql: 'integer[]', element: { name: 'int4' } });
    expect(typeOf('email')).toEqual(email);
    expect(typeOf('work_email')).toEqual({
      kind: 'domain',
      sql: 'public.work_email',
      castSql: 'character varying',
      schema: 'public',
      name: 'work_email',
      notNull: true,
      base: email,
      checks: [expect.stringContaining('lower')],
    });
    expect(typeOf('emails')).toEqual({
      kind: 'array',
      sql: 'public.email[]',
      castSql: 'public.email[]',
      element: email,
    });
    expect(typeOf('home')).toMatchObject({
      kind: 'composite',
      sql: 'public.address',
      fields: [
        { name: 'street', type: { name: 'text' } },
        {
          name: 'places',
          type: {
            kind: 'array',
            sql: 'billing."Point"[]',
            element: {
              kind: 'composite',
              name: 'Point',
              fields: [{ name: 'x' }, { name: 'y' }, { name: 'label', type: { maxLength: 10 } }],
            },
          },
        },
        { name: 'mood', type: mood },
      ],
    });
    expect(typeOf('during')).toMatchObject({
      kind: 'range',
      sql: 'tstzrange',
      subtype: { name: 'timestamptz' },
    });
    expect(typeOf('spans')).toMatchObject({
      kind: 'multirange',
      sql: 'public.spans',
      subtype: { name: 'float8' },
    });
  });

  it('spell types alike whatever the search path is', async () => {
    const client = await database.pool.connect();
    try {
      await client.query('BEGIN; SET LOCAL search_path = billing');
      const other = await readCatalog(client, { schemas: ['public', 'billing'] });
      const types = (from: Catalog): unknown =>
        [...collection('people', from).fields.values()].map(({ type }) => type);
      expect(types(other)).toEqual(types(catalog));
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  });

  it('spell types that a statement can use', async () => {
    for (const { fields } of catalog.collections.values()) {
      for (const { type } of fields.values()) {
        const isNullable = type.kind !== 'domain' || !type.notNull;
        const rows = await database.query(
          `SELECT NULL::${type.castSql} AS cast_value, ${isNullable ? `NULL::${type.sql}` : 'NULL'} AS value`,
        );
        expect(rows).toEqual([{ cast_value: null, value: null }]);
      }
    }
  });

  it('know nullability, defaults, identity and generation', () => {
    expect(field('people', 'id')).toMatchObject({
      position: 1,
      nullable: false,
      default: null,
      identity: 'always',
      writable: false,
    });
    expect(field('people', 'serial_no')).toMatchObject({ identity: 'by-default', writable: true });
    expect(field('people', 'old_serial').default).toMatch(/^nextval\(/);
    expect(field('people', 'name')).toMatchObject({
      nullable: false,
      default: `'nobody'::character varying`,
      identity: null,
      generated: null,
      writable: true,
    });
    expect(field('people', 'doubled')).toMatchObject({ default: null, generated: 'stored', writable: false });
    expect(field('people', 'email')).toMatchObject({ nullable: true, default: null });
    expect(field('people', 'work_email')).toMatchObject({
      nullable: false,
      default: `'nobody@example.com'::character varying`,
    });
    expect(field('events', 'at').nullable).toBe(false);
    expect(field('remote', 'id')).toMatchObject({ nullable: false, writable: true });
  });

  it('of a view are writable where the view passes them on', () => {
    expect(field('names', 'name')).toMatchObject({ nullable: true, writable: true });
    expect(field('names', 'loud').writable).toBe(false);
    expect(field('totals', 'people').writable).toBe(false);
    expect(field('triggered', 'people').writable).toBe(true);
    expect(field('stats', 'id').writable).toBe(false);
  });

  it('keep their position where another column was dropped', () => {
    const { fields } = collection('people');
    expect(fields.has('dropped')).toBe(false);
    expect(fields.get('tenant_id')?.position).toBe(fields.size + 1);
  });
});

describe('what newer versions have', () => {
  const inTransaction = async (statements: string): Promise<Catalog> => {
    const client = await database.pool.connect();
    try {
      await client.query(`BEGIN; ${statements}`);
      return await readCatalog(client, { schemas: ['public'] });
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  };

  it('reads collations that take different texts for equal', async () => {
    const read = await inTransaction(`
      CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      CREATE TABLE collated (a text COLLATE loose, b text, c varchar(3)[] COLLATE loose)`);
    const typeOf = (name: string): unknown => collection('collated', read).fields.get(name)?.type;
    expect(typeOf('a')).toMatchObject({ name: 'text', isNondeterministic: true });
    expect(typeOf('b')).not.toHaveProperty('isNondeterministic');
    expect(typeOf('c')).toMatchObject({ element: { name: 'varchar', isNondeterministic: true } });
  });

  it('reads NULLS NOT DISTINCT and negative scales', async ({ skip }) => {
    if (serverVersion < 150_000) skip();
    const read = await inTransaction('CREATE TABLE v15 (a int UNIQUE NULLS NOT DISTINCT, b numeric(3, -2))');
    expect(collection('v15', read).uniqueKeys).toMatchObject([{ fields: ['a'], nullsNotDistinct: true }]);
    expect(collection('v15', read).fields.get('b')?.type).toMatchObject({ precision: 3, scale: -2 });
  });

  it('reads virtual columns, keys over time, and constraints that do not hold yet', async ({ skip }) => {
    if (serverVersion < 180_000) skip();
    const read = await inTransaction(`
      CREATE TABLE v18 (
        a int4range, b int4range, c int, d int GENERATED ALWAYS AS (c * 2) VIRTUAL,
        PRIMARY KEY (a, b WITHOUT OVERLAPS), UNIQUE (b, a WITHOUT OVERLAPS)
      );
      ALTER TABLE v18 ADD CONSTRAINT later NOT NULL c NOT VALID;
      CREATE TABLE v18_child (
        id int PRIMARY KEY, a int4range, b int4range, c int NOT NULL,
        FOREIGN KEY (a, PERIOD b) REFERENCES v18,
        FOREIGN KEY (c) REFERENCES v18_child NOT ENFORCED
      )`);
    const table = collection('v18', read);
    expect(table.fields.get('d')).toMatchObject({ generated: 'virtual', default: null, writable: false });
    expect(table.fields.get('c')?.nullable).toBe(true);
    expect(table.primaryKey).toEqual(['a', 'b']);
    expect(table.uniqueKeys).toHaveLength(1);
    expect(table.relations.size).toBe(0);
    expect(collection('v18_child', read).relations.get('c')).toMatchObject({ nullable: true });
  });
});
