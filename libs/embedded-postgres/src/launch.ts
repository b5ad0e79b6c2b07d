import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { tellsOfFullDisk } from './errors.js';
import type { Home } from './home.js';
import { findLockFile, OWNER_OPTION } from './postmaster.js';
import { programEnvironment } from './run-program.js';
import type { Runtime } from './runtime.js';
import type { ServerLog } from './server-log.js';
import type { Settings } from './settings.js';

const POLL_INTERVAL_MS = 10;
/** A recovery reads at most a few gigabytes of log; what takes longer than this is stuck. */
const START_TIMEOUT_MS = 5 * 60_000;

/**
 * glibc gives memory back to the system as soon as 128 kB at its end are free, and each statement that needs them has the
 * system map them anew: on virtual machines that can be the larger part of what a short statement takes. A connection keeps
 * 2 MB instead. Other C libraries take no notice.
 */
const KEEP_MEMORY = {
  MALLOC_TRIM_THRESHOLD_: String(2 * 1024 ** 2),
  MALLOC_MMAP_THRESHOLD_: String(1024 ** 2),
} as const;

/** How a server process ended. */
export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerProcess {
  readonly pid: number;
  readonly exited: Promise<ServerExit>;
  readonly hasExited: () => boolean;
  readonly send: (signal: NodeJS.Signals) => void;
}

export type LaunchFailure =
  | 'port-taken'
  /** Another server has the data directory. */
  | 'locked'
  /** Processes of a server that was killed are still ending. */
  | 'remains'
  | 'disk-full'
  | 'timeout'
  | 'other';

export type LaunchResult =
  | { readonly kind: 'started'; readonly server: ServerProcess }
  | { readonly kind: 'failed'; readonly failure: LaunchFailure; readonly log: string };

export interface LaunchOptions {
  readonly port: number;
  /** What the server is sent when this process ends without having stopped it. */
  readonly signalAtExit: NodeJS.Signals;
}

/** Starts the server process and waits until it takes connections, or has given up. */
export async function launchServer(
  home: Home,
  runtime: Runtime,
  log: ServerLog,
  options: LaunchOptions,
): Promise<LaunchResult> {
  const logSize = await log.size();
  const server = spawnServer(home, runtime, log, options);
  if (server instanceof Error) return { kind: 'failed', failure: 'other', log: server.message };
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!server.hasExited()) {
    const lockFile = await findLockFile(home.dataPath);
    if (lockFile?.pid === server.pid && lockFile.isReady) return { kind: 'started', server };
    if (Date.now() > deadline) {
      server.send('SIGQUIT');
      await server.exited;
      return { kind: 'failed', failure: 'timeout', log: await log.readSince(logSize) };
    }
    await delay(POLL_INTERVAL_MS);
  }
  const { code, signal } = await server.exited;
  const text =
    (await log.readSince(logSize)) || `It ended with ${signal ?? `code ${code}`} and said nothing.`;
  return { kind: 'failed', failure: classifyFailure(text), log: text };
}

/** What the server's last words mean. */
function classifyFailure(log: string): LaunchFailure {
  if (/could not bind .*(in use|denied)|could not create any TCP\/IP sockets/i.test(log)) return 'port-taken';
  if (/lock file ".*postmaster\.pid" (already exists|is empty)/.test(log)) return 'locked';
  if (/pre-existing shared memory block .* is still in use/.test(log)) return 'remains';
  if (tellsOfFullDisk(log)) return 'disk-full';
  return 'other';
}

function spawnServer(
  home: Home,
  runtime: Runtime,
  log: ServerLog,
  options: LaunchOptions,
): ServerProcess | Error {
  const instanceSettings: Settings = {
    port: String(options.port),
    // By address: a name might resolve to something that is not loopback.
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    [OWNER_OPTION]: String(process.pid),
  };
  const parameters = ['-D', home.dataPath];
  for (const [name, value] of Object.entries(instanceSettings)) parameters.push('-c', `${name}=${value}`);
  const child = spawn(runtime.postgresPath, parameters, {
    cwd: home.path,
    env: { ...programEnvironment(), ...KEEP_MEMORY },
    stdio: ['ignore', log.descriptor, log.descriptor],
    // In a session of its own, so that Ctrl-C reaches Plinth alone, which finishes its requests first.
    detached: true,
    windowsHide: true,
    ...home.account,
  });
  if (child.pid === undefined) {
    // The event tells the same, one tick later.
    child.once('error', () => {});
    return new Error(`${runtime.postgresPath} cannot be started`);
  }
  child.unref();
  return watch(child, child.pid, options.signalAtExit);
}

function watch(child: ChildProcess, pid: number, signalAtExit: NodeJS.Signals): ServerProcess {
  let isOver = false;
  // A process that ends without having stopped its server still takes it with it.
  const stopAtExit = (): void => void child.kill(signalAtExit);
  // First of all, so that others who clean up at that moment find the server ending.
  process.prependOnceListener('exit', stopAtExit);
  const exited = new Promise<ServerExit>((resolve) => {
    child.once('exit', (code, signal) => {
      isOver = true;
      process.off('exit', stopAtExit);
      resolve({ code, signal });
    });
  });
  return { pid, exited, hasExited: () => isOver, send: (signal) => void child.kill(signal) };
}
