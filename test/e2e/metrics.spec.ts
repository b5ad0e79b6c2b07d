import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { METRICS } from '../../src/common/observability/metrics/metric-definitions.js';
import { startTestApp, type TestApp } from '../kit/app.js';
import { BLOG_SQL } from '../kit/blog.js';
import { createContract } from '../kit/contract.js';
import { parseMetrics, type Scrape } from '../kit/parse-metrics.js';
import { sendRaw } from '../kit/raw-request.js';
import { SOON } from '../kit/soon.js';

const TOKEN = 'scraper-token-0123456789';
const DURATION = 'plinth_http_request_duration_seconds_count';

/** Raises a serialization failure the first time only: what a sequence counts is not taken back. */
const RACE_SQL = `
  CREATE SEQUENCE attempts;
  CREATE TABLE races (id int PRIMARY KEY);
  CREATE FUNCTION lose_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('attempts') = 1 THEN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER lose BEFORE INSERT ON races FOR EACH ROW EXECUTE FUNCTION lose_once();
`;

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ sql: BLOG_SQL + RACE_SQL, config: { metricsToken: TOKEN, poolSize: 2 } });
});

afterAll(async () => {
  await app.close();
});

async function scrape(of = app): Promise<Scrape> {
  const { text } = await sendRaw(of.url, 'GET', '/metrics', { authorization: `Bearer ${of.adminKey}` });
  return parseMetrics(text);
}

/** How much samples grew while `work` ran. */
async function growth(
  work: () => Promise<unknown>,
): Promise<(name: string, labels?: Record<string, string>) => number> {
  const before = await scrape();
  await work();
  const after = await scrape();
  return (name, labels) => after.value(name, labels) - before.value(name, labels);
}

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
const statusOf = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
  (await sendRaw(app.url, 'GET', path, headers)).status;

/** Requests that wait for as long as `work` runs, because another transaction has the table. */
async function whileLocked(table: string, work: () => Promise<unknown>): Promise<void> {
  const client = await app.database.pool.connect();
  try {
    await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
    await work();
  } finally {
    await client.query('COMMIT');
    client.release();
  }
}

const untilBlocked = (count: number): Promise<unknown> =>
  vi.waitFor(async () => {
    const [row] = await app.database.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'plinth' AND wait_event_type = 'Lock'`,
    );
    expect(row?.n).toBe(count);
  }, SOON);

describe('who may read metrics', () => {
  it('is the role admin and the holder of the token, and nobody else', async () => {
    const member = await app.keyFor('member', []);
    expect(await statusOf('/metrics')).toBe(401);
    expect(await statusOf('/metrics', bearer(member))).toBe(403);
    expect(await statusOf('/metrics', bearer(app.adminKey))).toBe(200);
    expect(await statusOf('/metrics', bearer(TOKEN))).toBe(200);
    for (const wrong of [`${TOKEN}x`, TOKEN.slice(1), TOKEN.toUpperCase(), 'null', 'undefined']) {
      expect([wrong, await statusOf('/metrics', bearer(wrong))]).toEqual([wrong, 401]);
    }
  });

  it('is told by a token that opens nothing else', async () => {
    for (const path of [
      '/health/live',
      '/openapi.json',
      '/api/posts',
      '/system/keys',
      '/docs',
      '/metrics/x',
    ]) {
      expect([path, await statusOf(path, bearer(TOKEN))]).toEqual([path, path === '/metrics/x' ? 404 : 401]);
    }
  });

  it('is in the document of admins, whose answers are as it says', async () => {
    expect((await app.admin('GET', '/metrics')).status).toBe(200);
    expect((await app.admin('GET', '/metrics?format=json')).status).toBe(400);
    const { body: admins } = await app.admin('GET', '/openapi.json');
    const { body: publics } = await app.request('GET', '/openapi.json');
    expect(Object.keys(publics.paths)).not.toContain('/metrics');
    const response = await fetch(`${app.url}/metrics`, { headers: bearer(TOKEN) });
    const exchange = { status: response.status, headers: response.headers, text: await response.text() };
    const asked = { method: 'GET', path: '/metrics', requestHeaders: new Headers() };
    expect(createContract(admins).check({ ...asked, ...exchange })).toEqual([]);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('is a setting: everybody, or nobody', async () => {
    const [open, closed] = await Promise.all([
      startTestApp({ config: { metrics: 'public', metricsToken: TOKEN } }),
      startTestApp({ config: { metrics: 'off', metricsToken: TOKEN } }),
    ]);
    try {
      expect((await open.request('GET', '/metrics')).status).toBe(200);
      const { status } = await sendRaw(open.url, 'GET', '/metrics', bearer(TOKEN));
      expect(status).toBe(200);
      expect((await closed.admin('GET', '/metrics')).status).toBe(404);
      const { body } = await closed.admin('GET', '/openapi.json');
      expect(Object.keys(body.paths)).not.toContain('/metrics');
    } finally {
      await Promise.all([open.close(), closed.close()]);
    }
  });
});

describe('metrics', () => {
  it('are in the format of Prometheus, each with its help and type', async () => {
    await app.admin('GET', '/api/posts');
    const { types } = await scrape();
    expect(Object.fromEntries(types)).toEqual(
      Object.fromEntries(
        Object.entries(METRICS)
          .filter(([name]) => types.has(name))
          .map(([name, { type }]) => [name, type]),
      ),
    );
    const missing = Object.keys(METRICS).filter((name) => !types.has(name));
    // Nothing has failed, nobody signed in, no job was done, and there are neither workers nor standbys.
    expect(missing.toSorted()).toEqual([
      'plinth_job_duration_seconds',
      'plinth_jobs_rescued_total',
      'plinth_reads_total',
      'plinth_replica_in_use',
      'plinth_replica_lag_seconds',
      'plinth_replica_reads_moved_total',
      'plinth_sign_in_events_total',
      'plinth_statement_failures_total',
      'plinth_worker_deaths_total',
      'plinth_workers',
    ]);
  });

  it('count requests by method, route, collection and status', async () => {
    const grown = await growth(async () => {
      await app.admin('GET', '/api/posts?limit=1');
      await app.admin('GET', '/api/posts?limit=2');
      await app.admin('GET', '/api/posts/1');
      await app.admin('GET', '/api/posts/999');
      await app.admin('PATCH', '/api/authors/1', { name: 'Ada L.' });
      await app.admin('POST', '/api/batch', { operations: [{ method: 'GET', path: '/posts' }] });
    });
    const count = (method: string, route: string, collection: string, status: string): number =>
      grown(DURATION, { method, route, collection, status });
    expect(count('GET', '/api/{collection}', 'posts', '2xx')).toBe(2);
    expect(count('GET', '/api/{collection}/{key}', 'posts', '2xx')).toBe(1);
    expect(count('GET', '/api/{collection}/{key}', 'posts', '4xx')).toBe(1);
    expect(count('PATCH', '/api/{collection}/{key}', 'authors', '2xx')).toBe(1);
    expect(count('POST', '/api/batch', '', '2xx')).toBe(1);
  });

  it('count statements by what they are part of, and the plans that were found', async () => {
    const grown = await growth(async () => {
      await app.admin('GET', '/api/authors?filter=name == "x"');
      await app.admin('GET', '/api/authors?filter=name == "y"');
      await app.admin('PATCH', '/api/posts/1', { views: 11 });
      await app.admin('POST', '/api/batch', { operations: [{ method: 'GET', path: '/authors' }] });
    });
    const statements = (work: string): number => grown('plinth_statement_duration_seconds_count', { work });
    // A batch begins, reads and commits.
    expect([statements('read'), statements('write'), statements('batch')]).toEqual([2, 1, 3]);
    expect(grown('plinth_connection_wait_seconds_count')).toBe(4);
    expect(grown('plinth_plan_cache_hits_total', { cache: 'read' })).toBe(1);
    expect(grown('plinth_plan_cache_misses_total', { cache: 'read' })).toBe(2);
    expect(grown('plinth_plan_cache_entries', { cache: 'read' })).toBe(2);
    expect(grown('plinth_plan_cache_misses_total', { cache: 'write' })).toBe(1);
  });

  it('count what was rejected by its problem, also what was no request at all', async () => {
    const grown = await growth(async () => {
      await app.admin('GET', '/api/posts?nonsense=1');
      await app.admin('POST', '/api/posts', '{"title":');
      await app.request('DELETE', '/openapi.json');
      await app.request('GET', '/api/posts', { key: 'plinth_nobody' });
      await sendRaw(app.url, 'GET', '/api/%zz');
      await speak('THIS IS NO HTTP\r\n\r\n');
    });
    const rejected = (problem: string): number => grown('plinth_http_requests_rejected_total', { problem });
    expect(rejected('unknown-parameter')).toBe(1);
    expect(rejected('invalid-json')).toBe(1);
    expect(rejected('method-not-allowed')).toBe(1);
    expect(rejected('unauthenticated')).toBeGreaterThanOrEqual(1);
    expect(rejected('invalid-request')).toBe(2);
    expect(grown(DURATION, { route: '(unmatched)', method: 'DELETE', status: '4xx' })).toBe(1);
  });

  it('do not grow with what strangers ask for', async () => {
    const shapes = async (): Promise<number> => {
      const { samples } = await scrape();
      return samples.length;
    };
    const ask = (name: string): Promise<unknown> =>
      Promise.all([
        sendRaw(app.url, 'GET', `/api/${name}?${name}=1`),
        sendRaw(app.url, 'GET', `/api/${name}/${name}`),
        sendRaw(app.url, 'GET', `/${name}`),
        sendRaw(app.url, 'PROPFIND', `/${name}`),
        sendRaw(app.url, 'GET', `/docs/${name}`),
      ]);
    await ask('first');
    const before = await shapes();
    for (let number = 0; number < 40; number += 1) await ask(`stranger${number}`);
    for (const method of ['MKCOL', 'LOCK', 'TRACE', 'SEARCH']) await sendRaw(app.url, method, '/x');
    expect(await shapes()).toBe(before);
    expect((await scrape()).samples.some(({ labels }) => JSON.stringify(labels).includes('stranger'))).toBe(
      false,
    );
  });

  it('count retries by reason and replays of idempotent writes', async () => {
    const grown = await growth(async () => {
      expect((await app.admin('POST', '/api/races', { id: 1 })).status).toBe(201);
      const headers = { 'idempotency-key': 'once' };
      for (const replayed of [null, 'true']) {
        const answer = await app.admin('POST', '/api/races', { id: 2 }, headers);
        expect(answer.headers.get('idempotency-replayed')).toBe(replayed);
      }
    });
    expect(grown('plinth_http_request_retries_total', { reason: 'serialization' })).toBe(1);
    expect(grown('plinth_http_request_retries_total')).toBe(1);
    expect(grown('plinth_idempotency_replays_total')).toBe(1);
    expect(grown('plinth_statement_failures_total', { class: '40' })).toBe(1);
  });

  it('follow the catalog and the access rules', async () => {
    const before = await scrape();
    const version = before.samples.find(({ name }) => name === 'plinth_catalog_info');
    await app.keyFor('reader', [{ collection: 'titles', action: 'read', fields: ['title'] }]);
    await app.database.query('DROP VIEW titles; CREATE TABLE notes (id int PRIMARY KEY)');
    await vi.waitFor(async () => {
      const after = await scrape();
      const now = after.samples.filter(({ name }) => name === 'plinth_catalog_info');
      expect(now).toHaveLength(1);
      expect(now[0]?.labels).not.toEqual(version?.labels);
      expect(after.value('plinth_catalog_refreshes_total')).toBeGreaterThan(
        before.value('plinth_catalog_refreshes_total'),
      );
      expect(after.value('plinth_catalog_collections')).toBe(before.value('plinth_catalog_collections'));
      expect(after.value('plinth_access_reloads_total')).toBeGreaterThan(
        before.value('plinth_access_reloads_total'),
      );
      expect(after.value('plinth_access_policies', { state: 'broken' })).toBe(1);
    }, SOON);
  });

  it('tell of the process: event loop, collections of garbage, memory, version', async () => {
    const before = await scrape();
    const waste: unknown[] = [];
    await vi.waitFor(async () => {
      waste.splice(0, waste.length, ...Array.from({ length: 100_000 }, (_, index) => ({ index })));
      const after = await scrape();
      expect(after.value('nodejs_gc_duration_seconds_count')).toBeGreaterThan(
        before.value('nodejs_gc_duration_seconds_count'),
      );
    }, SOON);
    const { value, samples } = await scrape();
    const startedAt = Date.now() / 1000 - process.uptime();
    expect(Math.abs(value('process_start_time_seconds') - startedAt)).toBeLessThan(5);
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(2 ** 20);
    expect(value('nodejs_heap_size_used_bytes')).toBeLessThanOrEqual(value('nodejs_heap_size_total_bytes'));
    expect(value('nodejs_eventloop_time_seconds_total', { state: 'active' })).toBeGreaterThan(
      before.value('nodejs_eventloop_time_seconds_total', { state: 'active' }),
    );
    expect(value('nodejs_eventloop_lag_max_seconds')).toBeLessThan(30);
    const build = samples.find(({ name }) => name === 'plinth_build_info');
    expect(build?.labels['version']).toMatch(/^\d+\.\d+\.\d+/);
  });
});

describe('metrics of requests that wait', () => {
  it('tell connections, those who wait for one, and the requests in flight', async () => {
    let waiting: Promise<Response>[] = [];
    await whileLocked('posts', async () => {
      waiting = Array.from({ length: 5 }, () =>
        fetch(`${app.url}/api/posts`, { headers: bearer(app.adminKey) }),
      );
      await untilBlocked(2);
      await vi.waitFor(async () => {
        const { value } = await scrape();
        expect(value('plinth_pool_waiting', { pool: 'requests' })).toBe(3);
        expect(value('plinth_pool_connections', { pool: 'requests', state: 'used' })).toBe(2);
        expect(value('plinth_pool_connections', { pool: 'requests', state: 'idle' })).toBe(0);
        expect(value('plinth_pool_connections_max', { pool: 'requests' })).toBe(2);
        // The scrape itself is one of them.
        expect(value('plinth_http_requests_in_flight')).toBe(6);
      }, SOON);
    });
    for (const answer of await Promise.all(waiting)) expect(await answer.json()).toHaveProperty('data');
    await vi.waitFor(
      async () => expect((await scrape()).value('plinth_http_requests_in_flight')).toBe(1),
      SOON,
    );
  });

  it('end with the client that leaves, also behind others on its connection', async () => {
    const aborted = (scraped: Scrape): number =>
      scraped.value(DURATION, { status: 'aborted', collection: 'posts' });
    const before = aborted(await scrape());
    await whileLocked('posts', async () => {
      const request = `GET /api/posts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${app.adminKey}\r\n\r\n`;
      const socket = await open(request.repeat(3));
      await vi.waitFor(
        async () => expect((await scrape()).value('plinth_http_requests_in_flight')).toBe(4),
        SOON,
      );
      socket.destroy();
      await vi.waitFor(async () => {
        const after = await scrape();
        expect(after.value('plinth_http_requests_in_flight')).toBe(1);
        expect(aborted(after) - before).toBe(3);
      }, SOON);
    });
  });
});

describe('metrics of short reads', () => {
  it('count each once, whichever connection it took', async () => {
    const wide = await startTestApp({ sql: BLOG_SQL, config: { poolSize: 8 } });
    try {
      const before = await scrape(wide);
      let asked = 0;
      const readMany = async (): Promise<void> => {
        const paths = Array.from({ length: 20 }, (_, index) => `/api/posts/${(index % 3) + 1}`);
        await Promise.all(paths.map((path) => sendRaw(wide.url, 'GET', path, bearer(wide.adminKey))));
        asked += paths.length;
      };
      await vi.waitFor(async () => {
        await readMany();
        const { value } = await scrape(wide);
        expect(value('plinth_pool_connections', { pool: 'lanes' })).toBeGreaterThan(0);
      }, SOON);
      for (let round = 0; round < 5; round += 1) await readMany();
      const after = await scrape(wide);
      const name = 'plinth_statement_duration_seconds_count';
      expect(after.value(name, { work: 'read' }) - before.value(name, { work: 'read' })).toBe(asked);
      expect(after.value('plinth_pool_connections_max')).toBe(8);
      expect(after.value('plinth_lane_statements')).toBe(0);
    } finally {
      await wide.close();
    }
  });
});

/** A connection to the server on which `text` was sent. */
function open(text: string): Promise<Socket> {
  const { hostname, port } = new URL(app.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text, () => resolve(socket)));
    socket.on('error', reject);
  });
}

/** Sends what may be no HTTP, and waits for the server to close. */
async function speak(text: string): Promise<void> {
  const socket = await open(text);
  socket.resume();
  await new Promise((resolve) => socket.on('close', resolve));
}
