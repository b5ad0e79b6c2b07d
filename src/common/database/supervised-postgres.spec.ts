import { chmod, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRunningPostgres } from '@plinth/embedded-postgres';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Logger, LogSink, Observer } from '../observability/index.js';
import { SupervisedPostgres } from './supervised-postgres.js';

// Each makes a database, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const SOON = { timeout: 60_000, interval: 20 };

interface Line {
  readonly level: string;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
}

class CollectingLogger extends Logger {
  readonly lines: Line[] = [];
  private readonly collect =
    (level: string) =>
    (data: object, message: string): void =>
      void this.lines.push({ level, message, data: { ...data } });
  readonly trace = this.collect('trace');
  readonly debug = this.collect('debug');
  readonly info = this.collect('info');
  readonly warn = this.collect('warn');
  readonly error = this.collect('error');

  delaysOf(part: string): unknown[] {
    return this.lines.filter(({ message }) => message.includes(part)).map(({ data }) => data['delayMs']);
  }
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('an embedded server that is killed', () => {
  const logger = new CollectingLogger();
  let folder: string;
  let server: SupervisedPostgres;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plinth-supervised-'));
    // As root the server runs under another account, which has to pass through here.
    await chmod(folder, 0o711);
    server = await SupervisedPostgres.start({ dataDir: folder }, new Observer([new LogSink(logger)]));
    await query(server.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  });

  const kill = async (): Promise<void> => {
    const running = await findRunningPostgres(folder);
    if (running === null) throw new Error('There is no server to kill.');
    process.kill(running.pid, 'SIGKILL');
  };
  const expectRunning = async (times: number): Promise<void> => {
    await vi.waitFor(() => expect(logger.delaysOf('is running again')).toHaveLength(times), SOON);
    expect(await query(server.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  };

  it('and cannot be started is tried again more slowly, and never replaced by an empty one', async () => {
    const { dataDir, url } = server;
    // As if somebody moved the data away. The server is killed first, or it would notice and end by itself.
    await kill();
    await rename(dataDir, `${dataDir}-moved`);
    await vi.waitFor(() => expect(logger.delaysOf('could not be started')).toHaveLength(2), SOON);
    expect(logger.delaysOf('could not be started')).toEqual([400, 800]);
    expect(logger.lines.at(-1)).toMatchObject({
      level: 'error',
      data: { reason: expect.stringContaining(`${dataDir} is gone`) },
    });
    await rename(`${dataDir}-moved`, dataDir);
    await expectRunning(1);
    expect(server.url).toBe(url);
  });

  it('is started again at the same address with all data, more slowly each time, and says so', async () => {
    const { url } = server;
    for (const times of [2, 3]) {
      await kill();
      await expectRunning(times);
      expect(server.url).toBe(url);
    }
    expect(logger.delaysOf('ended unexpectedly')).toEqual([200, 400, 800]);
    expect(logger.lines.find(({ message }) => message.includes('ended unexpectedly'))).toMatchObject({
      level: 'error',
      data: { code: null, signal: 'SIGKILL', logPath: expect.stringContaining('server.log') },
    });
  });

  it('is not started again when it shall stop', async () => {
    await kill();
    await vi.waitFor(() => expect(logger.delaysOf('ended unexpectedly')).toHaveLength(4), SOON);
    await server.stop();
    await expect(query(server.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
    expect(logger.delaysOf('is running again')).toHaveLength(3);
  });
});
