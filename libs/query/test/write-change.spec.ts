import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isDatabaseError } from '../src/index.js';
import { body, data, WriteWorld } from './write-kit.js';

let world: WriteWorld;

beforeAll(async () => {
  world = await WriteWorld.open(`
    CREATE TYPE address AS (city text, zip text);
    CREATE TABLE posts (
      id int PRIMARY KEY,
      title text NOT NULL,
      slug text UNIQUE,
      views int NOT NULL DEFAULT 7,
      note text DEFAULT 'none',
      meta jsonb,
      raw json,
      home address
    );
    CREATE TABLE prices (region text, year int, amount numeric NOT NULL, PRIMARY KEY (region, year));
    CREATE TABLE logs (line text, level int);
    CREATE TABLE parts (id int, name text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
    CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (100);
    CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (100) TO (200);
  `);
});

beforeEach(async () => {
  await world.database.query('TRUNCATE posts, prices, logs, parts');
  await world.database.query(`
    INSERT INTO posts (id, title, slug, meta, raw, home) VALUES
      (1, 'one', 'a', '{"x": 1, "deep": {"a": 1, "b": 2}}', '{"x": 1}', ROW('Bern', '3000')),
      (2, 'two', 'b', NULL, NULL, NULL), (3, 'three', 'c', NULL, NULL, NULL)`);
});

afterAll(() => world.database.drop());

const version = async (id: number): Promise<string> => {
  const rows = await world.database.query<{ v: string }>(
    `SELECT xmin::text || '-' || ctid::text AS v FROM posts WHERE id = $1`,
    [id],
  );
  return rows[0]?.v ?? '';
};

describe('patching a record', () => {
  it('sets what is sent and nothing else', async () => {
    const query = world.writes.patch(world.context('posts'), '1', body({ title: 'uno', note: null }), []);
    const result = await world.run(query);
    expect(result).toMatchObject({ outcome: 'done', written: 1, created: 0, version: await version(1) });
    expect(data(result)).toMatchObject({ id: 1, title: 'uno', note: null, views: 7, slug: 'a' });
  });

  it('merges objects in JSON and composite columns member by member', async () => {
    const patch = body({ meta: { x: null, deep: { b: 3 }, y: 2 }, raw: { z: [1] }, home: { zip: '3001' } });
    const result = await world.run(world.writes.patch(world.context('posts'), '1', patch, []));
    expect(data(result)).toMatchObject({
      meta: { deep: { a: 1, b: 3 }, y: 2 },
      raw: { x: 1, z: [1] },
      home: { city: 'Bern', zip: '3001' },
    });
  });

  it('merges an object into nothing without the members that are null', async () => {
    const patch = body({ meta: { a: null, b: { c: null, d: 1 } }, home: { city: 'Thun' } });
    const result = await world.run(world.writes.patch(world.context('posts'), '2', patch, []));
    expect(data(result)).toMatchObject({ meta: { b: { d: 1 } }, home: { city: 'Thun', zip: null } });
  });

  it('takes an empty patch for no change', async () => {
    const before = await version(1);
    const result = await world.run(world.writes.patch(world.context('posts'), '1', body({}), []));
    expect(result).toMatchObject({ outcome: 'done', written: 1, version: before });
  });

  it('lets the body repeat the key of the path, and change it', async () => {
    const same = world.writes.patch(world.context('posts'), '1', body({ id: 1, title: 'x' }), []);
    expect(data(await world.run(same))).toMatchObject({ id: 1, title: 'x' });
    const other = world.writes.patch(world.context('posts'), '1', body({ id: 10 }), []);
    expect(await world.run(other)).toMatchObject({ outcome: 'done', key: ['10'] });
  });

  it('tells a missing record from a changed one', async () => {
    const context = world.context('posts');
    const missing = world.writes.patch(context, '99', body({ title: 'x' }), []);
    expect(await world.run(missing)).toMatchObject({
      outcome: 'not-found',
      written: 0,
      data: null,
      key: null,
    });
    const old = await version(1);
    const options = { ifMatch: [old] };
    const first = await world.run(world.writes.patch(context, '1', body({ title: 'x' }), [], options));
    expect(first).toMatchObject({ outcome: 'done' });
    const second = await world.run(world.writes.patch(context, '1', body({ title: 'y' }), [], options));
    expect(second).toMatchObject({ outcome: 'precondition-failed', written: 0 });
    const either = { ifMatch: ['1-(0,0)', first.version ?? ''] };
    const third = await world.run(world.writes.patch(context, '1', body({ title: 'z' }), [], either));
    expect(third).toMatchObject({ outcome: 'done' });
  });

  it('finds a record by a composite key', async () => {
    await world.database.query(`INSERT INTO prices VALUES ('eu,west', 2026, 1), ('eu', 2026, 2)`);
    const query = world.writes.patch(world.context('prices'), 'eu%2Cwest,2026', body({ amount: 5 }), []);
    expect(await world.run(query)).toMatchObject({ outcome: 'done', key: ['eu,west', '2026'] });
    expect(await world.rows('SELECT region, amount FROM prices ORDER BY region')).toEqual([
      { region: 'eu', amount: '2' },
      { region: 'eu,west', amount: '5' },
    ]);
  });

  it('works on partitioned tables, also across partitions', async () => {
    await world.run(
      world.writes.create(world.context('parts'), body([{ id: 1, name: 'a' }, { id: 150 }]), []),
    );
    const moved = await world.run(world.writes.patch(world.context('parts'), '1', body({ id: 101 }), []));
    expect(moved).toMatchObject({ outcome: 'done', key: ['101'], version: null });
    const gone = await world.run(world.writes.delete(world.context('parts'), '101', []));
    expect(gone).toMatchObject({ outcome: 'done', written: 1 });
  });
});

describe('two patches with the same If-Match', () => {
  it('lets exactly one of them win', async () => {
    const options = { ifMatch: [await version(1)] };
    const patches = Array.from({ length: 8 }, (_, index) =>
      world.run(world.writes.patch(world.context('posts'), '1', body({ views: index }), [], options)),
    );
    const outcomes = (await Promise.all(patches)).map((result) => result.outcome);
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'precondition-failed')).toHaveLength(7);
  });
});

describe('patching many', () => {
  it('changes exactly those that the filter finds', async () => {
    const query = world.writes.patchMany(world.context('posts'), body({ views: 0 }), [
      ['filter', 'id >= 2'],
      ['fields', 'id,views'],
    ]);
    const result = await world.run(query);
    expect(result).toMatchObject({ outcome: 'done', written: 2 });
    expect(data(result)).toEqual([
      { id: 2, views: 0 },
      { id: 3, views: 0 },
    ]);
  });

  it('demands a filter', () => {
    const context = world.context('posts');
    expect(() => world.writes.patchMany(context, body({ views: 0 }), [])).toThrow(/filter=/);
    expect(() => world.writes.deleteMany(context, [['filter', ' ']])).toThrow(/filter=/);
  });

  it('tells rows of a table without a key apart', async () => {
    await world.database.query(`INSERT INTO logs VALUES ('x', 1), ('x', 1), ('x', 2)`);
    const context = world.context('logs');
    const patched = await world.run(
      world.writes.patchMany(context, body({ line: 'y' }), [['filter', 'level == 1']]),
    );
    expect(patched).toMatchObject({ written: 2 });
    const deleted = await world.run(world.writes.deleteMany(context, [['filter', 'line == "x"']]));
    expect(deleted).toMatchObject({ written: 1 });
  });
});

describe('deleting', () => {
  it('answers what was deleted', async () => {
    const result = await world.run(world.writes.delete(world.context('posts'), '1', [['fields', 'title']]));
    expect(result).toMatchObject({ outcome: 'done', written: 1 });
    expect(data(result)).toEqual({ title: 'one' });
    const again = await world.run(world.writes.delete(world.context('posts'), '1', []));
    expect(again).toMatchObject({ outcome: 'not-found', written: 0 });
  });
});

describe('replacing', () => {
  it('puts what is left out back to its default', async () => {
    await world.database.query(`UPDATE posts SET views = 99, note = 'x' WHERE id = 1`);
    const query = world.writes.replace(world.context('posts'), '1', body({ id: 1, title: 'new' }), []);
    const result = await world.run(query);
    expect(result).toMatchObject({ outcome: 'done', written: 1, created: 0 });
    expect(data(result)).toEqual({
      id: 1,
      title: 'new',
      slug: null,
      views: 7,
      note: 'none',
      meta: null,
      raw: null,
      home: null,
    });
  });

  it('creates a record that is not there', async () => {
    const result = await world.run(
      world.writes.replace(world.context('posts'), '50', body({ title: 'new' }), [
        ['fields', 'id,title,views'],
      ]),
    );
    expect(result).toMatchObject({ outcome: 'done', written: 1, created: 1, key: ['50'] });
    expect(data(result)).toEqual({ id: 50, title: 'new', views: 7 });
  });

  it('refuses a body that contradicts the path', () => {
    const context = world.context('posts');
    expect(() => world.writes.replace(context, '1', body({ id: 2, title: 'x' }), [])).toThrow(
      expect.objectContaining({
        errors: [{ pointer: '/id', code: 'key-mismatch', message: expect.any(String) as string }],
      }),
    );
  });

  it('obeys If-Match and If-None-Match', async () => {
    const context = world.context('posts');
    const replace = (id: string, options: object): Promise<unknown> =>
      world.run(world.writes.replace(context, id, body({ title: 'x' }), [], options));
    const failed = { code: 'PL001', message: 'precondition-failed' };
    await expect(replace('1', { ifNoneMatch: '*' })).rejects.toMatchObject(failed);
    await expect(replace('60', { ifMatch: '*' })).rejects.toMatchObject(failed);
    await expect(replace('60', { ifMatch: ['1-(0,1)'] })).rejects.toMatchObject(failed);
    await expect(replace('1', { ifMatch: ['1-(0,1)'] })).rejects.toMatchObject(failed);
    expect(await replace('1', { ifMatch: [await version(1)] })).toMatchObject({ outcome: 'done' });
    expect(await replace('1', { ifMatch: '*' })).toMatchObject({ outcome: 'done' });
    expect(await replace('60', { ifNoneMatch: '*' })).toMatchObject({ created: 1 });
  });
});

describe('upserting', () => {
  it('updates those that are there and creates the others, in the order of the body', async () => {
    const records = body([
      { id: 11, slug: 'new', title: 'n' },
      { id: 77, slug: 'b', title: 'B', views: 1 },
      { id: 12, slug: 'newer', title: 'm' },
      { id: 78, slug: 'a', title: 'A' },
    ]);
    const query = world.writes.create(world.context('posts'), records, [
      ['upsertOn', 'slug'],
      ['fields', 'id,slug,title,views'],
    ]);
    const result = await world.run(query);
    expect(result).toMatchObject({ outcome: 'done', written: 4, created: 2 });
    expect(data(result)).toEqual([
      { id: 11, slug: 'new', title: 'n', views: 7 },
      { id: 77, slug: 'b', title: 'B', views: 1 },
      { id: 12, slug: 'newer', title: 'm', views: 7 },
      { id: 78, slug: 'a', title: 'A', views: 7 },
    ]);
  });

  it('refuses two records for one row', async () => {
    const records = body([
      { id: 11, slug: 'q', title: 'n' },
      { id: 12, slug: 'q', title: 'm' },
    ]);
    const query = world.writes.create(world.context('posts'), records, [['upsertOn', 'slug']]);
    await expect(world.run(query)).rejects.toMatchObject({ message: 'duplicate-key', detail: '1' });
  });

  it('makes one row of many upserts at once', async () => {
    const upsert = async (views: number): Promise<number> => {
      const record = body({ id: 500, slug: 'race', title: 't', views });
      for (;;) {
        try {
          const query = world.writes.create(world.context('posts'), record, [['upsertOn', 'slug']]);
          return (await world.run(query)).created;
        } catch (error) {
          const isRace = isDatabaseError(error) && (error.message === 'retry' || error.code === '23505');
          if (!isRace) throw error;
        }
      }
    };
    const created = await Promise.all(Array.from({ length: 10 }, (_, index) => upsert(index)));
    expect(created.filter((count) => count === 1)).toHaveLength(1);
    expect(await world.rows(`SELECT count(*)::int AS n FROM posts WHERE slug = 'race'`)).toEqual([{ n: 1 }]);
  });

  it('takes only a unique key, whole', () => {
    const context = world.context('prices');
    const upsert = (upsertOn: string): unknown =>
      world.writes.create(context, body({ region: 'x', year: 1, amount: 1 }), [['upsertOn', upsertOn]]);
    expect(() => upsert('region')).toThrow(/region,year/);
    expect(() => upsert('nothing')).toThrow(/unique key/);
    expect(upsert('year,region')).toBeDefined();
  });
});
