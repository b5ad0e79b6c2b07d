import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRunningPostgres } from '@plinth/embedded-postgres';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { insertAdminKey } from '../kit/admin-key.js';
import { BUILD_TIMEOUT_MS, ensureBuilt, servePlinth, type ServingProcess } from '../kit/plinth-process.js';

// A process is started, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const SOON = { timeout: 60_000, interval: 20 };

describe('a server whose embedded PostgreSQL is killed under it', () => {
  let dataDir: string;
  let server: ServingProcess;
  let key: string;
  const confirmed: number[] = [];
  let next = 1;

  const postgres = async (): Promise<{ url: string; pid: number }> => {
    const running = await findRunningPostgres(dataDir);
    if (running === null) throw new Error('There is no PostgreSQL.');
    return running;
  };
  const sql = async (text: string): Promise<Record<string, unknown>[]> => {
    const client = new Client({ connectionString: (await postgres()).url });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };
  const ask = async (method: string, path: string, body?: object): Promise<Response> =>
    fetch(server.url + path, {
      method,
      headers: { 'x-api-key': key, ...(body ? { 'content-type': 'application/json' } : {}) },
      body: body && JSON.stringify(body),
    });
  /** Writes until the server serves again; gives all statuses in their order. */
  const writeUntilServed = async (): Promise<number[]> => {
    const statuses: number[] = [];
    await vi.waitFor(async () => {
      const id = next;
      next += 1;
      const answer = await ask('POST', '/api/notes', { id });
      statuses.push(answer.status);
      if (answer.status === 201) confirmed.push(id);
      else expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(answer.status).toBe(201);
    }, SOON);
    return statuses;
  };
  const expectAllThere = async (): Promise<void> => {
    const stored = new Set((await sql('SELECT id FROM notes')).map(({ id }) => id));
    expect(confirmed.filter((id) => !stored.has(id))).toEqual([]);
  };

  const untilListed = (collection: string): Promise<void> =>
    vi.waitFor(async () => expect((await ask('GET', `/api/${collection}`)).status).toBe(200), SOON);

  beforeAll(async () => {
    await ensureBuilt();
    dataDir = await mkdtemp(join(tmpdir(), 'plinth-killed-'));
    // As root the server runs under another account, which has to pass through here.
    await chmod(dataDir, 0o711);
    const env = { PLINTH_DATA_DIR: dataDir };
    server = await servePlinth({ env });
    key = await insertAdminKey((await postgres()).url);
    await sql('CREATE TABLE notes (id int PRIMARY KEY)');
    await untilListed('notes');
  }, BUILD_TIMEOUT_MS);
  afterAll(async () => {
    await server?.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10 });
  });

  it('answers 503 until it has started the PostgreSQL again, and has lost nothing that it confirmed', async () => {
    for (let count = 0; count < 20; count += 1) await writeUntilServed();
    const { pid } = await postgres();
    process.kill(pid, 'SIGKILL');
    await server.logged(({ msg }) => msg.includes('ended unexpectedly'));
    const ready = await fetch(`${server.url}/health/ready`);
    expect(ready.status).toBe(503);
    const statuses = await writeUntilServed();
    expect(statuses.length).toBeGreaterThan(1);
    expect(new Set(statuses.slice(0, -1))).toEqual(new Set([503]));
    expect((await postgres()).pid).not.toBe(pid);
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
    await expectAllThere();
    // What is told beside the requests is told again, too.
    await sql('CREATE TABLE letters (id int PRIMARY KEY)');
    await untilListed('letters');
  });

  it('lives through the death of a single process of PostgreSQL, which then recovers by itself', async () => {
    const { pid } = await postgres();
    const [backend] = await sql(`SELECT pid FROM pg_stat_activity WHERE application_name = 'plinth' LIMIT 1`);
    process.kill(Number(backend?.['pid']), 'SIGKILL');
    await vi.waitFor(
      async () =>
        expect(await readFile(join(dataDir, 'postgres/server.log'), 'utf8')).toContain('reinitializing'),
      SOON,
    );
    const statuses = await writeUntilServed();
    expect([...new Set(statuses)].filter((status) => status !== 503 && status !== 201)).toEqual([]);
    expect((await postgres()).pid).toBe(pid);
    await expectAllThere();
  });

  it('is the same process after all that, told what happened, and ends with 0', async () => {
    expect(server.isRunning()).toBe(true);
    const told = server.log().filter(({ level }) => level >= 50);
    expect(told.map(({ signal, delayMs }) => ({ signal, delayMs }))).toEqual([
      { signal: 'SIGKILL', delayMs: 200 },
    ]);
    expect((await server.stop()).code).toBe(0);
  });
});
