import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { insertAdminKey } from '../kit/admin-key.js';
import { createTestDatabase, type TestDatabase } from '../kit/database.js';
import { BUILD_TIMEOUT_MS, ensureBuilt, servePlinth, type ServingProcess } from '../kit/plinth-process.js';
import { SOON } from '../kit/soon.js';

// Processes are started, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let database: TestDatabase;
let key: string;
/** One for each test, since each of them ends its own. */
let servers: readonly ServingProcess[] = [];
beforeAll(async () => {
  await ensureBuilt();
  database = await createTestDatabase({
    sql: `CREATE TABLE notes (id int PRIMARY KEY); INSERT INTO notes SELECT -generate_series(1, 20);
          CREATE VIEW long AS SELECT i AS id, repeat('x', 1000) AS text FROM generate_series(1, 20000) i;`,
  });
  const environments: readonly Record<string, string>[] = [
    { PLINTH_MAX_LIMIT: '100000' },
    { PLINTH_POOL_SIZE: '3' },
    { PLINTH_SHUTDOWN_TIMEOUT: '200' },
    { PLINTH_SHUTDOWN_TIMEOUT: '600000' },
  ];
  servers = await Promise.all(
    // How slow the machine is must not show in the log.
    environments.map((env) =>
      servePlinth({ env: { DATABASE_URL: database.url, PLINTH_SLOW_REQUEST_MS: 'off', ...env } }),
    ),
  );
  key = await insertAdminKey(database.url);
}, BUILD_TIMEOUT_MS);
afterAll(async () => {
  for (const server of servers) server.send('SIGKILL');
  await database?.drop();
});

function serverOf(test: number): ServingProcess {
  const server = servers[test];
  if (server === undefined) throw new Error('There is no such server.');
  return server;
}

interface Answer {
  readonly status: number;
  readonly connection: string | undefined;
  readonly body: string;
}

/** A request on connections that are kept alive, as a proxy in front of Plinth has them. */
async function ask(agent: Agent, url: string, method: string, body?: object): Promise<Answer> {
  const asked = request(url, {
    agent,
    method,
    headers: { 'x-api-key': key, ...(body ? { 'content-type': 'application/json' } : {}) },
  });
  asked.end(body && JSON.stringify(body));
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode ?? 0, connection: answer.headers.connection, body: text };
}

function keepAliveAgent(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  onTestFinished(() => agent.destroy());
  return agent;
}

/** Holds every row of the table; gives the function that lets them go. */
async function holdRows(): Promise<() => Promise<void>> {
  const client = await database.pool.connect();
  await client.query('BEGIN; LOCK TABLE notes IN ACCESS EXCLUSIVE MODE');
  return async () => {
    await client.query('COMMIT');
    client.release();
  };
}

const countWaiting = async (): Promise<number> => {
  const [row] = await database.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%notes%'`,
  );
  return row?.count ?? 0;
};

const isListening = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

describe('SIGTERM', () => {
  it('lets requests under way finish, with nobody new let in, and ends with 0', async () => {
    const server = serverOf(0);
    const agent = keepAliveAgent();
    // A connection that is merely open is no request under way.
    expect((await ask(agent, `${server.url}/api/notes/-20`, 'GET')).status).toBe(200);
    const release = await holdRows();
    const underWay = [
      ...[1, 2, 3].map((id) => ask(agent, `${server.url}/api/notes`, 'POST', { id })),
      ask(agent, `${server.url}/api/notes/-1`, 'GET'),
      ask(agent, `${server.url}/api/batch`, 'POST', {
        operations: [{ method: 'POST', path: '/notes', body: { id: 4 } }],
      }),
    ];
    await vi.waitFor(async () => expect(await countWaiting()).toBe(5), SOON);

    // Too large for all buffers on its way, and not read yet.
    const streamed = request(`${server.url}/api/long?limit=20000`, { agent, headers: { 'x-api-key': key } });
    streamed.end();
    const [stream] = (await once(streamed, 'response')) as [IncomingMessage];

    server.send('SIGTERM');
    await vi.waitFor(async () => expect(await isListening(server.url)).toBe(false), SOON);
    expect(server.isRunning()).toBe(true);
    await release();
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    expect((JSON.parse(text) as { data: unknown[] }).data).toHaveLength(20_000);

    const answers = await Promise.all(underWay);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 200, 200]);
    expect(answers.map(({ connection }) => connection)).toEqual(answers.map(() => 'close'));
    expect(await server.outcome).toMatchObject({ code: 0, signal: null });
    const warnings = server.log().filter(({ level }) => level > 30);
    expect(warnings.map(({ event }) => event)).toEqual(['auth.set-up-awaited']);
    expect(await database.query('SELECT id FROM notes WHERE id > 0 ORDER BY id')).toEqual(
      [1, 2, 3, 4].map((id) => ({ id })),
    );
  });

  it('under load loses no write that was acknowledged, and breaks off none', async () => {
    const server = serverOf(1);
    const agent = keepAliveAgent();
    const acknowledged: number[] = [];
    const others: string[] = [];
    let next = 1000;
    const write = async (): Promise<void> => {
      for (;;) {
        const id = next;
        next += 1;
        try {
          const { status } = await ask(agent, `${server.url}/api/notes`, 'POST', { id });
          if (status === 201) acknowledged.push(id);
          else others.push(`status ${status}`);
        } catch (error) {
          const { code = '' } = error as NodeJS.ErrnoException;
          // Reset: the request crossed the closing of a connection that was idle at that moment.
          if (code !== 'ECONNREFUSED' && code !== 'ECONNRESET') others.push(String(error));
          if (code !== 'ECONNRESET') return;
        }
      }
    };
    const writers = Array.from({ length: 12 }, write);
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(200), SOON);
    server.send('SIGTERM');
    await Promise.all(writers);
    expect(await server.outcome).toMatchObject({ code: 0, signal: null });
    expect(others).toEqual([]);
    const stored = await database.query<{ id: number }>('SELECT id FROM notes WHERE id >= 1000');
    expect(acknowledged.filter((id) => !stored.some((row) => row.id === id))).toEqual([]);
    // Nothing was done that nobody heard of, either.
    expect(stored.filter(({ id }) => !acknowledged.includes(id))).toEqual([]);
  });

  it('ends with 1 when requests take longer than PLINTH_SHUTDOWN_TIMEOUT, and says so', async () => {
    const server = serverOf(2);
    const release = await holdRows();
    const underWay = ask(keepAliveAgent(), `${server.url}/api/notes`, 'POST', { id: 9 }).catch(
      (error: NodeJS.ErrnoException) => error.code,
    );
    await vi.waitFor(async () => expect(await countWaiting()).toBe(1), SOON);
    server.send('SIGTERM');
    expect(await server.outcome).toMatchObject({ code: 1, signal: null });
    expect(await underWay).toBe('ECONNRESET');
    expect(server.log().at(-1)).toMatchObject({ level: 50, timeoutMs: 200 });
    await release();
  });

  it('ends at once with 1 when it comes twice', async () => {
    const server = serverOf(3);
    const release = await holdRows();
    const underWay = ask(keepAliveAgent(), `${server.url}/api/notes`, 'POST', { id: 10 }).catch(() => null);
    await vi.waitFor(async () => expect(await countWaiting()).toBe(1), SOON);
    server.send('SIGTERM');
    await server.logged(({ msg }) => msg === 'Stopping');
    server.send('SIGINT');
    expect(await server.outcome).toMatchObject({ code: 1, signal: null });
    expect(await underWay).toBeNull();
    await release();
  });
});
