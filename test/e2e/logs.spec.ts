import { createServer, IncomingMessage, request as httpRequest } from 'node:http';
import { Socket, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ObservedRequest } from '../../src/common/observability/observed-request.js';
import type { RequestContext } from '../../src/index.js';
import { startTestApp, type LogLine, type TestApp } from '../kit/app.js';
import { sendRaw } from '../kit/raw-request.js';
import { callService } from './docs-observability/call-service.js';
import { reportFailures } from './docs-observability/report-failures.js';
import { SOON } from '../kit/soon.js';

const SCHEMA = `
  CREATE TABLE people (
    email text PRIMARY KEY, name text, age int, height numeric, born timestamptz, rest interval, tags text[],
    meta jsonb, boss text REFERENCES people
  );
  INSERT INTO people (email, name) VALUES ('quagga@example.org', 'quagga');
  CREATE VIEW sleepers AS SELECT 1 AS id, pg_sleep(30)::text AS nap;
  CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'broken' USING ERRCODE = 'XX000', DETAIL = 'Row: ' || NEW.email;
  END $$;
  CREATE TABLE traps (email text PRIMARY KEY);
  CREATE TRIGGER trap BEFORE INSERT ON traps FOR EACH ROW EXECUTE FUNCTION refuse();
`;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`;

let lines: LogLine[] = [];
let app: TestApp;

const start = async (config: object): Promise<void> => {
  app = await startTestApp({ sql: SCHEMA, config, log: (line) => lines.push(line) });
};
const eventsOf = (event: string): LogLine[] => lines.filter((line) => line['event'] === event);

/** The line of an event about one request; written when the answer is out already. */
const lineOf = (event: string, requestId: string): Promise<LogLine> =>
  vi.waitFor(() => {
    const found = eventsOf(event).find((line) => line['requestId'] === requestId);
    if (found === undefined) throw new Error(`There is no line ${event} of ${requestId}.`);
    return found;
  }, SOON);

const query = (parameters: Readonly<Record<string, string>>): string =>
  new URLSearchParams(parameters).toString();

beforeEach(() => {
  lines = [];
});

describe('the line of a slow request', () => {
  beforeAll(() => start({ slowRequestMs: 0, logRequests: 'off', logLevel: 'info' }));
  afterAll(() => app.close());

  const ask = async (method: string, path: string, body?: unknown): Promise<LogLine> => {
    const { headers } = await app.admin(method, path, body);
    return lineOf('request.slow', headers.get('x-request-id') ?? '');
  };

  it('says where the time went, in which statement, and what the request looked like', async () => {
    const line = await ask('GET', `/api/people?${query({ filter: 'name == "x"', limit: '3' })}&sort=-age`);
    expect(line).toMatchObject({
      level: 40,
      msg: 'A request was slow',
      method: 'GET',
      route: '/api/{collection}',
      collection: 'people',
      status: 200,
      statements: 1,
      parameters: ['filter', 'limit', 'sort'],
      statement: {
        name: expect.stringMatching(/^plinth_/),
        sql: expect.stringMatching(/WHERE .*name = \$1/),
      },
    });
    const { durationMs = 0, waitMs = 0, databaseMs = 0, bytes } = line as Record<string, number>;
    expect(databaseMs).toBeGreaterThan(0);
    expect(durationMs).toBeGreaterThanOrEqual(waitMs + databaseMs);
    expect(bytes).toBeGreaterThan(10);
  });

  it('knows how many records were written, and how many statements that took', async () => {
    const created = await ask('POST', '/api/people', [{ email: 'a' }, { email: 'b' }]);
    expect(created).toMatchObject({ status: 201, statements: 1, rows: 2, parameters: [] });
    const filter = query({ filter: 'email in ["a", "b"]' });
    expect(await ask('PATCH', `/api/people?${filter}`, { age: 3 })).toMatchObject({ rows: 2 });
    const operations = ['a', 'b'].map((email) => ({ method: 'DELETE', path: `/people/${email}` }));
    const batch = await ask('POST', '/api/batch', { operations });
    // They begin and end together.
    expect(batch).toMatchObject({ route: '/api/batch', statements: 4, rows: 2 });
    expect(batch).not.toHaveProperty('collection');
  });

  it('has no literal of the request in it', async () => {
    const key = encodeURIComponent('quagga@example.org');
    const filters = [
      'name == "quagga" || name.startsWith("quagga") || name.contains("quagga") || name.matches("^quagga+")',
      'age == 918273645 || height > 73917391.5 || age in [918273645, 2]',
      'born > timestamp("2031-02-03T04:05:06Z") || rest > duration("424242s")',
      '"quagga" in tags || name in ["quagga", "zebra"]',
      'boss.name == "quagga" || people_by_boss.exists(p, p.name == "quagga")',
    ];
    const person = { email: 'quagga2', name: 'quagga', age: 918273645, meta: { quagga: 'quagga' } };
    const asked: readonly (readonly [string, string, unknown?])[] = [
      ...filters.map((filter) => ['GET', `/api/people?${query({ filter })}`] as const),
      ['GET', `/api/people?${query({ search: 'quagga' })}`],
      [
        'GET',
        `/api/people?${query({ fields: 'name,people_by_boss(name)', 'people_by_boss.filter': 'name == "quagga"' })}`,
      ],
      ['GET', `/api/people/aggregate?${query({ measures: 'count', filter: 'name != "quagga"' })}`],
      ['GET', `/api/people/${key}`],
      ['GET', '/api/people/quagga'],
      ['GET', '/api/quagga?quagga=quagga'],
      ['GET', '/api/people?cursor=quagga'],
      ['GET', '/api/people?quagga.filter=quagga'],
      ['GET', `/api/people?${query({ filter: 'quagga == 918273645' })}`],
      ['GET', '/quagga/quagga?quagga=quagga'],
      ['POST', '/api/people', person],
      ['POST', '/api/people', { ...person, quagga: 1 }],
      ['POST', '/api/people', '{"quagga": '],
      ['PUT', `/api/people/${key}`, { name: 'quagga' }],
      ['PATCH', `/api/people/${key}`, { meta: { quagga: 918273645 } }],
      ['PATCH', `/api/people?${query({ filter: 'name == "quagga"' })}`, { name: 'quagga' }],
      ['POST', '/api/batch', { operations: [{ method: 'GET', path: '/people/quagga' }] }],
      ['POST', '/api/traps', { email: 'quagga' }],
      ['DELETE', `/api/people/${key}`],
    ];
    const statuses = new Set<number>();
    for (const [index, [method, path, body]] of asked.entries()) {
      const headers = {
        cookie: 'quagga=quagga',
        ...(method === 'POST' ? { 'idempotency-key': `quagga${index}` } : {}),
      };
      statuses.add((await app.request(method, path, { key: app.adminKey, body, headers })).status);
    }
    expect([...statuses].toSorted((a, b) => a - b)).toEqual([200, 201, 204, 400, 404, 422, 500]);
    await vi.waitFor(
      () => expect(eventsOf('request.slow').length).toBeGreaterThanOrEqual(asked.length),
      SOON,
    );
    const told = lines.map(({ time: _time, pid: _pid, ...line }) => JSON.stringify(line));
    expect(told.filter((line) => /quagga|918273645|73917391|2031|424242/i.test(line))).toEqual([]);
    expect(told.filter((line) => line.includes(app.adminKey))).toEqual([]);
  });
});

describe('the lines of requests', () => {
  beforeAll(() =>
    start({ slowRequestMs: 'off', logRequests: 'info', logLevel: 'info', statementTimeoutMs: 100 }),
  );
  afterAll(() => app.close());

  it('are one for each, with its ids, and without its query', async () => {
    const headers = { traceparent: TRACEPARENT, 'x-request-id': 'mine' };
    await app.request('GET', `/api/people?${query({ filter: 'name == "quagga"' })}`, {
      key: app.adminKey,
      headers,
    });
    const line = await lineOf('request.finished', 'mine');
    expect(line).toMatchObject({
      level: 30,
      traceId: TRACE,
      method: 'GET',
      path: '/api/people',
      status: 200,
    });
    expect(eventsOf('request.finished').filter(({ requestId }) => requestId === 'mine')).toHaveLength(1);
    expect(eventsOf('request.slow')).toEqual([]);
    expect(JSON.stringify(lines)).not.toContain('quagga');
  });

  it('say under which ids a request could not be served', async () => {
    const headers = { traceparent: TRACEPARENT, 'x-request-id': 'asleep' };
    const answer = await app.request('GET', '/api/sleepers', { key: app.adminKey, headers });
    expect(answer.status).toBe(503);
    expect(await lineOf('request.unserved', 'asleep')).toMatchObject({
      level: 40,
      traceId: TRACE,
      method: 'GET',
      problem: 'statement-timeout',
      error: { code: '57014' },
    });
  });

  it('tell a failure without the values that the database tells', async () => {
    const answer = await app.admin('POST', '/api/traps', { email: 'quagga' });
    expect(answer.status).toBe(500);
    const line = await lineOf('request.failed', answer.headers.get('x-request-id') ?? '');
    expect(line).toMatchObject({
      level: 50,
      problem: 'internal-error',
      error: { message: expect.stringMatching(/^XX000: raised by a function/) },
    });
    expect(line['traceId']).toMatch(/^[\da-f]{32}$/);
    expect(JSON.stringify(lines)).not.toContain('quagga');
  });

  it('ignore a traceparent that is none', async () => {
    await sendRaw(app.url, 'GET', '/health/live', {
      traceparent: `${TRACEPARENT}-more`,
      'x-request-id': 'malformed',
    });
    const line = await lineOf('request.finished', 'malformed');
    expect(line['traceId']).toMatch(/^[\da-f]{32}$/);
    expect(line['traceId']).not.toBe(TRACE);
  });

  it('say that a client left before it was answered', async () => {
    const client = await app.database.pool.connect();
    await client.query('BEGIN; LOCK TABLE people IN ACCESS EXCLUSIVE MODE');
    const headers = { authorization: `Bearer ${app.adminKey}`, 'x-request-id': 'gone' };
    const asked = httpRequest(`${app.url}/api/people`, { headers });
    asked.on('error', () => {}).end();
    await vi.waitFor(async () => {
      const { rowCount } = await client.query('SELECT FROM pg_locks WHERE NOT granted');
      expect(rowCount).toBeGreaterThan(0);
    }, SOON);
    asked.destroy();
    const line = await lineOf('request.finished', 'gone');
    await client.query('COMMIT');
    client.release();
    expect(line).toMatchObject({ isAborted: true });
    expect(line).not.toHaveProperty('status');
  });
});

describe('a host application', () => {
  it('hears of failures through a sink of its own, and lets other services go on in a trace', async () => {
    await start({ logLevel: 'fatal' });
    const other = createServer((request, response) => response.end(JSON.stringify(request.headers)));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const reported: string[] = [];
    reportFailures(app.server.app, (error, requestId) => reported.push(`${requestId} ${String(error)}`));
    const headers = { 'x-request-id': 'fails' };
    await app.request('POST', '/api/traps', { key: app.adminKey, body: { email: 'x' }, headers });
    expect(reported).toEqual([expect.stringMatching(/^fails Error: XX000: raised by a function/)]);

    const { port } = other.address() as AddressInfo;
    const incoming = Object.assign(new IncomingMessage(new Socket()), {
      headers: { traceparent: TRACEPARENT },
    });
    const { trace } = new ObservedRequest('calls', incoming);
    const context = { trace } as RequestContext;
    const answer = await callService(context, `http://127.0.0.1:${port}/`);
    expect(await answer.json()).toMatchObject({ traceparent: TRACEPARENT });
    other.close();
    await app.close();
  });
});

describe('a server', () => {
  it('warns of a schema that is not there', async () => {
    await start({ schemas: ['public', 'shpo'], logLevel: 'warn' });
    try {
      expect(lines.filter(({ schema }) => schema !== undefined)).toMatchObject([
        { level: 40, schema: 'shpo', msg: 'There is no such schema: create it, or correct PLINTH_SCHEMAS' },
      ]);
    } finally {
      await app.close();
    }
  });

  it('tells facts under stable names', async () => {
    await start({ logLevel: 'debug' });
    await app.database.query('CREATE TABLE more (id int)');
    await vi.waitFor(() => expect(eventsOf('catalog.read')).toHaveLength(2), SOON);
    await app.request('GET', '/health/live');
    await app.close();
    const events = new Set(lines.map(({ event }) => event));
    for (const event of [
      'catalog.read',
      'catalog.followed',
      'access.loaded',
      'request.finished',
      'database.closed',
    ]) {
      expect(events).toContain(event);
    }
    expect(events).not.toContain('request.slow');
  });
});
