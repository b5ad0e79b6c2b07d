import { readCatalog, readFingerprint, type Catalog, type CatalogClient } from '@plinth/schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../kit/database.js';

const TABLES = 1000;
const COLUMNS = 1600;

/** As long as a name may be: 63 bytes, in characters of three. */
const LONGEST = '列'.repeat(21);

const HOSTILE = [
  'with "quotes"',
  `it's`,
  'back\\slash',
  'semi;colon -- comment',
  '$1',
  '%s %I',
  'new\nline',
  'tab\t',
  ' space ',
  'a.b',
  '.',
  '"',
  'select',
  'user',
  'UPPER',
  '__proto__',
  'constructor',
  'toString',
  'ñandú',
  'e\u0301',
  '😀',
  '\u202Ereversed',
  LONGEST,
];

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

let database: TestDatabase;

const read = (...schemas: string[]): Promise<Catalog> => readCatalog(database.pool, { schemas });

/** A hundred at a time: all of them in one transaction would need more locks than some servers have. */
const createTables = (first: number, last: number): Promise<unknown> =>
  database.query(`
    DO $$
    BEGIN
      FOR i IN ${first}..${last} LOOP
        EXECUTE format(
          'CREATE TABLE t%s (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL DEFAULT '''',
            code varchar(20) UNIQUE, price numeric(10, 2) CHECK (price >= 0), data jsonb,
            at timestamptz DEFAULT now(), day date, flag boolean,
            parent_id bigint REFERENCES t%s, other_id bigint REFERENCES t1)', i, greatest(1, i - 1));
      END LOOP;
    END $$`);

beforeAll(async () => {
  database = await createTestDatabase({ sql: 'CREATE SCHEMA wide; CREATE SCHEMA hostile' });
  for (let first = 1; first <= TABLES; first += 100) await createTables(first, first + 99);
  const columns = Array.from({ length: COLUMNS }, (_, index) => `c${index + 1} int`);
  await database.query(`CREATE TABLE wide.columns (${columns.join(', ')})`);
  for (const name of HOSTILE) {
    await database.query(
      `CREATE TABLE hostile.${quote(name)} (${quote(name)} int PRIMARY KEY, other int REFERENCES hostile.${quote(name)})`,
    );
    await database.query(
      `CREATE TYPE hostile.${quote(`type ${name}`.slice(0, 20))} AS ENUM ('${name.replaceAll("'", "''")}')`,
    );
  }
});
afterAll(() => database.drop());

describe('a thousand tables', () => {
  it('are read in full', async () => {
    const { collections } = await read('public');
    expect(collections.size).toBe(TABLES);
    expect(collections.get('t1')?.relations.size).toBeGreaterThanOrEqual(TABLES);
    expect(collections.get('t500')?.relations.get('parent')).toMatchObject({ target: 't499' });
  });

  it.each([
    ['read', readCatalog],
    ['looked at for changes', readFingerprint],
  ])('are %s in one statement', async (_what, work) => {
    let statements = 0;
    const client: CatalogClient = {
      query(text, values) {
        statements += 1;
        return database.pool.query(text, values);
      },
    };
    await work(client, { schemas: ['public'] });
    expect(statements).toBe(1);
  });
});

describe('a table of 1,600 columns', () => {
  it('is read with all of them, in order', async () => {
    const { collections } = await read('wide');
    const names = Array.from({ length: COLUMNS }, (_, index) => `c${index + 1}`);
    expect([...(collections.get('columns')?.fields.keys() ?? [])]).toEqual(names);
  });
});

describe('hostile names', () => {
  it('are read as they are', async () => {
    const { collections } = await read('hostile');
    expect(new Set([...collections.values()].map(({ table }) => table))).toEqual(new Set(HOSTILE));
    for (const name of HOSTILE) {
      const collection = collections.get(name.includes('.') ? `hostile.${name}` : name);
      expect([...(collection?.fields.keys() ?? [])]).toEqual([name, 'other']);
      expect(collection?.primaryKey).toEqual([name]);
      expect(collection?.foreignKeys).toMatchObject([
        { fields: ['other'], targetTable: name, targetFields: [name] },
      ]);
      expect(collection?.relations.get('other')).toMatchObject({
        columns: [{ source: 'other', target: name }],
      });
    }
  });

  it('of schemas are read too, and keep their tables apart', async () => {
    const client = await database.pool.connect();
    try {
      await client.query('BEGIN');
      for (const name of HOSTILE)
        await client.query(`CREATE SCHEMA ${quote(name)} CREATE TABLE "a.b" (id int)`);
      const catalog = await readCatalog(client, { schemas: HOSTILE });
      expect(catalog.collections.size).toBe(HOSTILE.length);
      expect([...catalog.collections.values()].map(({ schema }) => schema).sort()).toEqual(
        HOSTILE.toSorted(),
      );
      await client.query(
        `CREATE TYPE hostile.everything AS (${HOSTILE.map((name) => `${quote(name)} int`).join(', ')})`,
      );
      await client.query('CREATE TABLE wide.one (everything hostile.everything)');
      const { collections } = await readCatalog(client, { schemas: ['wide'] });
      const type = collections.get('one')?.fields.get('everything')?.type;
      expect(type?.kind === 'composite' && type.fields.map(({ name }) => name)).toEqual(HOSTILE);
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  });
});
