import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A server in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface ServerCommand {
  /** What Node runs. */
  readonly commandLine: readonly string[];
  readonly databaseUrl: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Answers with 200 when the server is ready. */
  readonly readyPath: string;
  /** Takes what the server prints. */
  readonly logPath: string;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 50;

/** Starts a server with Node; resolves when it is ready. */
export async function startServerProcess(command: ServerCommand): Promise<ServerProcess> {
  const port = await findFreePort();
  // A file and not a pipe: reading a pipe would be work for this process while it measures.
  const log = await open(command.logPath, 'w');
  const child = spawn(process.execPath, command.commandLine, {
    env: {
      ...process.env,
      ...command.env,
      NODE_ENV: 'production',
      DATABASE_URL: command.databaseUrl,
      HOST: '127.0.0.1',
      PORT: String(port),
    },
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
  const killAtExit = (): void => void child.kill();
  process.once('exit', killAtExit);
  const exited = once(child, 'exit').then(() => process.off('exit', killAtExit));

  const url = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await isReady(url + command.readyPath))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill();
      throw new Error(`${command.commandLine.join(' ')} did not start; see ${command.logPath}`);
    }
    await delay(POLL_MS);
  }
  if (child.pid === undefined) throw new Error('A process that answers has no id.');
  return {
    url,
    pid: child.pid,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status === 200;
  } catch {
    return false;
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('A TCP server has no port.');
  return address.port;
}
