import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';

const CANDIDATES = [
  process.env['PLINTH_TEST_REDIS_SERVER'],
  '/usr/bin/redis-server',
  '/usr/local/bin/redis-server',
  '/opt/homebrew/bin/redis-server',
  '/usr/bin/valkey-server',
];

/** The Redis server program of this machine, or null: tests that need one then skip, and say so. */
export const REDIS_SERVER =
  CANDIDATES.find((path) => path !== undefined && path !== '' && existsSync(path)) ?? null;

export interface TestRedis {
  readonly url: string;
  /** From now on it takes what is sent, and answers nothing. */
  pause(): void;
  stop(): Promise<void>;
}

/** A free port, as far as that can be known. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('There is no free port.');
  return address.port;
}

/** Starts a Redis that keeps nothing, on a port of its own. */
export async function startRedis(port: number): Promise<TestRedis> {
  if (REDIS_SERVER === null)
    throw new Error('There is no Redis on this machine; set PLINTH_TEST_REDIS_SERVER.');
  const child = spawn(
    REDIS_SERVER,
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', '/tmp'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await untilReady(child);
  return {
    url: `redis://127.0.0.1:${port}`,
    pause: () => void child.kill('SIGSTOP'),
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      }),
  };
}

function untilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout?.on('data', (part: Buffer) => {
      output += part.toString();
      if (output.includes('Ready to accept connections')) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`Redis ended: ${output}`)));
  });
}
