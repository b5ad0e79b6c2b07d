import type { PoolClient } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WriteResult } from '../src/write/index.js';
import { body, WriteWorld, type AccessTexts } from './write-kit.js';

let world: WriteWorld;

beforeAll(async () => {
  world = await WriteWorld.open(`
    CREATE TABLE teams (id int PRIMARY KEY, is_open bool NOT NULL);
    CREATE TABLE posts (id int PRIMARY KEY, status text, title text, views int NOT NULL DEFAULT 0, team_id int REFERENCES teams);
    CREATE TABLE keyless (name text, views int);
    CREATE TABLE slugs (slug text UNIQUE, views int);
    CREATE TABLE soft (id int PRIMARY KEY, is_gone bool NOT NULL DEFAULT false);
    CREATE FUNCTION soft_delete() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN UPDATE soft SET is_gone = true WHERE id = OLD.id; RETURN NULL; END $$;
    CREATE TRIGGER soft_delete BEFORE DELETE ON soft FOR EACH ROW EXECUTE FUNCTION soft_delete();
    CREATE TRIGGER same BEFORE UPDATE ON soft FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
  `);
});

beforeEach(async () => {
  await world.database.query(`TRUNCATE posts, teams, soft`);
  await world.database.query(`INSERT INTO teams VALUES (1, true), (2, false)`);
  await world.database.query(`INSERT INTO posts VALUES (1, 'draft', 'one', 0, 1), (2, 'draft', 'two', 0, 1)`);
});

afterAll(() => world.database.drop());

const isWaiting = async (): Promise<boolean> => {
  const rows = await world.rows(
    `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return rows.length > 0;
};

/** Runs `write` while another transaction has changed the row and not committed yet; it commits when `write` waits. */
async function whileHeld(change: string, write: () => Promise<WriteResult>): Promise<WriteResult> {
  const other: PoolClient = await world.database.pool.connect();
  try {
    await other.query('BEGIN');
    await other.query(change);
    const result = write();
    // Its outcome is awaited below; it must not count as unhandled until then.
    result.catch(() => {});
    await expect.poll(isWaiting, { interval: 5 }).toBe(true);
    await other.query('COMMIT');
    return await result;
  } finally {
    other.release();
  }
}

const LOCAL: AccessTexts = {
  read: [{ condition: 'status != "secret"' }],
  update: [{ condition: 'status == "draft"' }],
  delete: [{ condition: 'status == "draft"' }],
};
const RELATED: AccessTexts = {
  read: [{ condition: 'status != "secret" && team_id != 7' }],
  update: [{ condition: 'team.is_open && status == "draft"' }],
  delete: [{ condition: 'team.is_open && status == "draft"' }],
};

describe.each([
  ['of the row alone', LOCAL],
  ['that follow relations', RELATED],
])('a write that waited for another one, under rules %s', (_name, rules) => {
  const teams: AccessTexts = { read: [{}] };
  const patch = (value: object, options = {}): Promise<WriteResult> =>
    world.run(
      world.writes.patch(world.context('posts', { posts: rules, teams }), '1', body(value), [], options),
    );
  const remove = (): Promise<WriteResult> =>
    world.run(world.writes.delete(world.context('posts', { posts: rules, teams }), '1', []));
  const many = (): Promise<WriteResult> =>
    world.run(
      world.writes.patchMany(world.context('posts', { posts: rules, teams }), body({ title: 'many' }), [
        ['filter', 'views < 5'],
      ]),
    );

  it('is refused when the row may not be changed any more', async () => {
    const change = `UPDATE posts SET status = 'published' WHERE id = 1`;
    expect(await whileHeld(change, () => patch({ title: 'x' }))).toMatchObject({
      outcome: 'forbidden',
      written: 0,
    });
    expect(await world.rows('SELECT title FROM posts WHERE id = 1')).toEqual([{ title: 'one' }]);
  });

  it('does not find the row when it became hidden or is gone', async () => {
    const hide = `UPDATE posts SET status = 'secret' WHERE id = 1`;
    expect(await whileHeld(hide, () => patch({ title: 'x' }))).toMatchObject({
      outcome: 'not-found',
      written: 0,
    });
    await world.database.query(`UPDATE posts SET status = 'draft' WHERE id = 1`);
    const gone = await whileHeld('DELETE FROM posts WHERE id = 1', remove);
    expect(gone).toMatchObject({ outcome: 'not-found', written: 0 });
  });

  it('keeps what the other one wrote', async () => {
    const change = 'UPDATE posts SET views = views + 1 WHERE id = 1';
    expect(await whileHeld(change, () => patch({ title: 'x' }))).toMatchObject({
      outcome: 'done',
      written: 1,
    });
    expect(await world.rows('SELECT title, views FROM posts WHERE id = 1')).toEqual([
      { title: 'x', views: 1 },
    ]);
  });

  it('fails its precondition', async () => {
    const [row] = await world.database.query<{ v: string }>(
      `SELECT xmin::text || '-' || ctid::text AS v FROM posts WHERE id = 1`,
    );
    const options = { ifMatch: [row?.v ?? ''] };
    const change = 'UPDATE posts SET views = views + 1 WHERE id = 1';
    const result = await whileHeld(change, () => patch({ title: 'x' }, options));
    expect(result).toMatchObject({ outcome: 'precondition-failed', written: 0 });
  });

  it('leaves out of many what the filter or the rules do not mean any more', async () => {
    expect(await whileHeld('UPDATE posts SET views = 9 WHERE id = 1', many)).toMatchObject({ written: 1 });
    await world.database.query(`UPDATE posts SET views = 0, title = 'old'`);
    const published = `UPDATE posts SET status = 'published' WHERE id = 2`;
    expect(await whileHeld(published, many)).toMatchObject({ written: 1 });
    expect(await world.rows('SELECT id FROM posts WHERE title = $$many$$')).toEqual([{ id: 1 }]);
  });
});

describe('a condition over a relation that changed under a waiting write', () => {
  it('is asked of the far row that the newest version refers to', async () => {
    const rules: AccessTexts = { read: [{}], update: [{ condition: '!team.is_open' }] };
    const patch = (): Promise<WriteResult> =>
      world.run(
        world.writes.patch(
          world.context('posts', { posts: rules, teams: { read: [{}] } }),
          '1',
          body({ title: 'x' }),
          [],
        ),
      );
    const toClosed = await whileHeld('UPDATE posts SET team_id = 2 WHERE id = 1', patch);
    expect(toClosed).toMatchObject({ outcome: 'done', written: 1 });
    const toOpen = await whileHeld('UPDATE posts SET team_id = 1 WHERE id = 1', patch);
    expect(toOpen).toMatchObject({ outcome: 'forbidden', written: 0 });
  });
});

describe('rows without a primary key', () => {
  it('are not lost when they change under a waiting write', async () => {
    await world.database.query('TRUNCATE keyless, slugs');
    await world.database.query(
      `INSERT INTO keyless VALUES ('a', 0), ('b', 0); INSERT INTO slugs VALUES ('a', 0)`,
    );
    const many = (): Promise<WriteResult> =>
      world.run(
        world.writes.patchMany(world.context('keyless'), body({ name: 'x' }), [['filter', 'views < 5']]),
      );
    const raced = whileHeld(`UPDATE keyless SET views = 1 WHERE name = 'a'`, many);
    await expect(raced).rejects.toMatchObject({ code: 'PL001', message: 'retry' });
    expect(await many()).toMatchObject({ written: 2 });
    const upsert = (): Promise<WriteResult> =>
      world.run(
        world.writes.create(world.context('slugs'), body([{ slug: 'a', views: 9 }]), [['upsertOn', 'slug']]),
      );
    expect(await whileHeld('UPDATE slugs SET views = 1', upsert)).toMatchObject({ written: 1, created: 0 });
    expect(await world.rows('SELECT * FROM slugs')).toEqual([{ slug: 'a', views: 9 }]);
  });
});

describe('writes that triggers keep from happening', () => {
  it('are done, as the database wants them done', async () => {
    await world.database.query('INSERT INTO soft VALUES (1)');
    const removed = await world.run(world.writes.delete(world.context('soft'), '1', []));
    expect(removed).toMatchObject({ outcome: 'done', written: 0 });
    expect(await world.rows('SELECT is_gone FROM soft')).toEqual([{ is_gone: true }]);
    const same = await world.run(world.writes.patch(world.context('soft'), '1', body({ is_gone: true }), []));
    expect(same).toMatchObject({ outcome: 'done', written: 0 });
  });
});

describe('many increments at once', () => {
  it('loses none that was confirmed under its version', async () => {
    const version = async (): Promise<{ v: string; views: number }> => {
      const [row] = await world.database.query<{ v: string; views: number }>(
        `SELECT xmin::text || '-' || ctid::text AS v, views FROM posts WHERE id = 1`,
      );
      return row ?? { v: '', views: 0 };
    };
    const increment = async (): Promise<void> => {
      for (;;) {
        const { v, views } = await version();
        const query = world.writes.patch(world.context('posts'), '1', body({ views: views + 1 }), [], {
          ifMatch: [v],
        });
        const result = await world.run(query).catch((error: Error) => error);
        if (result instanceof Error && result.message !== 'retry') throw result;
        if (!(result instanceof Error) && result.outcome === 'done') return;
      }
    };
    await Promise.all(Array.from({ length: 20 }, increment));
    expect(await world.rows('SELECT views FROM posts WHERE id = 1')).toEqual([{ views: 20 }]);
  });
});
