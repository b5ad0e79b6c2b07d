import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../kit/app.js';

const ROWS = 30_000;
/** Large enough that no socket's buffers hold all of them. */
const TEXT = 1000;

const SCHEMA = `
  CREATE TABLE owners (id int PRIMARY KEY, name text NOT NULL);
  CREATE TABLE items (
    id int PRIMARY KEY, owner_id int REFERENCES owners, title text NOT NULL, secret text, doc json, rank int);
  INSERT INTO owners SELECT i, 'Owner ' || i FROM generate_series(1, 5) i;
  INSERT INTO items SELECT i, 1 + i % 5, repeat('x', ${TEXT}) || i, 'secret ' || i, '[1, \n 2]', i % 7
    FROM generate_series(1, ${ROWS}) i;
  CREATE INDEX ON items (owner_id, id);
  ANALYZE owners, items;
  CREATE VIEW breaking AS SELECT id, 1 / (${ROWS} - id) AS quotient, title FROM items;
  CREATE VIEW broken AS SELECT id, 1 / (id - 1) AS quotient FROM items;
`;

let app: TestApp;
let member: string;
beforeAll(async () => {
  app = await startTestApp({ sql: SCHEMA, config: { maxLimit: 100_000, poolSize: 4 } });
  member = await app.keyFor('member', [
    { collection: 'items', action: 'read', condition: 'rank > 2', fields: ['id', 'title', 'owner_id'] },
    { collection: 'items', action: 'read', condition: 'rank > 4', fields: ['id', 'owner_id', 'secret'] },
    { collection: 'owners', action: 'read', condition: 'id != 3', fields: ['id', 'name'] },
  ]);
});
afterAll(async () => {
  await app?.close();
});

const get = (path: string, key = app.adminKey) => app.request('GET', path, { key });

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(10);
}

/** Backends that wait until somebody takes more of what they give. */
const waitingBackends = async (): Promise<number> => {
  const [row] = await app.database.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'ClientWrite'`,
  );
  return row?.n ?? 0;
};

/** A client that asks, and reads nothing until it is told to. */
function askAndWait(path: string): Socket {
  const { hostname, port } = new URL(app.url);
  const client = connect(Number(port), hostname);
  client.on('error', () => {});
  client.pause();
  client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${app.adminKey}\r\nConnection: close\r\n\r\n`);
  return client;
}

describe('an answer of more records than are held at once', () => {
  it.each([
    ['sort=-rank,title&limit=7000', 'admin'],
    ['sort=-rank,title&limit=7000&fields=id,doc,owner(name)', 'admin'],
    ['limit=4000&fields=id,secret,owner(name,items(id))&filter=id <= 4001&owner.items.limit=2', 'member'],
    ['limit=2500&sort=secret&count=exact&offset=100', 'member'],
  ])('is what smaller pages give together: %s for %s', async (query, role) => {
    const key = role === 'admin' ? app.adminKey : member;
    const address = `/api/items?${query.replaceAll(' ', '%20')}`;
    const large = await get(address, key);
    expect(large.status).toBe(200);
    const limit = Number(/limit=(\d+)/.exec(query)?.[1]);
    const small: unknown[] = [];
    let page = await get(address.replace(/limit=\d+/, 'limit=1000'), key);
    small.push(...page.body.data);
    while (small.length < limit && page.body.page.next !== null) {
      const rest = Math.min(1000, limit - small.length);
      const next = address.replace(/limit=\d+/, `limit=${rest}`).replace(/&offset=\d+/, '');
      page = await get(`${next}&cursor=${page.body.page.next}`, key);
      small.push(...page.body.data);
    }
    expect(large.body.data).toEqual(small);
    expect(large.body.page.total).toEqual(page.body.page.total);
    expect(large.body.page.next === null).toBe(page.body.page.next === null);
  });

  it('goes on with the next page where it ended', async () => {
    const first = await get(`/api/items?limit=${ROWS - 10}&fields=id`);
    const second = await get(`/api/items?limit=2000&fields=id&cursor=${first.body.page.next}`);
    expect(second.body.data).toHaveLength(10);
    expect(second.body.data[0].id).toBe(ROWS - 9);
    expect(second.body.page.next).toBeNull();
    expect((await get(`/api/items?limit=${ROWS}&fields=id`)).body.page.next).toBeNull();
  });

  it('lets the database wait for a client that reads slowly, and is whole in the end', async () => {
    const client = askAndWait(`/api/items?limit=${ROWS}`);
    await until(async () => (await waitingBackends()) === 1);
    const chunks: Buffer[] = [];
    client.on('data', (chunk: Buffer) => chunks.push(chunk));
    client.resume();
    await new Promise((resolve) => client.on('close', resolve));
    const text = Buffer.concat(chunks).toString();
    expect(text.split('"title":').length - 1).toBe(ROWS);
    expect(text).toMatch(/"page":\{"next":null\}\}\r\n0\r\n\r\n$/);
  });

  it('ends in the database when its client leaves', async () => {
    const client = askAndWait(`/api/items?limit=${ROWS}`);
    await until(async () => (await waitingBackends()) === 1);
    client.destroy();
    await until(async () => (await waitingBackends()) === 0);
    expect((await get(`/api/items?limit=${ROWS}&fields=id`)).body.data).toHaveLength(ROWS);
  });

  it('is refused, and soon possible again, where too many are under way', async () => {
    const client = askAndWait(`/api/items?limit=${ROWS}`);
    await until(async () => (await waitingBackends()) === 1);
    const refused = await get(`/api/items?limit=${ROWS}`);
    expect(refused.status).toBe(503);
    expect(refused.body.type).toBe('/problems/overloaded');
    expect(refused.headers.get('retry-after')).toBe('2');
    expect((await get('/api/items?limit=1000')).status).toBe(200);
    client.destroy();
    await until(async () => (await get(`/api/items?limit=${ROWS}&fields=id`)).status === 200);
  });

  it('is a problem where the statement fails at once, and never looks whole where it fails later', async () => {
    const atOnce = await get(`/api/broken?limit=${ROWS}`);
    expect([atOnce.status, atOnce.body.type]).toEqual([422, '/problems/value-rejected']);
    const client = askAndWait(`/api/breaking?limit=${ROWS}`);
    let text = '';
    client.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    client.resume();
    await new Promise((resolve) => client.on('close', resolve));
    expect(text.length).toBeGreaterThan(1_000_000);
    expect(text).not.toContain('"page"');
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
  });

  it('is not made inside of a batch', async () => {
    const operations = [{ method: 'GET', path: '/items', query: { limit: 1001 } }];
    const { status, body } = await app.admin('POST', '/api/batch', { operations });
    expect([status, body.errors[0].pointer]).toEqual([400, '/operations/0/query/limit']);
  });
});
