import { readCatalog } from '@plinth/schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  isDatabaseError,
  locateFailure,
  locateFailureInTransaction,
  translateDatabaseError,
  type DatabaseProblem,
  type WriteQuery,
} from '../src/write/index.js';
import { newRoleName } from '../../../test/kit/role-name.js';
import { body, WriteWorld, type AccessTexts, type RuleTexts } from './write-kit.js';

let world: WriteWorld;

beforeAll(async () => {
  world = await WriteWorld.open(`
    CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0);
    CREATE TABLE authors (id int PRIMARY KEY);
    INSERT INTO authors VALUES (1);
    CREATE TABLE items (
      id int PRIMARY KEY,
      slug text,
      secret text UNIQUE,
      price numeric CONSTRAINT positive_price CHECK (price > 0),
      hidden int CONSTRAINT small_hidden CHECK (hidden < 10),
      half even,
      net cidr,
      span int4range,
      author_id int REFERENCES authors,
      parent_id int REFERENCES items,
      needed text NOT NULL DEFAULT 'x',
      EXCLUDE USING gist (span WITH &&)
    );
    CREATE UNIQUE INDEX items_slug ON items (slug);
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.slug = 'trigger' THEN RAISE EXCEPTION 'Items called trigger are not welcome'; END IF;
        IF NEW.slug = 'forgotten' THEN NEW.needed := NULL; END IF;
        IF NEW.slug = 'slow' THEN PERFORM pg_sleep(1); END IF;
        RETURN NEW;
      END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION refuse();
    INSERT INTO items (id, slug, secret, span, author_id) VALUES (1, 'taken', 's', '[1,5)', 1);
  `);
});

afterAll(() => world.database.drop());

const FIELDS = ['id', 'slug', 'price', 'half', 'net', 'span', 'author_id', 'parent_id'];
const RULES: Readonly<Record<string, AccessTexts>> = {
  items: { read: [{ fields: FIELDS }], create: [{ fields: FIELDS }], update: [{ fields: FIELDS }] },
  authors: { read: [{}], delete: [{}] },
};

const failure = async (query: WriteQuery, failingRecord?: number): Promise<DatabaseProblem> => {
  try {
    await world.run(query);
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    return translateDatabaseError(error, { ...query.describe(), failingRecord });
  }
  throw new Error('the write was not refused');
};

const create = (value: object): WriteQuery =>
  world.writes.create(world.context('items', RULES), body(value), []);

describe('database errors', () => {
  it.each([
    ['a taken value', { id: 2, slug: 'taken' }, 'unique-violation', '/slug', 'unique'],
    ['a taken key', { id: 1 }, 'unique-violation', '/id', 'unique'],
    ['a missing relation', { id: 2, author_id: 9 }, 'foreign-key-violation', '/author_id', 'foreign-key'],
    [
      'a missing relation to itself',
      { id: 2, parent_id: 9 },
      'foreign-key-violation',
      '/parent_id',
      'foreign-key',
    ],
    ['a check', { id: 2, price: -1 }, 'check-violation', '/price', 'check'],
    ["a domain's check", { id: 2, half: 3 }, 'check-violation', '/half', 'check'],
    ['an exclusion', { id: 2, span: '[4,9)' }, 'exclusion-violation', '/span', 'exclusion'],
    [
      'a value of a type that only PostgreSQL knows',
      { id: 2, net: '10.0.0.1/8' },
      'value-rejected',
      '/net',
      'format',
    ],
    [
      'a range that is not one',
      { id: 2, span: '[x,y)', net: '10.0.0.0/8' },
      'value-rejected',
      '/span',
      'format',
    ],
  ])('names the field of %s', async (_what, value, type, pointer, code) => {
    const problem = await failure(create(value));
    expect(problem.type).toBe(type);
    expect(problem.errors.map((error) => [error.pointer, error.code])).toEqual(
      pointer === undefined ? [] : [[pointer, code]],
    );
    const inArray = await failure(create([{ id: 100 }, value]), 1);
    expect(inArray.errors[0]?.pointer).toBe(pointer && `/1${pointer}`);
    const unknown = await failure(create([{ id: 100 }, value]));
    expect(unknown).toMatchObject({ type, errors: [], isOfOneRecord: true });
  });

  it('never tells of a hidden field, its constraint or its value', async () => {
    const preset = (presets: RuleTexts['presets']): WriteQuery => {
      const rules = { ...RULES, items: { ...RULES['items'], create: [{ fields: FIELDS, presets }] } };
      return world.writes.create(world.context('items', rules), body({ id: 52 }), []);
    };
    const unique = await failure(preset({ secret: { value: 's' } }));
    const check = await failure(preset({ hidden: { value: 99 } }));
    for (const problem of [unique, check]) {
      expect(problem.errors).toEqual([]);
      expect(JSON.stringify(problem)).not.toMatch(/secret|hidden|99/);
    }
    expect([unique.type, check.type]).toEqual(['unique-violation', 'check-violation']);
  });

  it('tells who still refers to a record, when the caller may know', async () => {
    const remove = (rules: typeof RULES): WriteQuery =>
      world.writes.delete(world.context('authors', rules), '1', []);
    expect(await failure(remove(RULES))).toMatchObject({
      type: 'foreign-key-violation',
      detail: 'The record is still referred to by records of items.',
      errors: [],
    });
    const { authors = {}, items: { update } = {} } = RULES;
    expect((await failure(remove({ authors, items: { update } }))).detail).toBe(
      'The record is still referred to by other records.',
    );
  });

  it('passes on what a trigger of the database says', async () => {
    expect(await failure(create({ id: 2, slug: 'trigger' }))).toMatchObject({
      type: 'value-rejected',
      detail: 'Items called trigger are not welcome',
    });
  });

  it('names a missing value only to who knows the field', async () => {
    expect(await failure(create({ id: 2, slug: 'forgotten' }))).toMatchObject({
      type: 'not-null-violation',
      detail: 'A value is missing.',
      errors: [],
    });
    const all = world.writes.create(world.context('items'), body({ id: 2, slug: 'forgotten' }), []);
    expect((await failure(all)).errors).toEqual([
      { pointer: '/needed', code: 'not-null', message: 'must not be null' },
    ]);
  });

  it.each([
    ['40001', 'serialization-failure', 'transaction'],
    ['40P01', 'serialization-failure', 'transaction'],
    ['55P03', 'lock-timeout', null],
    ['57014', 'statement-timeout', null],
    ['53300', 'database-unavailable', null],
    ['57P01', 'database-unavailable', null],
    ['08006', 'database-unavailable', null],
    ['25006', 'database-unavailable', null],
    ['42501', 'database-permission', null],
    ['42P01', 'internal-error', 'schema'],
    ['42703', 'internal-error', 'schema'],
    ['42601', 'internal-error', null],
    ['XX000', 'internal-error', null],
    ['22P05', 'value-rejected', null],
    ['22021', 'value-rejected', null],
    ['54000', 'value-rejected', null],
    ['44000', 'check-violation', null],
    ['23514', 'check-violation', null],
  ])('answers SQLSTATE %s with %s', (code, type, retry) => {
    const error = { code, message: 'SELECT secret FROM items' };
    const problem = translateDatabaseError(error, create({ id: 1 }).describe());
    expect(problem).toMatchObject({ type, retry });
    expect(problem.detail + JSON.stringify(problem.errors)).not.toContain('SELECT');
  });
});

describe('a unique key that is taken', () => {
  const taken = {
    code: '23505',
    message: 'duplicate key',
    schema: 'public',
    table: 'items',
    constraint: 'items_pkey',
  };
  const retryOf = (query: WriteQuery): unknown => translateDatabaseError(taken, query.describe()).retry;

  it('may be a race where records that are there are updated, and is none where they are not', () => {
    const record = body({ id: 1, slug: 'a' });
    const context = world.context('items');
    expect(retryOf(world.writes.create(context, record, [['upsertOn', 'id']]))).toBe('race');
    expect(retryOf(world.writes.create(context, record, []))).toBeNull();
  });
});

describe('a database role with few grants', () => {
  it('can delete without the right to update', async () => {
    const role = newRoleName();
    await world.database.query(
      `CREATE TABLE notes (id int PRIMARY KEY, at int); INSERT INTO notes VALUES (1, 1), (2, 2)`,
    );
    await world.database.query(
      `CREATE ROLE ${role}; GRANT SELECT, DELETE ON notes TO ${role}; GRANT USAGE ON SCHEMA plinth TO ${role}`,
    );
    const client = await world.database.pool.connect();
    try {
      await client.query(`SET ROLE ${role}`);
      const catalog = await readCatalog(client, { schemas: ['public'] });
      const collection = catalog.collections.get('notes');
      if (!collection) throw new Error('no notes');
      const context = { ...world.context('items'), catalog, collection };
      expect(await world.run(world.writes.delete(context, '1', []), client)).toMatchObject({ written: 1 });
      const many = world.writes.deleteMany(context, [['filter', 'at == 2']]);
      expect(await world.run(many, client)).toMatchObject({ written: 1 });
      expect(await world.run(world.writes.delete(context, '1', []), client)).toMatchObject({
        outcome: 'not-found',
      });
    } finally {
      await client.query(`RESET ROLE; DROP OWNED BY ${role}; DROP ROLE ${role}`);
      client.release();
    }
  });
});

describe('the record at fault', () => {
  it('is found in a body of many', async () => {
    const records = Array.from({ length: 1000 }, (_, index) => ({ id: 1000 + index, slug: `slug ${index}` }));
    records[731] = { id: 1731, slug: 'taken' };
    const query = create(records);
    const { prefix } = query.describe();
    const first = await failure(query);
    expect(first).toMatchObject({ type: 'unique-violation', isOfOneRecord: true, errors: [] });
    const client = await world.database.pool.connect();
    let attempts = 0;
    try {
      await client.query('BEGIN');
      const index = await locateFailureInTransaction(
        {
          command: async (text) => void (await client.query(text)),
          attempt: async (count) => {
            attempts += 1;
            await world.run(prefix(count), client);
          },
        },
        records.length,
        (error) => isDatabaseError(error) && error.code === '23505',
      );
      expect(index).toBe(731);
      const located = await failure(query, index ?? undefined);
      expect(located.errors).toEqual([{ pointer: '/731/slug', code: 'unique', message: 'is taken' }]);
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
    expect(attempts).toBeLessThan(13);
    expect(await world.rows('SELECT id FROM items WHERE id >= 1000')).toEqual([]);
  });

  it.each([
    [1, 0],
    [10, 0],
    [10, 9],
    [10, 4],
    [10_000, 7777],
  ])('of %i is number %i', async (total, index) => {
    expect(await locateFailure(total, (count) => Promise.resolve(count > index))).toBe(index);
  });

  it('is none where nothing fails any more', async () => {
    expect(await locateFailure(10, () => Promise.resolve(false))).toBeNull();
  });
});
