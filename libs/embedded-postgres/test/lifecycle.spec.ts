import { execFile } from 'node:child_process';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findRunningPostgres } from '../src/find-running.js';
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from '../src/embedded-postgres.js';
import { isRunning, makeFolder } from './repository.js';

async function start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ durable: false, ...options });
  onTestFinished(() => server.stop());
  return server;
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('an embedded server', () => {
  it('starts on nothing, and later with what was written before', async () => {
    const dataDir = join(await makeFolder(), 'not', 'there', 'yet');
    const startedAt = performance.now();
    const first = await start({ dataDir });
    const firstMs = performance.now() - startedAt;
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();

    const startedAgainAt = performance.now();
    const second = await start({ dataDir });
    const secondMs = performance.now() - startedAgainAt;
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(second.url).toBe(first.url);
    // Told even when it passes, since these are figures of the documentation.
    console.info(`first start ${Math.round(firstMs)} ms, later start ${Math.round(secondMs)} ms`);
  });

  it('is a durable PostgreSQL 18 in UTF-8 with checksums, a locale that is the same everywhere, and UTC', async () => {
    const server = await start({ dataDir: await makeFolder(), durable: true });
    expect(server.version).toMatch(/^18\./);
    const names =
      'server_encoding data_checksums fsync full_page_writes synchronous_commit TimeZone jit'.split(' ');
    const [settings] = await query(
      server.url,
      `SELECT ${names.map((name) => `current_setting('${name}') AS "${name}"`).join(', ')}`,
    );
    expect(settings).toEqual({
      server_encoding: 'UTF8',
      data_checksums: 'on',
      fsync: 'on',
      full_page_writes: 'on',
      synchronous_commit: 'on',
      TimeZone: 'UTC',
      jit: 'off',
    });
    const [locale] = await query(
      server.url,
      `SELECT datlocprovider AS provider, datlocale AS name, upper('straße éž') AS upper, 'Z' < 'a' AS bytewise
       FROM pg_database WHERE datname = current_database()`,
    );
    expect(locale).toEqual({ provider: 'b', name: 'C.UTF-8', upper: 'STRAßE ÉŽ', bytewise: true });
    const pending = await query(server.url, `SELECT * FROM pg_file_settings WHERE error IS NOT NULL`);
    expect(pending).toEqual([]);
  });

  it('listens on loopback only, and lets nobody in without the password', async () => {
    const server = await start({ dataDir: await makeFolder() });
    const [settings] = await query(
      server.url,
      `SELECT current_setting('listen_addresses') AS addresses, current_setting('unix_socket_directories') AS sockets`,
    );
    expect(settings).toEqual({ addresses: '127.0.0.1', sockets: '' });
    const withPassword = (password: string): string => {
      const url = new URL(server.url);
      url.password = password;
      return url.href;
    };
    await expect(query(withPassword('guess'), 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    await expect(query(withPassword(''), 'SELECT 1')).rejects.toThrow(/password/);
  });

  it('keeps its password to itself: in a file for its owner alone, not in the log, not on the command line', async () => {
    const server = await start({ dataDir: await makeFolder() });
    const { password } = new URL(server.url);
    await expect(query(server.url, `CREATE ROLE x PASSWORD 'top-secret' NONSENSE`)).rejects.toThrow(
      /unrecognized/,
    );
    const home = join(server.dataDir, '..');
    for (const entry of await readdir(home, { withFileTypes: true })) {
      if (!entry.isFile()) continue;
      expect((await stat(join(home, entry.name))).mode & 0o077).toBe(0);
      expect(await readFile(join(home, entry.name), 'utf8')).not.toContain(password);
    }
    expect(await readFile(server.logPath, 'utf8')).not.toContain('top-secret');
    expect((await stat(join(server.dataDir, 'plinth.password'))).mode & 0o077).toBe(0);
    expect((await stat(server.dataDir)).mode & 0o077).toBe(0);
    const { stdout: commandLine } = await promisify(execFile)('ps', [
      '-ww',
      '-o',
      'args=',
      '-p',
      String(server.pid),
    ]);
    expect(commandLine).toContain(server.dataDir);
    expect(commandLine).not.toContain(password);
  });

  it('takes settings of the caller and of postgresql.conf, in this order', async () => {
    const dataDir = await makeFolder();
    const first = await start({ dataDir, settings: { work_mem: '7MB', 'plinth.note': `it's` } });
    const show = `SELECT current_setting('work_mem') AS memory, current_setting('plinth.note', true) AS note`;
    expect(await query(first.url, show)).toEqual([{ memory: '7MB', note: `it's` }]);
    await query(first.url, `ALTER SYSTEM SET work_mem = '9MB'`);
    await first.stop();
    const second = await start({ dataDir, settings: { work_mem: '7MB' } });
    expect(await query(second.url, show)).toEqual([{ memory: '9MB', note: null }]);
  });

  it('makes the named database, whatever its name, and can serve another one next time', async () => {
    const dataDir = await makeFolder();
    const name = `it's "a" täble/base%`;
    const first = await start({ dataDir, database: name });
    expect(await query(first.url, 'SELECT current_database() AS name')).toEqual([{ name }]);
    await first.stop();
    const second = await start({ dataDir });
    expect(await query(second.url, 'SELECT current_database() AS name')).toEqual([{ name: 'plinth' }]);
  });

  it('stops cleanly with clients connected, tells so, and stops only once', async () => {
    const dataDir = await makeFolder();
    const server = await start({ dataDir });
    const client = new Client({ connectionString: server.url });
    const ended = new Promise<void>((resolve) => {
      client.on('error', () => resolve());
    });
    await client.connect();
    await client.query('BEGIN');
    await Promise.all([server.stop(), server.stop()]);
    await ended;
    expect(await server.exited).toEqual({ code: 0, signal: null, wasStopped: true });
    expect(await isRunning(server.pid)).toBe(false);
    expect(await readFile(server.logPath, 'utf8')).toMatch(/database system is shut down\s*$/);
    expect(await findRunningPostgres(dataDir)).toBeNull();
  });

  it('is found by others while it runs', async () => {
    const dataDir = await makeFolder();
    expect(await findRunningPostgres(dataDir)).toBeNull();
    const { url, port, pid } = await start({ dataDir });
    expect(await findRunningPostgres(dataDir)).toEqual({ url, port, pid, ownerPid: process.pid });
  });
});
