import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Whom a process runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

interface PasswdEntry extends Account {
  readonly name: string;
}

/**
 * Ids in which neither Debian's policy nor systemd's convention puts any account, and which exist inside a container
 * whose user namespace maps only the first 65,536.
 */
const UNALLOCATED_IDS = { first: 65_520, last: 65_533 };

/** Whether this process may become another account. */
function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/**
 * Whom the server runs as, given that PostgreSQL refuses to run as root: undefined stands for this process's own
 * account. As root it is the account `postgres` where there is one, else an id that belongs to nobody: that is a better
 * choice than `nobody`, under which other daemons run that could then read the data.
 */
export async function chooseServerAccount(): Promise<Account | undefined> {
  if (!isRoot()) return undefined;
  const entries = await listPasswdEntries();
  const postgres = entries.find((entry) => entry.name === 'postgres' && entry.uid !== 0);
  if (postgres !== undefined) return { uid: postgres.uid, gid: postgres.gid };
  const taken = new Set(entries.flatMap((entry) => [entry.uid, entry.gid]));
  let id = UNALLOCATED_IDS.first;
  while (taken.has(id) && id < UNALLOCATED_IDS.last) id += 1;
  return { uid: id, gid: id };
}

/** How to run `initdb`, which, unlike the server, insists on a name for the id that it runs under. */
export type InitialiseIdentity =
  /** As the server's own account. */
  | { readonly kind: 'server' }
  /** As a named account, with the server's group; the files are handed to the server afterwards. */
  | { readonly kind: 'borrowed'; readonly uid: number }
  /** In a user namespace where this process's id appears as one that has a name. */
  | { readonly kind: 'namespace'; readonly uid: number };

/** Finds a way to run `initdb` for a server that runs as `server`; undefined when there is none. */
export async function chooseInitialiseIdentity(
  server: Account | undefined,
): Promise<InitialiseIdentity | undefined> {
  const uid = server?.uid ?? process.geteuid?.();
  // Windows has no such ids, and no such question.
  if (uid === undefined) return { kind: 'server' };
  const entries = await listPasswdEntries();
  // macOS keeps its accounts in a directory service that always knows the caller.
  if (process.platform !== 'linux' || entries.some((entry) => entry.uid === uid)) return { kind: 'server' };
  const named = entries.find((entry) => entry.name === 'nobody') ?? entries.find((entry) => entry.uid !== 0);
  if (named === undefined) return undefined;
  return { kind: server === undefined ? 'namespace' : 'borrowed', uid: named.uid };
}

/**
 * Whether an account may enter a folder, judged by the mode bits of it and all folders above it. Access control lists
 * are not looked at, so a folder opened by them alone counts as closed.
 */
export async function canEnter(folder: string, account: Account): Promise<boolean> {
  let path = await realpath(folder);
  for (;;) {
    const { mode, uid, gid } = await stat(path);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    const parent = dirname(path);
    if (parent === path) return true;
    path = parent;
  }
}

async function listPasswdEntries(): Promise<PasswdEntry[]> {
  let text: string;
  try {
    text = await readFile('/etc/passwd', 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && gid && /^\d+$/.test(uid) && /^\d+$/.test(gid)
      ? [{ name, uid: Number(uid), gid: Number(gid) }]
      : [];
  });
}
