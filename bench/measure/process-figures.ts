import { readdir, readFile } from 'node:fs/promises';

/** Linux tells times in hundredths of a second, whatever the kernel's own tick. */
const TICK_MS = 10;

interface ProcessTimes {
  readonly parentPid: number;
  /** User and system time of the process. */
  readonly ownMs: number;
  /** The same of its children that have ended. */
  readonly endedChildrenMs: number;
}

/** CPU time that a process has used, all its threads included; null where there is no /proc. */
export async function findCpuMs(pid: number): Promise<number | null> {
  return (await findTimes(pid))?.ownMs ?? null;
}

/** CPU time that this process and its ended children have used; null where there is no /proc. */
export async function findOwnCpuMs(): Promise<number | null> {
  const times = await findTimes(process.pid);
  return times && times.ownMs + times.endedChildrenMs;
}

/** CPU time that a process and its children, those that have ended included, have used; null where there is no /proc. */
export async function findFamilyCpuMs(pid: number): Promise<number | null> {
  const parent = await findTimes(pid);
  if (parent === null) return null;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(pids.map((name) => findTimes(Number(name))));
  return all
    .filter((times) => times?.parentPid === pid)
    .reduce((sum, times) => sum + (times?.ownMs ?? 0), parent.ownMs + parent.endedChildrenMs);
}

/** CPU time that the machine has used for anything, other machines on the same host included; null where there is no /proc. */
export async function findMachineCpuMs(): Promise<number | null> {
  const text = await readProc('stat');
  if (text === null) return null;
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0, stolen = 0] = (
    /^cpu +(.*)$/m.exec(text)?.[1] ?? ''
  )
    .split(' ')
    .map(Number);
  return (user + nice + system + interrupts + softInterrupts + stolen) * TICK_MS;
}

/** In RAM. */
export interface ProcessMemory {
  readonly nowBytes: number;
  /** At most so far. */
  readonly peakBytes: number;
  /** Of now, what belongs to no file and is shared with no other process. */
  readonly ownBytes: number;
}

/** Memory of a process; null where there is no /proc. */
export async function findMemory(pid: number): Promise<ProcessMemory | null> {
  const status = await readProc(`${pid}/status`);
  if (status === null) return null;
  const bytesOf = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN) * 1024;
  return { nowBytes: bytesOf('VmRSS'), peakBytes: bytesOf('VmHWM'), ownBytes: bytesOf('RssAnon') };
}

async function findTimes(pid: number): Promise<ProcessTimes | null> {
  const text = await readProc(`${pid}/stat`);
  if (text === null) return null;
  // The name of the program, in parentheses, may hold spaces. What follows are the fields from the third on; see proc(5).
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [, parentPid = 0] = fields;
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11, 15);
  return {
    parentPid,
    ownMs: (user + system) * TICK_MS,
    endedChildrenMs: (childrenUser + childrenSystem) * TICK_MS,
  };
}

/** Null when the process has ended, and where there is no /proc. */
async function readProc(path: string): Promise<string | null> {
  try {
    return await readFile(`/proc/${path}`, 'utf8');
  } catch {
    return null;
  }
}
