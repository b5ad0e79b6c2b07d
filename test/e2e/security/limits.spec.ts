import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../kit/app.js';
import { sendRaw } from '../../kit/raw-request.js';

/** Relations that lead round in circles, so that any depth can be asked for. */
const SQL = `
  CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL, age int, boss_id int REFERENCES people);
  CREATE TABLE tasks (id int PRIMARY KEY, title text NOT NULL, person_id int REFERENCES people);
  INSERT INTO people VALUES (1, 'Ada', 40, NULL), (2, 'Bob', 30, 1);
`;

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({
    sql: SQL,
    config: {
      bodyLimitBytes: 1024,
      urlLimitBytes: 500,
      headerLimitBytes: 2048,
      maxHeaders: 20,
      maxLimit: 20,
      maxRows: 200,
      maxOffset: 30,
      maxDepth: 2,
      maxEmbeds: 3,
      maxSortKeys: 2,
      maxParameters: 8,
      maxSearchLength: 12,
      maxFilterLength: 100,
      maxFilterDepth: 6,
      maxFilterNodes: 15,
      maxBatchOperations: 2,
    },
  });
});
afterAll(() => app.close());

const list = (parameters: Record<string, string>): string =>
  `/api/people?${new URLSearchParams(parameters).toString()}`;
const embed = (depth: number): string => (depth === 0 ? 'id' : `id,boss(${embed(depth - 1)})`);
const repeat = (text: string, count: number, separator: string): string =>
  Array(count).fill(text).join(separator);

describe('a limit of the configuration', () => {
  it.each<[setting: string, allowed: Record<string, string>, refused: Record<string, string>, type: string]>([
    ['PLINTH_MAX_LIMIT', { limit: '20' }, { limit: '21' }, 'invalid-parameter'],
    ['PLINTH_MAX_OFFSET', { offset: '30' }, { offset: '31' }, 'invalid-parameter'],
    [
      'PLINTH_MAX_ROWS',
      { fields: 'tasks(id)', limit: '10', 'tasks.limit': '19' },
      { fields: 'tasks(id)', limit: '10', 'tasks.limit': '20' },
      'query-too-complex',
    ],
    [
      'PLINTH_MAX_ROWS',
      { fields: 'tasks(id)', limit: '11', 'tasks.limit': '17' },
      { fields: 'tasks(id)', limit: '17', 'tasks.limit': '18' },
      'query-too-complex',
    ],
    ['PLINTH_MAX_DEPTH', { fields: embed(2) }, { fields: embed(3) }, 'query-too-complex'],
    ['PLINTH_MAX_DEPTH', { sort: 'boss.boss.name' }, { sort: 'boss.boss.boss.name' }, 'query-too-complex'],
    [
      'PLINTH_MAX_DEPTH',
      { filter: 'boss.boss.id == 1' },
      { filter: 'boss.boss.boss.id == 1' },
      'query-too-complex',
    ],
    [
      'PLINTH_MAX_EMBEDS',
      { fields: 'boss(boss(id)),tasks(id)', limit: '1', 'tasks.limit': '1' },
      { fields: 'boss(boss(id)),tasks(id),people(id)', limit: '1', 'tasks.limit': '1', 'people.limit': '1' },
      'query-too-complex',
    ],
    ['PLINTH_MAX_SORT_KEYS', { sort: 'name,age' }, { sort: 'name,age,boss.name' }, 'query-too-complex'],
    ['PLINTH_MAX_SEARCH_LENGTH', { search: 'a'.repeat(12) }, { search: 'a'.repeat(13) }, 'invalid-parameter'],
    [
      'PLINTH_MAX_FILTER_LENGTH',
      { filter: `name == "${'a'.repeat(90)}"` },
      { filter: `name == "${'a'.repeat(91)}"` },
      'query-too-complex',
    ],
    [
      'PLINTH_MAX_FILTER_DEPTH',
      { filter: `${'!'.repeat(4)}(age > 1)` },
      { filter: `${'!'.repeat(5)}(age > 1)` },
      'query-too-complex',
    ],
    [
      'PLINTH_MAX_FILTER_COST',
      // A comparison is three parts, and so are four of them with the operators between.
      { filter: repeat('age > 1', 4, ' && ') },
      { filter: repeat('age > 1', 5, ' && ') },
      'query-too-complex',
    ],
  ])('%s holds at its edge: %o, but not %o', async (_setting, allowed, refused, type) => {
    expect(await app.admin('GET', list(allowed))).toMatchObject({ status: 200 });
    expect(await app.admin('GET', list(refused))).toMatchObject({
      status: 400,
      body: { type: `/problems/${type}` },
    });
  });

  it('PLINTH_MAX_PARAMETERS holds at its edge', async () => {
    const eight = {
      fields: 'id,boss(id),tasks(id)',
      filter: 'true',
      sort: 'id',
      limit: '1',
      count: 'exact',
      'tasks.limit': '1',
      'tasks.sort': 'id',
      'tasks.filter': 'true',
    };
    expect(await app.admin('GET', list(eight))).toMatchObject({ status: 200 });
    expect(await app.admin('GET', list({ ...eight, 'boss.filter': 'true' }))).toMatchObject({
      status: 400,
      body: { type: '/problems/query-too-complex' },
    });
  });

  it('PLINTH_MAX_BATCH holds at its edge', async () => {
    const batch = (count: number): object => ({
      operations: Array.from({ length: count }, () => ({ method: 'GET', path: '/people/1' })),
    });
    expect(await app.admin('POST', '/api/batch', batch(2))).toMatchObject({ status: 200 });
    expect(await app.admin('POST', '/api/batch', batch(3))).toMatchObject({
      status: 400,
      body: { type: '/problems/invalid-request' },
    });
  });

  it('PLINTH_BODY_LIMIT holds at its edge, whether the length is told or comes in chunks', async () => {
    const body = (bytes: number): string => {
      const text = JSON.stringify({ id: 3, name: '' });
      return text.replace('""', JSON.stringify('x'.repeat(bytes - text.length)));
    };
    expect(body(1024)).toHaveLength(1024);
    const post = (text: string): Promise<number> =>
      fetch(`${app.url}/api/people`, {
        method: 'POST',
        headers: { authorization: `Bearer ${app.adminKey}`, 'content-type': 'application/json' },
        body: new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode(text));
            controller.close();
          },
        }),
        duplex: 'half',
      }).then(({ status }) => status);
    expect(await app.admin('POST', '/api/people', body(1025))).toMatchObject({
      status: 413,
      body: { type: '/problems/body-too-large' },
    });
    expect(await post(body(1025))).toBe(413);
    expect(await app.admin('POST', '/api/people', body(1024))).toMatchObject({ status: 201 });
    expect(await app.admin('DELETE', '/api/people/3')).toMatchObject({ status: 204 });
    expect(await post(body(1024))).toBe(201);
  });

  it('PLINTH_URL_LIMIT holds at its edge', async () => {
    const path = (bytes: number): string => '/health/live?x='.padEnd(bytes, 'x');
    expect(await app.request('GET', path(500))).toMatchObject({
      status: 400,
      body: { type: '/problems/unknown-parameter' },
    });
    expect(await app.request('GET', path(501))).toMatchObject({
      status: 414,
      body: { type: '/problems/uri-too-long', detail: 'The address is longer than the 500 bytes taken.' },
    });
    expect(await app.request('GET', `/nothing${path(501)}`)).toMatchObject({ status: 414 });
  });

  it('PLINTH_MAX_HEADERS holds at its edge', async () => {
    // Node's client adds Host and Connection.
    const headers = (count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count - 2 }, (_, index) => [`x-${index}`, 'v']));
    expect(await sendRaw(app.url, 'GET', '/health/live', headers(20))).toMatchObject({ status: 200 });
    const { status, text } = await sendRaw(app.url, 'GET', '/health/live', headers(21));
    expect([status, JSON.parse(text)]).toMatchObject([431, { type: '/problems/headers-too-large' }]);
  });

  it('PLINTH_HEADER_LIMIT holds, and counts the address', async () => {
    const ask = (path: string, value: number): Promise<{ status: number; text: string }> =>
      sendRaw(app.url, 'GET', path, { 'x-long': 'v'.repeat(value) });
    expect((await ask('/health/live', 1800)).status).toBe(200);
    const { status, text } = await ask('/health/live', 2100);
    expect([status, JSON.parse(text)]).toMatchObject([431, { type: '/problems/headers-too-large' }]);
    expect((await ask(`/health/live?${'x'.repeat(400)}`, 1800)).status).toBe(431);
  });
});
