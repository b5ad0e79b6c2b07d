import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';

export const REPOSITORY = resolve(import.meta.dirname, '../..');
const CLI = join(REPOSITORY, 'dist/cli.js');

/** How a process ended, and all that it wrote. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A line of the log, as pino writes it. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [name: string]: unknown;
}

export interface ProcessOptions {
  /** Besides the PATH; nothing else of this process's environment is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: a folder that is not the repository. */
  readonly cwd?: string;
  readonly uid?: number;
}

/** A running process of Plinth. */
export interface PlinthProcess {
  readonly pid: number;
  /** Fulfilled when it has ended and all of its output is read. */
  readonly outcome: Promise<Outcome>;
  /** What it has written so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly log: () => readonly LogLine[];
  /** Waits for a line of the log; fails when the process ends without one. */
  logged(isWanted: (line: LogLine) => boolean): Promise<LogLine>;
  send(signal: NodeJS.Signals): void;
  /** Whether it has not ended. */
  isRunning(): boolean;
}

/** One that serves, where it serves, and how to stop it. */
export interface ServingProcess extends PlinthProcess {
  readonly url: string;
  /** SIGTERM, and how it ended. Safe to call more than once. */
  stop(): Promise<Outcome>;
}

/**
 * Makes sure that `dist` is a build of these sources. The start script has a lock and a memory: of all test files that
 * ask at once, one builds, and none does where continuous integration has built before.
 */
export async function ensureBuilt(): Promise<void> {
  const build = start([join(REPOSITORY, 'scripts/start.mjs'), '--quiet-build', 'cli', '--version'], {});
  const { code, stderr } = await build.outcome;
  if (code !== 0) throw new Error(`The build failed:\n${stderr}`);
}

/** Building takes longer than other preparations, on a machine that is busy with other tests. */
export const BUILD_TIMEOUT_MS = 300_000;

/** Runs a command of `plinth` to its end. */
export const runPlinth = (parameters: readonly string[], options: ProcessOptions = {}): Promise<Outcome> =>
  startPlinth(parameters, options).outcome;

/** Starts a command of `plinth`. */
export const startPlinth = (parameters: readonly string[], options: ProcessOptions = {}): PlinthProcess =>
  start([CLI, ...parameters], options);

/** Starts a server and waits until it listens, on a free port and with a log of JSON lines. */
export async function servePlinth(
  options: ProcessOptions = {},
  parameters: readonly string[] = ['start'],
): Promise<ServingProcess> {
  const plinth = startPlinth(parameters, {
    ...options,
    env: {
      PORT: '0',
      PLINTH_LOG_FORMAT: 'json',
      PLINTH_SECRET: 'a secret that all test servers share',
      ...options.env,
    },
  });
  const { api } = await plinth.logged(({ msg }) => msg === 'Plinth is listening');
  return {
    ...plinth,
    url: String(api).replace(/\/api$/, ''),
    stop() {
      plinth.send('SIGTERM');
      return plinth.outcome;
    },
  };
}

const running = new Set<PlinthProcess>();

/** Ends what still runs of these processes. A test that fails may leave some, and with them a PostgreSQL. */
export async function stopLeftProcesses(): Promise<void> {
  const left = [...running];
  for (const plinth of left) plinth.send('SIGTERM');
  await Promise.all(left.map(({ outcome }) => outcome));
}

function start(
  parameters: readonly string[],
  { env = {}, cwd = tmpdir(), uid }: ProcessOptions,
): PlinthProcess {
  const child = spawn(process.execPath, parameters, {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const log: LogLine[] = [];
  const watchers = new Set<() => void>();
  let stdout = '';
  let stderr = '';
  let hasEnded = false;
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  createInterface({ input: child.stderr }).on('line', (line) => {
    const parsed = parseLogLine(line);
    if (parsed === null) return;
    log.push(parsed);
    for (const watch of watchers) watch();
  });
  const outcome = new Promise<Outcome>((resolveOutcome, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      hasEnded = true;
      running.delete(plinth);
      resolveOutcome({ code, signal, stdout, stderr });
      for (const watch of watchers) watch();
    });
  });
  const plinth: PlinthProcess = {
    pid: child.pid ?? 0,
    outcome,
    stdout: () => stdout,
    stderr: () => stderr,
    log: () => log,
    logged: (isWanted) =>
      new Promise((resolveLine, reject) => {
        const watch = (): void => {
          const line = log.find(isWanted);
          if (line === undefined && !hasEnded) return;
          watchers.delete(watch);
          if (line === undefined) reject(new Error(`The process ended and did not log it:\n${stderr}`));
          else resolveLine(line);
        };
        watchers.add(watch);
        watch();
      }),
    send: (signal) => void child.kill(signal),
    isRunning: () => !hasEnded,
  };
  running.add(plinth);
  return plinth;
}

function parseLogLine(text: string): LogLine | null {
  if (!text.startsWith('{')) return null;
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return null;
  }
}
