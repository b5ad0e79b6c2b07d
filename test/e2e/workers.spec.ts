import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { Agent, request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { insertAdminKey } from '../kit/admin-key.js';
import { createTestDatabase, type TestDatabase } from '../kit/database.js';
import { parseMetrics, type Scrape } from '../kit/parse-metrics.js';
import {
  BUILD_TIMEOUT_MS,
  ensureBuilt,
  runPlinth,
  servePlinth,
  type ServingProcess,
} from '../kit/plinth-process.js';
import { SOON } from '../kit/soon.js';

// Processes are started, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** What a change has until it holds everywhere. */

let database: TestDatabase;
let server: ServingProcess;
let key: string;
beforeAll(async () => {
  await ensureBuilt();
  database = await createTestDatabase({ sql: 'CREATE TABLE notes (id int PRIMARY KEY)' });
  server = await servePlinth({
    env: {
      DATABASE_URL: database.url,
      PLINTH_WORKERS: '2',
      PLINTH_LOG_REQUESTS: 'info',
      PLINTH_RATE_LIMIT_PUBLIC: '40/h',
    },
  });
  key = await insertAdminKey(database.url);
}, BUILD_TIMEOUT_MS);
afterAll(async () => {
  server?.send('SIGKILL');
  await database?.drop();
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly requestId: string;
}

interface Ask {
  /** Default: a connection for this request alone. */
  readonly agent?: Agent | undefined;
  readonly body?: object;
  /** Default: the admin's. */
  readonly as?: string | null;
}

async function ask(method: string, path: string, { agent, body, as = key }: Ask = {}): Promise<Answer> {
  const asked = request(server.url + path, {
    agent: agent ?? false,
    method,
    headers: {
      ...(as === null ? {} : { 'x-api-key': as }),
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    // Nothing may be left hanging.
    signal: AbortSignal.timeout(20_000),
  });
  asked.end(body && JSON.stringify(body));
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode ?? 0, text, requestId: String(answer.headers['x-request-id']) };
}

/** Which worker answered a request, as the log tells. */
const workerOf = async ({ requestId }: Answer): Promise<number> =>
  Number((await server.logged((line) => line['requestId'] === requestId))['worker']);

/** The process that has this number now: the log tells of each that starts. */
const pidOf = (worker: number): number =>
  Number(
    server.log().findLast((line) => line['worker'] === worker && line['event'] === 'catalog.read')?.['pid'],
  );

/** Connections that are kept, one to each worker. */
async function connectToBoth(): Promise<readonly [Agent, Agent]> {
  const byWorker = new Map<number, Agent>();
  const others: Agent[] = [];
  while (byWorker.size < 2) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const worker = await workerOf(await ask('GET', '/health/live', { agent }));
    if (byWorker.has(worker)) others.push(agent);
    else byWorker.set(worker, agent);
  }
  for (const agent of others) agent.destroy();
  return [byWorker.get(1), byWorker.get(2)] as [Agent, Agent];
}

const scrape = async (agent?: Agent): Promise<Scrape> =>
  parseMetrics((await ask('GET', '/metrics', { agent })).text);

describe('two workers', () => {
  it('answer on one port, and are ready once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask('GET', '/health/ready')));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(await Promise.all(answers.map(workerOf)))).toEqual(new Set([1, 2]));
    expect(server.log().filter(({ event }) => event === 'server.listening')).toHaveLength(1);
    const pids = new Set([server.pid, pidOf(1), pidOf(2)]);
    expect(pids.size).toBe(3);
    // Where the system shows them: nobody learns the database's password from a command line.
    const files = [...pids].map((pid) => `/proc/${pid}/cmdline`).filter((path) => existsSync(path));
    const commands = files.map((path) => readFileSync(path, 'utf8'));
    expect(commands.filter((command) => command.includes('postgres'))).toEqual([]);
  });

  it('have the same rules, keys and schema within a second after a change', async () => {
    const agents = await connectToBoth();
    const on = (agent: Agent, path: string, as?: string): Promise<number> =>
      ask('GET', path, { agent, as }).then(({ status }) => status);
    const both = async (path: string, status: number, as?: string): Promise<void> => {
      for (const agent of agents) {
        await vi.waitFor(async () => expect(await on(agent, path, as)).toBe(status), SOON);
      }
    };
    const [agent] = agents;
    await ask('POST', '/system/roles', { agent, body: { name: 'reader' } });
    const made = await ask('POST', '/system/keys', { agent, body: { name: 'r', roles: ['reader'] } });
    const { key: reader, id } = JSON.parse(made.text) as { readonly key: string; readonly id: string };
    await both('/api/notes', 404, reader);
    await ask('POST', '/system/policies', {
      agent,
      body: { role: 'reader', collection: 'notes', action: 'read' },
    });
    await both('/api/notes', 200, reader);
    await database.query('ALTER TABLE notes ADD COLUMN rank int');
    await both('/api/notes?fields=rank', 200, reader);
    await ask('DELETE', `/system/keys/${id}`, { agent });
    await both('/api/notes', 401, reader);
    for (const one of agents) one.destroy();
  });

  it('count rates together, to the request', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => ask('GET', '/openapi.json', { as: null })),
    );
    expect(new Set(await Promise.all(answers.slice(0, 20).map(workerOf))).size).toBe(2);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(40);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(60);
  });

  it('have their metrics added up, whoever is asked', async () => {
    const agents = await connectToBoth();
    const name = 'plinth_http_request_duration_seconds_count';
    const labels = { route: '/api/{collection}', status: '2xx' };
    const before = (await scrape()).value(name, labels);
    for (const agent of agents) {
      for (let count = 0; count < 5; count += 1) await ask('GET', '/api/notes', { agent });
    }
    for (const agent of agents) {
      const metrics = await scrape(agent);
      expect(metrics.value(name, labels) - before).toBe(10);
      expect(metrics.value('plinth_workers')).toBe(2);
      expect(metrics.value('plinth_build_info')).toBe(1);
      const [requests = 0, lanes = 0] = ['requests', 'lanes'].map((pool) =>
        metrics.value('plinth_pool_connections_max', { pool }),
      );
      // How many of the ten are lanes depends on the cores.
      expect(requests + lanes).toBe(20);
      expect(lanes).toBeGreaterThanOrEqual(2);
    }
    for (const agent of agents) agent.destroy();
  });
});

/** Writes on connections of their own until told to stop. */
function startWriters(count: number, firstId: number) {
  const written: number[] = [];
  const failures: string[] = [];
  const statuses = new Set<number>();
  const over = new AbortController();
  let id = firstId;
  const write = async (): Promise<void> => {
    while (!over.signal.aborted) {
      id += 1;
      const mine = id;
      try {
        const { status } = await ask('POST', '/api/notes', { body: { id: mine } });
        statuses.add(status);
        if (status === 201) written.push(mine);
      } catch (error) {
        const { code = String(error) } = error as NodeJS.ErrnoException;
        failures.push(code);
        if (code === 'ECONNREFUSED') return;
      }
    }
  };
  const done = Promise.all(Array.from({ length: count }, write));
  return {
    written,
    failures,
    statuses,
    /** Waits until so many more are written. */
    async untilMore(count: number): Promise<void> {
      const enough = written.length + count;
      await vi.waitFor(() => expect(written.length).toBeGreaterThan(enough), SOON);
    },
    async stop(): Promise<void> {
      over.abort();
      await done;
    },
    done,
  };
}

const storedFrom = async (first: number): Promise<number[]> =>
  (await database.query<{ id: number }>('SELECT id FROM notes WHERE id > $1', [first])).map(({ id }) => id);

describe('a worker that is killed', () => {
  it('loses only what it was answering, is told of and replaced', async () => {
    const requests = { route: '/api/{collection}', method: 'POST' };
    const counted = async (): Promise<number> =>
      (await scrape()).value('plinth_http_request_duration_seconds_count', requests);
    const clients = 12;
    const writers = startWriters(clients, 100_000);
    await writers.untilMore(50);
    const before = await counted();
    const victim = pidOf(1);
    process.kill(victim, 'SIGKILL');
    const death = await server.logged(({ event }) => event === 'worker.died');
    expect(death).toMatchObject({ level: 50, worker: 1, pid: victim, signal: 'SIGKILL' });
    const replaced = await server.logged(({ event }) => event === 'worker.replaced');
    await writers.untilMore(50);
    // By now every client has heard that its connection is gone, if it had one to the dead worker.
    const failedUntilThen = writers.failures.length;
    await writers.untilMore(50);
    await writers.stop();

    // Each client had one request under way, and at most half of them were there; none was left without an end.
    expect(writers.failures.filter((code) => code !== 'ECONNRESET')).toEqual([]);
    expect(writers.failures.length).toBeLessThan(clients);
    expect(writers.failures.length).toBe(failedUntilThen);
    expect(writers.statuses).toEqual(new Set([201]));
    const stored = new Set(await storedFrom(100_000));
    expect(writers.written.filter((id) => !stored.has(id))).toEqual([]);

    // The other one serves, and counters go on where the dead one left them.
    expect(pidOf(1)).toBe(replaced['pid']);
    await vi.waitFor(async () => expect((await scrape()).value('plinth_workers')).toBe(2), SOON);
    expect((await scrape()).value('plinth_worker_deaths_total')).toBe(1);
    expect(await counted()).toBeGreaterThan(before);
    for (const agent of await connectToBoth()) agent.destroy();
  });
});

describe('SIGTERM', () => {
  it('under load lets every worker answer what it has, and ends with 0', async () => {
    const writers = startWriters(12, 200_000);
    await writers.untilMore(100);
    // A supervisor of services tells every process, and only the primary one may act on it.
    for (const pid of [pidOf(1), pidOf(2), server.pid]) process.kill(pid, 'SIGTERM');
    await writers.done;
    expect(await server.outcome).toMatchObject({ code: 0, signal: null });
    // Reset: the connection was made in the moment in which the port was closed, and no worker has seen it.
    expect(writers.failures.filter((code) => code !== 'ECONNREFUSED' && code !== 'ECONNRESET')).toEqual([]);
    expect(writers.statuses).toEqual(new Set([201]));
    expect(new Set(await storedFrom(200_000))).toEqual(new Set(writers.written));
    expect(server.log().filter(({ event }) => event === 'server.stopped')).toHaveLength(1);
    expect(server.log().filter(({ event }) => event === 'worker.died')).toHaveLength(1);
  });
});

describe('a start', () => {
  it('ends with what keeps a worker from serving, told once', async () => {
    await database.query('DELETE FROM plinth.access_state');
    const { code, stderr } = await runPlinth(['start'], {
      env: { DATABASE_URL: database.url, PLINTH_WORKERS: '2', PORT: '0', PLINTH_LOG_LEVEL: 'silent' },
    });
    expect(code).toBe(1);
    expect(stderr.match(/The table plinth\.access_state is empty/g)).toHaveLength(1);
  });
});
