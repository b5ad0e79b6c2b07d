import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkReplicas } from '../../src/commands/doctor/check-replicas.js';
import { startTestApp, type TestApp, type TestResponse } from '../kit/app.js';
import { createTestDatabase, databaseUrl, testServerUrl, type TestDatabase } from '../kit/database.js';
import { parseMetrics } from '../kit/parse-metrics.js';
import { startPostgresProxy } from '../kit/postgres-proxy.js';
import { startReplicatedPostgres, type ReplicatedPostgres, type Standby } from '../kit/standby.js';

const SCHEMA = `
  CREATE TABLE items (id int PRIMARY KEY, title text NOT NULL);
  INSERT INTO items SELECT i, 'Item ' || i FROM generate_series(1, 3000) i;
  CREATE VIEW servers AS SELECT inet_server_port() AS port, i AS place FROM generate_series(1, 1500) i;
  CREATE VIEW slow AS SELECT id, pg_sleep(0.05)::text AS slept FROM items WHERE id <= 40;
`;
const MAX_LAG_MS = 2000;
/** Until something has come about, at most. */
const WAIT = { timeout: 20_000, interval: 50 };
const TOKEN = 'plinth-position';

let postgres: ReplicatedPostgres;
let standby: Standby;
let other: Standby;
let database: TestDatabase;
let app: TestApp;
beforeAll(async () => {
  // Replaying the log never waits for a query that is in its way.
  postgres = await startReplicatedPostgres(2, { max_standby_streaming_delay: '0' });
  [standby, other] = postgres.standbys as [Standby, Standby];
  database = await createTestDatabase({ serverUrl: postgres.url, sql: SCHEMA });
  app = await startTestApp({
    database,
    config: { replicaUrls: [urlOf(standby)], replicaMaxLagMs: MAX_LAG_MS, maxLimit: 5000 },
  });
  await untilReadFrom(standby.url);
});
afterAll(async () => {
  await app?.close();
  await database?.drop();
  await postgres?.remove();
});

const urlOf = ({ url }: Standby): string => databaseUrl(url, database.name);
const portOf = (url: string): number => Number(new URL(url).port);

async function onStandby(text: string, at = standby): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: urlOf(at) });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

/** The same, again where replaying the log ends it. */
const untilDone = (text: string): Promise<unknown> => vi.waitFor(() => onStandby(text), WAIT);

/** The port of the server that answers a read. */
async function readingPort(of = app): Promise<number> {
  const { status, body } = await of.admin('GET', '/api/servers?limit=1&sort=place');
  return status === 200 ? Number(body.data[0].port) : -1;
}

const untilReadFrom = (url: string, of = app): Promise<void> =>
  vi.waitFor(async () => expect(await readingPort(of)).toBe(portOf(url)), WAIT);

async function metric(name: string, labels: Record<string, string> = {}, of = app): Promise<number> {
  return parseMetrics((await of.admin('GET', '/metrics')).text).value(name, labels);
}

const moved = (): Promise<number> => metric('plinth_replica_reads_moved_total', { replica: standby.name });

/** While `work` runs, the standby receives the log and does not replay it. */
async function whilePaused(work: () => Promise<unknown>): Promise<void> {
  await untilDone('SELECT pg_wal_replay_pause()');
  await expect
    .poll(() => onStandby('SELECT pg_get_wal_replay_pause_state() AS state'))
    .toEqual([{ state: 'paused' }]);
  try {
    await work();
  } finally {
    await untilDone('SELECT pg_wal_replay_resume()');
  }
}

const tokenOf = ({ status, headers }: TestResponse): Record<string, string> => {
  expect(status).toBeLessThan(300);
  expect(headers.get(TOKEN)).toMatch(/^[\w-]{32}$/);
  return { [TOKEN]: headers.get(TOKEN) ?? '' };
};

const get = (path: string, headers?: Record<string, string>): Promise<TestResponse> =>
  app.admin('GET', path, undefined, headers);

describe('with a standby', () => {
  it('reads of every kind are its, and writes are the primary’s', async () => {
    const before = await metric('plinth_reads_total', { server: standby.name });
    const port = portOf(standby.url);
    const ports = (await get('/api/servers?limit=1500')).body.data as { port: number }[];
    expect(new Set(ports.map((row) => row.port))).toEqual(new Set([port]));
    expect((await get('/api/servers/aggregate?measures=count&groupBy=port')).body.data).toEqual([
      { port, count: 1500 },
    ]);
    expect((await get('/api/items/1')).body).toEqual({ id: 1, title: 'Item 1' });
    expect((await get('/api/items/1', { 'if-none-match': '*' })).status).toBe(304);
    expect((await app.admin('PATCH', '/api/items/1', { title: 'Item one' })).status).toBe(200);
    expect(await metric('plinth_reads_total', { server: standby.name })).toBe(before + 4);
    expect(await metric('plinth_replica_in_use', { replica: standby.name })).toBe(1);
    expect(await metric('plinth_replica_lag_seconds', { replica: standby.name })).toBeLessThan(
      MAX_LAG_MS / 1000,
    );
    expect(await metric('plinth_pool_connections', { pool: `requests@${standby.name}` })).toBeGreaterThan(0);
  });

  it('a client that sends the token of a write of any kind reads what it wrote', async () => {
    const [first, second] = [
      { id: 10_001, title: 'new' },
      { id: 10_002, title: 'new' },
    ];
    const once = { 'idempotency-key': 'once' };
    await whilePaused(async () => {
      const created = tokenOf(await app.admin('POST', '/api/items', first));
      expect((await get('/api/items/10001')).status).toBe(404);
      expect((await get('/api/items/10001', created)).body).toEqual(first);
      expect((await get('/api/items?filter=id > 10000', created)).body.data).toEqual([first]);
      expect((await get('/api/items/aggregate?filter=id > 10000', created)).body.data).toEqual([
        { count: 1 },
      ]);

      const title = async (token: Record<string, string>): Promise<unknown> =>
        (await get('/api/items/10001', token)).body.title;
      const patch = { title: 'patched' };
      expect(await title(tokenOf(await app.admin('PATCH', '/api/items/10001', patch)))).toBe('patched');
      const replaced = await app.admin('PUT', '/api/items/10001', { title: 'put' });
      expect(await title(tokenOf(replaced))).toBe('put');
      const many = await app.admin('PATCH', '/api/items?filter=id > 10000', { title: 'all' });
      expect(await title(tokenOf(many))).toBe('all');
      const batch = { operations: [{ method: 'PATCH', path: '/items/10001', body: { title: 'batch' } }] };
      expect(await title(tokenOf(await app.admin('POST', '/api/batch', batch)))).toBe('batch');

      const kept = await app.admin('POST', '/api/items', second, once);
      expect((await get('/api/items/10002', tokenOf(kept))).body).toEqual(second);
      const replayed = await app.admin('POST', '/api/items', second, once);
      expect(replayed.headers.get('idempotency-replayed')).toBe('true');
      expect((await get('/api/items/10002', tokenOf(replayed))).body).toEqual(second);
      const deleted = tokenOf(await app.admin('DELETE', '/api/items/10002'));
      expect((await get('/api/items/10002', deleted)).status).toBe(404);
    });
  });

  it('a refused write changes nothing, leaves the connection sound, and has no token', async () => {
    const refused = await app.admin('POST', '/api/items', { id: 1, title: 'again' });
    expect([refused.status, refused.headers.get(TOKEN)]).toEqual([409, null]);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        app.admin('POST', '/api/items', { id: index % 2 === 0 ? 1 : 20_000 + index, title: 'x' }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map((_, index) => (index % 2 ? 201 : 409)));
    const open = await database.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
    );
    expect(open).toHaveLength(0);
  });

  it('a read with a token is the standby’s again as soon as it has caught up', async () => {
    const token = tokenOf(await app.admin('PATCH', '/api/items/2', { title: 'caught up' }));
    await expect
      .poll(async () => {
        const before = await metric('plinth_reads_total', { server: standby.name });
        expect((await get('/api/items/2', token)).body.title).toBe('caught up');
        return (await metric('plinth_reads_total', { server: standby.name })) - before;
      })
      .toBe(1);
  });

  it('tokens that were not given by this server are refused with what is wrong', async () => {
    const { [TOKEN]: token = '' } = tokenOf(await app.admin('PATCH', '/api/items/3', { title: 'x' }));
    const changed = (token.startsWith('A') ? 'B' : 'A') + token.slice(1);
    for (const wrong of ['', '0/1', '-1', 'null', changed, token.slice(1), `${token}A`, 'f'.repeat(20_000)]) {
      const { status, body } = await get('/api/items/3', { [TOKEN]: wrong });
      expect([wrong.slice(0, 40), status, body.type]).toEqual([
        wrong.slice(0, 40),
        400,
        '/problems/invalid-parameter',
      ]);
      expect(body.detail).toContain('Plinth-Position');
    }
  });

  it('a change of the schema that it has not replayed yet fails no read', async () => {
    const before = await moved();
    await whilePaused(async () => {
      await database.query(`ALTER TABLE items ADD COLUMN colour text NOT NULL DEFAULT 'red'`);
      await expect.poll(async () => (await get('/api/items/4')).body.colour).toBe('red');
      expect((await get('/api/items?fields=id,colour&limit=2000')).status).toBe(200);
    });
    expect(await moved()).toBeGreaterThan(before);
  });

  it('a read that replaying the log ends there is read from the primary', async () => {
    await untilReadFrom(standby.url);
    const before = await moved();
    // Of statements that were in the way of another transaction, or of the log.
    const failures = (): Promise<number> => metric('plinth_statement_failures_total', { class: '40' });
    const failed = await failures();
    const reading = get('/api/slow?limit=100');
    await expect
      .poll(() =>
        onStandby(
          `SELECT 1 FROM pg_stat_activity WHERE query LIKE '%"slow"%' AND state = 'active' AND pid <> pg_backend_pid()`,
        ),
      )
      .toHaveLength(1);
    await database.query('DELETE FROM items WHERE id > 2000');
    await database.query('VACUUM items');
    const { status, body } = await reading;
    expect([status, body.data.length]).toEqual([200, 40]);
    expect(await moved()).toBe(before + 1);
    expect(await failures()).toBe(failed + 1);
  });

  it('one that is too far behind is left out, and taken in again', async () => {
    await untilReadFrom(standby.url);
    await whilePaused(async () => {
      await database.query(`UPDATE items SET title = 'late' WHERE id = 5`);
      await untilReadFrom(postgres.url);
      expect((await get('/api/items/5')).body.title).toBe('late');
      expect(await metric('plinth_replica_in_use')).toBe(0);
    });
    await untilReadFrom(standby.url);
  });

  it('one that is killed under load fails no request, and is taken in again when it is back', async () => {
    const over = new AbortController();
    const statuses = new Map<number, number>();
    const read = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const { status } = await fetch(`${app.url}/api/items/6`, { headers: { 'x-api-key': app.adminKey } });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    const load = Promise.all(Array.from({ length: 4 }, read));
    await expect.poll(() => statuses.get(200)).toBeGreaterThan(200);
    await standby.kill();
    await untilReadFrom(postgres.url);
    const ready = await app.request('GET', '/health/ready');
    await standby.start();
    await untilReadFrom(standby.url);
    over.abort();
    await load;
    expect([...statuses.keys()]).toEqual([200]);
    expect(ready.status).toBe(200);
  });

  it('the document says how to send tokens, and where they come from', async () => {
    const { body } = await app.admin('GET', '/openapi.json');
    const { '/api/items': items, '/api/batch': batch } = body.paths;
    expect(items.get.parameters).toContainEqual({ $ref: '#/components/parameters/Plinth-Position' });
    for (const answer of [items.post.responses[201], batch.post.responses[200]]) {
      expect(answer.headers['Plinth-Position']).toEqual({ $ref: '#/components/headers/Plinth-Position' });
    }
    expect(body.components.parameters['Plinth-Position'].in).toBe('header');
  });

  it('the doctor tells which servers are standbys of the primary', async () => {
    const replicaUrls = [urlOf(standby), database.url, testServerUrl(), 'postgres://x:secret@127.0.0.1:1/x'];
    const findings = await checkReplicas({ databaseUrl: database.url, replicaUrls });
    expect(findings.map(({ status }) => status)).toEqual(['ok', 'warning', 'warning', 'warning']);
    const told = JSON.stringify(findings);
    for (const part of ['is a standby', 'is no standby', 'another database system', 'Start PostgreSQL'])
      expect(told).toContain(part);
    expect(told).not.toContain('secret');
  });
});

describe('with several standbys', () => {
  let many: TestApp;
  let proxy: Awaited<ReturnType<typeof startPostgresProxy>>;
  beforeAll(async () => {
    proxy = await startPostgresProxy(urlOf(standby));
    many = await startTestApp({ database, config: { replicaUrls: [proxy.url, urlOf(other)] } });
  });
  afterAll(async () => {
    await many?.close();
    await proxy?.close();
  });
  const inUse = (): Promise<number> => metric('plinth_replica_in_use', {}, many);

  it('all of them are read from', async () => {
    const seen = new Set<number>();
    await expect.poll(async () => seen.add(await readingPort(many)).size).toBeGreaterThanOrEqual(2);
    await expect.poll(inUse).toBe(2);
    for (let count = 0; count < 4; count += 1) seen.add(await readingPort(many));
    expect(seen).toContain(portOf(standby.url));
    expect(seen).toContain(portOf(other.url));
  });

  it('one that goes silent leaves no read without an answer', async () => {
    proxy.silence();
    const answers = await Promise.all(Array.from({ length: 20 }, () => many.admin('GET', '/api/items/7')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    await expect.poll(inUse).toBe(1);
    expect(await readingPort(many)).toBe(portOf(other.url));
  });

  it('one that becomes a primary is left out, so that nobody reads of another history', async () => {
    await onStandby('SELECT pg_promote(true)', other);
    await untilReadFrom(postgres.url, many);
    expect(await inUse()).toBe(0);
  });
});

describe('without standbys', () => {
  it('writes have no token, and reads ignore one', async () => {
    const plain = await startTestApp({ database });
    try {
      const { headers } = await plain.admin('PATCH', '/api/items/8', { title: 'x' });
      expect(headers.get(TOKEN)).toBeNull();
      const read = await plain.admin('GET', '/api/items/8', undefined, { [TOKEN]: 'anything' });
      expect(read.status).toBe(200);
      const { text } = await plain.admin('GET', '/openapi.json');
      expect(text).not.toContain('Plinth-Position');
    } finally {
      await plain.close();
    }
  });
});
