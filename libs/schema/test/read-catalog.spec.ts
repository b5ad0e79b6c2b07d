import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestDatabase } from '../../../test/kit/database.js';
import { newRoleName } from '../../../test/kit/role-name.js';
import { readCatalog, type Catalog, type Collection, type Field } from '../src/index.js';
import { createFixtureDatabase, getCollection, getField } from './catalog-fixture.js';

let database: TestDatabase;
let catalog: Catalog;

const collection = (name: string, from = catalog): Collection => getCollection(from, name);
const field = (of: string, name: string): Field => getField(catalog, of, name);
const read = (...schemas: string[]): Promise<Catalog> => readCatalog(database.pool, { schemas });

beforeAll(async () => {
  database = await createFixtureDatabase();
  catalog = await read('public', 'billing');
});
afterAll(() => database.drop());

describe('collections', () => {
  it('are the tables, views and foreign tables of the exposed schemas', () => {
    expect([...catalog.collections].map(([name, { kind }]) => `${name}: ${kind}`).sort()).toEqual([
      'billing.invoices: table',
      'billing.lines: table',
      'events: partitioned-table',
      'names: view',
      'no_columns: table',
      'notes: table',
      'people: table',
      'public.billing.invoices: table',
      'remote: foreign-table',
      'stats: materialized-view',
      'totals: view',
      'triggered: view',
      'unlogged: table',
    ]);
    expect(catalog.schemas).toEqual(['public', 'billing']);
  });

  it('take no prefix in the first schema that is named', async () => {
    const other = await read('billing', 'public');
    expect(collection('invoices', other)).toMatchObject({ schema: 'billing', table: 'invoices' });
    expect(collection('public.people', other)).toMatchObject({ schema: 'public', table: 'people' });
    expect(collection('public.billing.invoices', other)).toMatchObject({
      schema: 'public',
      table: 'billing.invoices',
    });
  });

  it('never come from system schemas, from that of Plinth, or from one that does not exist', async () => {
    const other = await read('pg_catalog', 'information_schema', 'plinth', 'pg_toast', 'missing');
    expect(other.schemas).toEqual(['missing']);
    expect(other.collections.size).toBe(0);
  });

  it('leave out what belongs to an extension', async () => {
    const available = await database.query(
      `SELECT FROM pg_available_extensions WHERE name = 'pg_stat_statements'`,
    );
    const client = await database.pool.connect();
    try {
      await client.query('BEGIN; CREATE TABLE owned (id int)');
      if (available.length > 0) await client.query('CREATE EXTENSION pg_stat_statements');
      const before = await readCatalog(client, { schemas: ['public'] });
      await client.query('ALTER EXTENSION plpgsql ADD TABLE owned');
      const after = await readCatalog(client, { schemas: ['public'] });
      expect(before.collections.has('owned')).toBe(true);
      expect(after.collections.has('owned')).toBe(false);
      expect(after.collections.has('pg_stat_statements')).toBe(false);
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  });

  it('say what can be written to them', () => {
    const abilities = (name: string): string => {
      const { insertable, updatable, deletable, hasRowVersion } = collection(name);
      return [
        insertable && 'insert',
        updatable && 'update',
        deletable && 'delete',
        hasRowVersion && 'version',
      ]
        .filter(Boolean)
        .join(' ');
    };
    expect(abilities('people')).toBe('insert update delete version');
    expect(abilities('events')).toBe('insert update delete');
    expect(abilities('names')).toBe('insert update delete');
    expect(abilities('totals')).toBe('');
    expect(abilities('triggered')).toBe('insert');
    expect(abilities('stats')).toBe('');
    expect(abilities('remote')).toBe('');
  });

  it('say what the connected role was granted', async () => {
    const role = newRoleName();
    await database.pool.query(`
      CREATE ROLE ${role}; GRANT SELECT, INSERT ON people TO ${role}; GRANT SELECT ON billing.invoices TO ${role}`);
    const client = await database.pool.connect();
    try {
      await client.query(`SET ROLE ${role}`);
      const other = await readCatalog(client, { schemas: ['public', 'billing'] });
      const none = { select: false, insert: false, update: false, delete: false };
      expect(collection('people', other).privileges).toEqual({ ...none, select: true, insert: true });
      expect(collection('notes', other).privileges).toEqual(none);
      expect(collection('billing.invoices', other).privileges).toEqual(none);
      expect(other.version).not.toBe(catalog.version);
    } finally {
      await client.query('RESET ROLE');
      client.release();
      await database.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it('have comments', () => {
    expect(collection('people').comment).toBe('Those we know');
    expect(field('people', 'name').comment).toBe('As it is said');
    expect(collection('notes').comment).toBeNull();
  });
});

describe('keys and constraints', () => {
  it('give the primary key in key order', () => {
    expect(collection('people').primaryKey).toEqual(['id']);
    expect(collection('billing.lines').primaryKey).toEqual(['invoice_tenant', 'invoice_id', 'line']);
    expect(collection('events').primaryKey).toEqual(['id', 'at']);
    for (const name of ['names', 'stats', 'unlogged', 'no_columns'])
      expect(collection(name).primaryKey).toEqual([]);
  });

  it('take unique indexes for keys, but not partial ones and those of expressions', () => {
    expect(collection('people').uniqueKeys).toEqual([
      { name: 'people_code', fields: ['code', 'name'], isPrimary: false, nullsNotDistinct: false },
      {
        name: 'people_deferred',
        fields: ['serial_no'],
        isPrimary: false,
        nullsNotDistinct: false,
        isDeferrable: true,
      },
      { name: 'people_login_key', fields: ['login'], isPrimary: false, nullsNotDistinct: false },
      { name: 'people_pkey', fields: ['id'], isPrimary: true, nullsNotDistinct: false },
    ]);
    expect(collection('stats').uniqueKeys).toMatchObject([{ name: 'stats_id', fields: ['id'] }]);
  });

  it('list checks, those not valid yet too', () => {
    expect(collection('people').checks).toEqual([
      { name: 'later', fields: ['amount'], definition: 'CHECK ((amount > (1)::numeric)) NOT VALID' },
      { name: 'name_and_code', fields: ['name', 'code'], definition: expect.stringMatching(/^CHECK/) },
      { name: 'price_positive', fields: ['price'], definition: 'CHECK ((price > (0)::numeric))' },
    ]);
  });

  it('list foreign keys, those to hidden tables too', () => {
    expect(collection('people').foreignKeys).toMatchObject([
      {
        fields: ['tenant_id'],
        targetSchema: 'hidden',
        targetTable: 'tenants',
        target: null,
        targetFields: ['id'],
      },
    ]);
    expect(collection('billing.invoices').foreignKeys).toEqual([
      {
        name: 'invoices_person_id_fkey',
        fields: ['person_id'],
        targetSchema: 'public',
        targetTable: 'people',
        target: 'people',
        targetFields: ['id'],
        onDelete: 'cascade',
        onUpdate: 'set null',
      },
    ]);
    expect(collection('billing.lines').foreignKeys).toMatchObject([
      {
        target: 'billing.invoices',
        fields: ['invoice_tenant', 'invoice_id'],
        targetFields: ['tenant', 'number'],
        onDelete: 'restrict',
        onUpdate: 'no action',
      },
      {
        target: 'billing.lines',
        fields: ['invoice_tenant', 'invoice_id', 'parent_line'],
        onDelete: 'set default',
      },
    ]);
  });

  it('know one key to a partitioned table, not one for each partition', () => {
    expect(collection('notes').foreignKeys).toMatchObject([
      { target: 'events', fields: ['event_id', 'event_at'] },
    ]);
    expect(collection('events').foreignKeys).toMatchObject([{ target: 'people' }]);
  });

  it('list indexes with methods, expressions and predicates', () => {
    const index = (name: string): unknown =>
      collection('people').indexes.find((index) => index.name === name);
    expect(index('people_code')).toMatchObject({ fields: ['code', 'name'], isUnique: true, method: 'btree' });
    expect(index('people_partial')).toMatchObject({ isUnique: true, predicate: '(price IS NULL)' });
    expect(index('people_mixed')).toMatchObject({ fields: ['name', null], isUnique: false, predicate: null });
    expect(index('people_tags')).toMatchObject({
      fields: ['tags'],
      method: 'gin',
      definition: 'CREATE INDEX people_tags ON public.people USING gin (tags)',
    });
  });
});

describe('relations', () => {
  it('lead both ways along the foreign keys', () => {
    const names = (name: string): string[] =>
      [...collection(name).relations.values()].map(({ name, kind, target }) => `${name}: ${kind} ${target}`);
    expect(names('people')).toEqual(['events: one-to-many events', 'invoices: one-to-many billing.invoices']);
    expect(names('billing.invoices')).toEqual([
      'person: many-to-one people',
      'lines: one-to-many billing.lines',
    ]);
    expect(names('billing.lines')).toEqual([
      'invoice: many-to-one billing.invoices',
      'lines: many-to-one billing.lines',
      'lines_by_lines: one-to-many billing.lines',
    ]);
    expect(names('notes')).toEqual(['events: many-to-one events']);
  });
});

describe('a table that somebody holds exclusively', () => {
  const whileHeld = async (statements: string, work: () => Promise<void>): Promise<void> => {
    const holder = await database.pool.connect();
    try {
      await holder.query(`BEGIN; ${statements}`);
      await work();
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
    }
  };
  const options = { schemas: ['public', 'billing'] };

  it('keeps nobody waiting, and keeps what was known of it', async () => {
    const previous = await readCatalog(database.pool, options);
    await whileHeld('LOCK TABLE people; REFRESH MATERIALIZED VIEW stats', async () => {
      const held = await readCatalog(database.pool, { ...options, previous });
      expect(held).toEqual({ ...previous, isProvisional: true });
    });
    expect(await readCatalog(database.pool, { ...options, previous })).toEqual(previous);
  });

  it('is there without its definitions where nothing was known of it', async () => {
    await whileHeld('LOCK TABLE people', async () => {
      const held = await readCatalog(database.pool, options);
      expect(held.isProvisional).toBe(true);
      const people = collection('people', held);
      expect([...people.fields]).toEqual([...collection('people').fields]);
      expect(people.uniqueKeys).toEqual(collection('people').uniqueKeys);
      expect(people.checks.map(({ definition }) => definition)).toEqual(['', '', '']);
      expect(collection('names', held)).toMatchObject({
        insertable: false,
        updatable: false,
        deletable: false,
      });
      expect(collection('notes', held)).toEqual(collection('notes'));
    });
  });
});

describe('the snapshot', () => {
  it('cannot be changed', () => {
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      expect(Object.isFrozen(value)).toBe(true);
      for (const part of value instanceof Map ? value.values() : Object.values(value)) visit(part);
    };
    visit({ ...catalog }.collections.get('people'));
    expect(Object.isFrozen(catalog)).toBe(true);
    expect(Object.isFrozen(catalog.schemas)).toBe(true);
  });

  it('has the same version as long as nothing changes, and another one after any change', async () => {
    expect(catalog.version).toMatch(/^[0-9a-f]{16}$/);
    const versions = new Set([catalog.version]);
    expect((await read('public', 'billing')).version).toBe(catalog.version);
    versions.add((await read('billing', 'public')).version);
    const changes = [
      `COMMENT ON TABLE notes IS 'x'`,
      'ALTER TABLE notes ALTER event_id SET DEFAULT 1',
      `ALTER TYPE mood ADD VALUE 'new'`,
      'ALTER DOMAIN email DROP CONSTRAINT email_check',
      'ALTER TABLE notes RENAME event_id TO event',
      'CREATE INDEX ON notes (id)',
      'ALTER TABLE notes ADD CHECK (id > 0)',
    ];
    for (const change of changes) {
      await database.query(change);
      versions.add((await read('public', 'billing')).version);
    }
    expect(versions.size).toBe(changes.length + 2);
  });
});
