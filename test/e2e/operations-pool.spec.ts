import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startTestApp, type TestApp, type TestResponse } from '../kit/app.js';
import { SOON } from '../kit/soon.js';

describe('a pool of 2', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({
      sql: `
        CREATE TABLE shelves (id int PRIMARY KEY, name text NOT NULL UNIQUE);
        CREATE TABLE books (id int PRIMARY KEY, shelf_id int REFERENCES shelves, title text NOT NULL);
        INSERT INTO shelves VALUES (1, 'first');`,
      config: { poolSize: 2 },
    });
  });
  afterAll(() => app.close());

  const count = async (condition: string): Promise<number> =>
    (
      await app.database.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM books WHERE ${condition}`,
      )
    )[0]?.count ?? -1;
  const statuses = (answers: readonly TestResponse[]): Record<number, number> => {
    const found: Record<number, number> = {};
    for (const { status } of answers) found[status] = (found[status] ?? 0) + 1;
    return found;
  };
  const many = (number: number, request: (index: number) => Promise<TestResponse>): Promise<TestResponse[]> =>
    Promise.all(Array.from({ length: number }, (_, index) => request(index)));

  it('serves 200 writes at once, each of which needs a connection of its own', async () => {
    const answers = await many(200, (id) =>
      app.admin('POST', '/api/books', { id, shelf_id: 1, title: `b${id}` }),
    );
    expect(statuses(answers)).toEqual({ 201: 200 });
    expect(await count('id < 1000')).toBe(200);
  });

  it('serves bulk writes, batches, idempotent writes and reads at once, none waiting for a second connection', async () => {
    const bulk = many(20, (at) =>
      app.admin(
        'POST',
        '/api/books',
        Array.from({ length: 100 }, (_, row) => ({
          id: 10_000 + at * 100 + row,
          shelf_id: 1,
          title: 'bulk',
        })),
      ),
    );
    const batches = many(40, (at) =>
      app.admin('POST', '/api/batch', {
        operations: [
          { label: 'shelf', method: 'POST', path: '/shelves', body: { id: 100 + at, name: `s${at}` } },
          {
            method: 'POST',
            path: '/books',
            body: { id: 20_000 + at, shelf_id: { $ref: 'shelf.id' }, title: 'batch' },
          },
          { method: 'GET', path: '/books', query: { limit: 5 } },
        ],
      }),
    );
    // Each key comes twice: the second waits for the first inside the database, holding a connection.
    const idempotent = many(40, (at) =>
      app.admin(
        'POST',
        '/api/books',
        { id: 30_000 + Math.floor(at / 2), shelf_id: 1, title: 'once' },
        { 'idempotency-key': `once-${Math.floor(at / 2)}` },
      ),
    );
    const reads = many(40, () => app.admin('GET', '/api/books?fields=id,shelf(name)&limit=20&count=exact'));
    expect(statuses(await bulk)).toEqual({ 201: 20 });
    expect(statuses(await batches)).toEqual({ 200: 40 });
    expect(statuses(await idempotent)).toEqual({ 201: 40 });
    expect(statuses(await reads)).toEqual({ 200: 40 });
    expect(await count(`title = 'bulk'`)).toBe(2000);
    expect(await count(`title = 'batch'`)).toBe(40);
    expect(await count(`title = 'once'`)).toBe(20);
  });

  it('finds the row at fault in many bulk writes at once, which takes a transaction of its own', async () => {
    const answers = await many(30, (at) =>
      app.admin('POST', '/api/books', [
        { id: 40_000 + at * 2, shelf_id: 1, title: 'refused' },
        { id: 40_001 + at * 2, shelf_id: 999, title: 'refused' },
      ]),
    );
    expect(statuses(answers)).toEqual({ 409: 30 });
    for (const { body } of answers) expect(body.errors[0].pointer).toBe('/1/shelf_id');
    expect(await count(`title = 'refused'`)).toBe(0);
  });

  it('stays ready while every connection is busy', async () => {
    const client = await app.database.pool.connect();
    await client.query('BEGIN; LOCK TABLE books IN ACCESS EXCLUSIVE MODE');
    const waiting = many(6, (at) =>
      app.admin('POST', '/api/books', { id: 50_000 + at, shelf_id: 1, title: 'late' }),
    );
    await vi.waitFor(async () => {
      const busy = await app.database.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(busy).toHaveLength(2);
    }, SOON);
    expect((await app.request('GET', '/health/ready')).body).toEqual({ status: 'ready', database: 'up' });
    await client.query('COMMIT');
    client.release();
    expect(statuses(await waiting)).toEqual({ 201: 6 });
  });
});
