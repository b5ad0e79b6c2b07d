import { readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemErrorCode } from './errors.js';
import { runProgram } from './run-program.js';

/** The option on the server's command line that names the process which started it. PostgreSQL ignores it. */
export const OWNER_OPTION = 'plinth.owner_pid';

const POLL_INTERVAL_MS = 10;

/** What `postmaster.pid` in a data directory stands for. */
export type Postmaster =
  /** No server runs; a file that a dead one left behind is PostgreSQL's own business. */
  | { readonly kind: 'none' }
  /** The server is gone, and another process has its id by now (or its remains were never collected). */
  | { readonly kind: 'stale'; readonly pid: number }
  /** A server runs. `ownerPid` is the living process that started it; undefined when that one is dead or unknown. */
  | {
      readonly kind: 'running';
      readonly pid: number;
      readonly ownerPid: number | undefined;
      /** Whether a Plinth started it, living or dead. */
      readonly isPlinths: boolean;
    };

/** The lines of `postmaster.pid`; undefined when there is none. */
export interface LockFile {
  readonly pid: number;
  /** Undefined until the server has written it. */
  readonly port: number | undefined;
  /** Whether the server takes connections. */
  readonly isReady: boolean;
  readonly text: string;
}

interface ProcessDetails {
  readonly parentPid: number | undefined;
  readonly isZombie: boolean;
  /** Undefined when they cannot be known. */
  readonly parameters: string | undefined;
  readonly cwd: string | undefined;
}

/** Reads the file by which a server claims its data directory. */
export async function findLockFile(dataPath: string): Promise<LockFile | undefined> {
  let text: string;
  try {
    text = await readFile(join(dataPath, 'postmaster.pid'), 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  // The server writes the file bit by bit.
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const port = Number(lines[3]);
  return { pid, port: port > 0 ? port : undefined, isReady: lines[7]?.trim() === 'ready', text };
}

/** Finds out whether a server runs on a data directory, and for whom. */
export async function findPostmaster(dataPath: string): Promise<Postmaster> {
  const lockFile = await findLockFile(dataPath);
  if (lockFile === undefined || !isAlive(lockFile.pid)) return { kind: 'none' };
  const { pid } = lockFile;
  const details = await findProcess(pid);
  if (details === undefined) return { kind: 'none' };
  if (details.isZombie || !servesData(details, dataPath)) return { kind: 'stale', pid };
  const owner = new RegExp(`${OWNER_OPTION}=(\\d+)`).exec(
    details.parameters ?? (await readOptions(dataPath)),
  );
  const ownerPid = owner === null ? undefined : Number(owner[1]);
  // A process whose parent died is given another one, so the two ids agree exactly as long as the owner lives.
  const isOwned =
    details.parentPid === undefined
      ? ownerPid !== undefined && isAlive(ownerPid)
      : ownerPid === details.parentPid;
  return { kind: 'running', pid, ownerPid: isOwned ? ownerPid : undefined, isPlinths: owner !== null };
}

/**
 * Stops a server: at first as PostgreSQL calls it fast (clients are disconnected, everything is written out), then
 * immediately, then by force; the latter two cost a recovery at the next start, and no data.
 */
export async function shutDown(
  send: (signal: NodeJS.Signals) => void,
  hasEnded: () => boolean | Promise<boolean>,
  patience: { readonly fastMs: number; readonly immediateMs: number },
): Promise<void> {
  for (const [signal, waitMs] of [
    ['SIGINT', patience.fastMs],
    ['SIGQUIT', patience.immediateMs],
    ['SIGKILL', 10_000],
  ] as const) {
    send(signal);
    const deadline = Date.now() + waitMs;
    while (Date.now() < deadline) {
      if (await hasEnded()) return;
      await delay(POLL_INTERVAL_MS);
    }
  }
}

/** Whether a process of this id exists, be it somebody else's. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}

function servesData(details: ProcessDetails, dataPath: string): boolean {
  // Where nothing can be known about the process, it is the server's: waiting for it is safe, ignoring it is not.
  if (details.parameters === undefined) return true;
  if (!/postgres|postmaster/.test(details.parameters)) return false;
  // A server that somebody started by hand may have been given a relative path; a server works in its data directory.
  return details.cwd === dataPath || details.parameters.includes(dataPath);
}

async function findProcess(pid: number): Promise<ProcessDetails | undefined> {
  if (process.platform === 'linux') return findLinuxProcess(pid);
  if (process.platform === 'win32') {
    return { parentPid: undefined, isZombie: false, parameters: undefined, cwd: undefined };
  }
  const result = await runProgram('ps', ['-ww', '-o', 'ppid=,state=,args=', '-p', String(pid)], { cwd: '/' });
  const fields = /^\s*(\d+)\s+(\S+)\s+(.*)$/s.exec(result.output);
  if (fields === null) return undefined;
  const [, parentPid, state, parameters] = fields;
  return {
    parentPid: Number(parentPid),
    isZombie: state?.startsWith('Z') === true,
    parameters,
    cwd: undefined,
  };
}

async function findLinuxProcess(pid: number): Promise<ProcessDetails | undefined> {
  try {
    const [status, commandLine] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    // The name in parentheses may itself contain spaces and parentheses.
    const [state, parentPid] = status.slice(status.lastIndexOf(')') + 2).split(' ');
    return {
      parentPid: Number(parentPid),
      isZombie: state === 'Z' || state === 'X',
      parameters: commandLine.replaceAll('\0', ' '),
      // Another user's process does not tell.
      cwd: await readlink(`/proc/${pid}/cwd`).catch(() => undefined),
    };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

async function readOptions(dataPath: string): Promise<string> {
  return readFile(join(dataPath, 'postmaster.opts'), 'utf8').catch(() => '');
}
