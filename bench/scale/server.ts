import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startServerProcess, type ServerProcess } from '../servers/server-process.js';
import { findMemory } from '../measure/process-figures.js';

const run = promisify(execFile);

const START = fileURLToPath(new URL('../../../scripts/start.mjs', import.meta.url));

export interface ScaleServer extends ServerProcess {
  readonly adminKey: string;
  readonly startMs: number;
  /** A key with these roles. */
  createKey(roles: readonly string[]): Promise<string>;
  /** The sum of a metric's samples. */
  metric(name: string): Promise<number>;
  /** Memory of the process that is in RAM, now and at most so far. */
  memory(): Promise<{ readonly nowBytes: number; readonly peakBytes: number }>;
}

/** Starts Plinth as its users do. */
export async function startScaleServer(
  databaseUrl: string,
  logFolder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ScaleServer> {
  const startedAt = performance.now();
  const server = await startServerProcess({
    commandLine: [START],
    databaseUrl,
    env,
    readyPath: '/health/ready',
    logPath: path.join(logFolder, 'scale.log'),
  });
  const startMs = performance.now() - startedAt;
  try {
    const { stdout } = await run(
      process.execPath,
      [START, '--quiet-build', 'cli', 'keys', 'create', '--role', 'admin', '--name', 'scale'],
      { env: { ...process.env, DATABASE_URL: databaseUrl } },
    );
    return withKey(server, stdout.trim(), startMs);
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function withKey(server: ServerProcess, adminKey: string, startMs: number): ScaleServer {
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' };
  return {
    ...server,
    adminKey,
    startMs,
    async createKey(roles) {
      const body = JSON.stringify({ name: 'scale caller', roles });
      const response = await fetch(`${server.url}/system/keys`, { method: 'POST', headers, body });
      if (response.status !== 201) throw new Error(`POST /system/keys gave ${await response.text()}`);
      return ((await response.json()) as { key: string }).key;
    },
    async metric(name) {
      const text = await (await fetch(`${server.url}/metrics`, { headers })).text();
      return [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))].reduce(
        (sum, [, value]) => sum + Number(value),
        0,
      );
    },
    async memory() {
      const memory = await findMemory(server.pid);
      if (memory === null) throw new Error('The memory of a process is found on Linux only.');
      return memory;
    },
  };
}
