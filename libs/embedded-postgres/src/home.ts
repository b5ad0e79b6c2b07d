import { createHash, randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  open,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
} from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { canEnter, chooseServerAccount, type Account } from './account.js';
import { EmbeddedPostgresError, systemErrorCode } from './errors.js';

/** Where data live that the server's account could not reach in the data folder. */
const SYSTEM_FOLDER = '/var/lib/plinth';

/** The folder of one embedded server: its data, its log, and the binaries where they had to be copied. */
export interface Home {
  /** The folder itself, without symbolic links. */
  readonly path: string;
  /** What PostgreSQL calls the data directory. */
  readonly dataPath: string;
  readonly logPath: string;
  /** Remembers the port of the last start. */
  readonly portPath: string;
  /** Whose the files are that Plinth itself writes here; undefined when they simply belong to this process's user. */
  readonly owner: Account | undefined;
  /** Whom the server runs as; undefined when as this process's user. */
  readonly account: Account | undefined;
}

export interface LocatedHome {
  readonly home: Home;
  /** Something the operator should know. */
  readonly notice?: string;
}

/**
 * Finds or makes the server's folder: `<dataDir>/postgres`. When Plinth runs as root, the server does not, and its
 * account may be unable to enter `dataDir` (a repository under /root, say). Nobody's permissions are changed then:
 * the folder is made under /var/lib/plinth, and `<dataDir>/postgres` is a symbolic link to it.
 */
export async function locateHome(dataDir: string): Promise<LocatedHome> {
  const entry = homeEntry(dataDir);
  const account = await chooseServerAccount();
  await makeFolder(resolve(dataDir), 0o755);
  if (await isPresent(entry)) return { home: await openHome(entry, account) };
  if (account !== undefined && !(await canEnter(dataDir, account))) return makeSystemHome(entry, account);
  await makeHome(entry, account);
  return { home: await openHome(entry, account) };
}

/** The server's folder if there is one. */
export async function findHome(dataDir: string): Promise<Home | undefined> {
  const entry = homeEntry(dataDir);
  return (await isPresent(entry)) ? openHome(entry, await chooseServerAccount()) : undefined;
}

/**
 * Writes a file whole or not at all. It is made in the home, which the server's account cannot write to, and moved to
 * its place: that account may have put a link there, which root must not follow.
 */
export async function replaceFile(
  home: Home,
  path: string,
  text: string,
  owner: Account | undefined,
): Promise<void> {
  const unfinished = join(home.path, `writing-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    const file = await open(unfinished, 'wx', 0o600);
    try {
      await file.writeFile(text);
      if (owner !== undefined) await file.chown(owner.uid, owner.gid);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}

function homeEntry(dataDir: string): string {
  return join(resolve(dataDir), 'postgres');
}

async function openHome(entry: string, chosen: Account | undefined): Promise<Home> {
  let path: string;
  try {
    path = await realpath(entry);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    throw new EmbeddedPostgresError(
      'embedded.folder',
      `${entry} is a link to a folder that is gone. Bring the folder back, or delete the link to start empty.`,
      { cause: error },
    );
  }
  const { uid, gid } = await stat(path);
  const dataPath = join(path, 'data');
  // Data that are there decide: the account `postgres` may have come to the system, or gone, since they were made.
  const account = chosen === undefined ? undefined : ((await findDataOwner(dataPath)) ?? chosen);
  if (account !== undefined && !(await canEnter(path, account))) {
    throw new EmbeddedPostgresError(
      'embedded.folder',
      `The server runs as user id ${account.uid}, which cannot enter ${path}. Move the folder to where it can and ` +
        `leave a link: mkdir -p ${SYSTEM_FOLDER} && mv ${path} ${SYSTEM_FOLDER}/ && ` +
        `ln -s ${SYSTEM_FOLDER}/${basename(path)} ${entry}`,
    );
  }
  return {
    path,
    dataPath,
    logPath: join(path, 'server.log'),
    portPath: join(path, 'port'),
    owner: chosen === undefined ? undefined : { uid, gid },
    account,
  };
}

async function makeSystemHome(entry: string, account: Account): Promise<LocatedHome> {
  await makeFolder(SYSTEM_FOLDER, 0o711);
  const { uid, mode } = await stat(SYSTEM_FOLDER);
  if (uid !== 0 || (mode & 0o022) !== 0) {
    throw new EmbeddedPostgresError(
      'embedded.folder',
      `${SYSTEM_FOLDER} must belong to root and be writable by root alone, since binaries are kept there. ` +
        `Run: chown root ${SYSTEM_FOLDER} && chmod 711 ${SYSTEM_FOLDER}`,
    );
  }
  // The name tells an operator whose data these are; the hash keeps two folders of one name apart.
  const origin = await realpath(join(entry, '..'));
  const name = basename(join(origin, '..')).replaceAll(/[^A-Za-z0-9_-]/g, '') || 'plinth';
  const path = join(
    SYSTEM_FOLDER,
    `${name}-${createHash('sha256').update(origin).digest('hex').slice(0, 12)}`,
  );
  let free = path;
  // Data whose link was deleted are never deleted with it, and never silently taken up again either.
  for (let number = 2; await isPresent(free); number += 1) free = `${path}-${number}`;
  await makeHome(free, account);
  try {
    await symlink(free, entry);
  } catch (error) {
    // Another start was faster: its folder is the one.
    if (systemErrorCode(error) !== 'EEXIST') throw error;
    if ((await realpath(entry)) !== free) await rmdir(free);
    return { home: await openHome(entry, account) };
  }
  const notice =
    free === path ? undefined : `Earlier data of this folder, whose link is gone, are still in ${path}`;
  return { home: await openHome(entry, account), notice };
}

/**
 * The server's group may pass through to the data; nobody else may even look. The folder appears with its final owner,
 * since another start may look at it at any moment.
 */
async function makeHome(path: string, account: Account | undefined): Promise<void> {
  const unfinished = `${path}-making-${process.pid}`;
  await makeFolder(unfinished, account === undefined ? 0o700 : 0o710);
  try {
    if (account !== undefined) await chown(unfinished, 0, account.gid);
    await rename(unfinished, path);
  } catch (error) {
    await rmdir(unfinished);
    const code = systemErrorCode(error);
    // Another start was faster, and its folder is in use already.
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}

/** Makes a folder with exactly this mode, whatever the umask; leaves one that exists as it is. */
async function makeFolder(path: string, mode: number): Promise<void> {
  const isNew = (await mkdir(path, { recursive: true, mode })) !== undefined;
  if (isNew) await chmod(path, mode);
}

/** Whether there is anything of this name, a dangling link included. */
export async function isPresent(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Whose the data are; undefined when there are none, or when they are root's, who cannot serve them. */
async function findDataOwner(dataPath: string): Promise<Account | undefined> {
  if (!(await isPresent(dataPath))) return undefined;
  const { uid, gid } = await lstat(dataPath);
  return uid === 0 ? undefined : { uid, gid };
}
