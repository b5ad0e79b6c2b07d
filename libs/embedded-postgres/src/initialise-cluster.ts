import { randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  lchown,
  lstat,
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { chooseInitialiseIdentity, type Account, type InitialiseIdentity } from './account.js';
import { EmbeddedPostgresError, errorText, systemErrorCode, tellsOfFullDisk } from './errors.js';
import { isPresent, replaceFile, type Home } from './home.js';
import { isAlive } from './postmaster.js';
import { runProgram, type ProgramResult } from './run-program.js';
import type { Runtime } from './runtime.js';

/**
 * The one database user that is made. Not called like the schema `plinth`: the default search path begins with the
 * user's name, so that everybody's new tables would land there.
 */
export const DATABASE_USER = 'postgres';

/** Inside the data directory, so that data and password can only be moved together. */
const PASSWORD_FILE = 'plinth.password';

/** Where the settings go that Plinth derives at each start; PostgreSQL's own file includes it. */
export const SETTINGS_FILE = 'plinth.conf';

const POSTGRESQL_CONF = `# Settings of your own go below the include; they win over Plinth's. Those of ALTER SYSTEM win over both.
include = '${SETTINGS_FILE}'
`;

/**
 * Makes the data directory if there is none: UTF-8, a locale that is the same on every machine, checksums, and a
 * password of its own. It is made under another name and moved into place when it is complete and on disk, so that a
 * start which is interrupted, or which finds the disk full, leaves nothing that the next one would stumble over.
 */
export async function initialiseCluster(
  home: Home,
  runtime: Runtime,
  { durable }: { readonly durable: boolean },
): Promise<void> {
  const { account } = home;
  await removeAbandoned(home);
  if (await isPresent(home.dataPath)) return;
  const identity = await chooseInitialiseIdentity(account);
  if (identity === undefined) throw noAccountError();

  const workPath = join(home.path, `initialising-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    await mkdir(workPath, { mode: 0o700 });
    const dataPath = await runInitdb(home, workPath, runtime, { identity, durable });
    if (identity.kind === 'borrowed' && account !== undefined) await chownTree(dataPath, account);
    await moveIntoPlace(dataPath, home);
  } finally {
    await rm(workPath, { recursive: true, force: true });
  }
}

/** The password of Plinth's database user. */
export async function readPassword(home: Home): Promise<string> {
  try {
    return (await readFile(join(home.dataPath, PASSWORD_FILE), 'utf8')).trim();
  } catch (error) {
    throw new EmbeddedPostgresError(
      'embedded.folder',
      `${join(home.dataPath, PASSWORD_FILE)}, which holds the database's password, cannot be read: ${errorText(error)}. ` +
        `Bring it back from a backup, or run Plinth as the user that made it.`,
      { cause: error },
    );
  }
}

/**
 * Refuses data of another major version, and puts right what a restore or a recursive `chown` or `chmod` did to the
 * folder: data of root's are handed back to the server, data that others may look into are closed.
 *
 * Gives something that the operator should know, if anything.
 */
export async function checkCluster(home: Home, runtime: Runtime): Promise<string | undefined> {
  let version: string;
  try {
    version = (await readFile(join(home.dataPath, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    const isMissing = systemErrorCode(error) === 'ENOENT';
    throw new EmbeddedPostgresError(
      'embedded.folder',
      isMissing
        ? `${home.dataPath} is there but holds no PostgreSQL data (PG_VERSION is missing). Bring the data back from a ` +
            `backup, or move the folder away to start empty.`
        : `${home.dataPath} cannot be read: ${errorText(error)}. Run Plinth as the user that made it.`,
      { cause: error },
    );
  }
  if (version !== runtime.majorVersion) {
    throw new EmbeddedPostgresError(
      'embedded.version',
      `The data in ${home.dataPath} were made by PostgreSQL ${version}, and this Plinth brings ${runtime.version}, ` +
        `which cannot read them. Nothing was changed. The way over: start the data with PostgreSQL ${version} ` +
        `(or the Plinth that made them), write them out with pg_dump, move ${home.dataPath} away, start this Plinth, ` +
        `and read them in with psql. Or set DATABASE_URL to a PostgreSQL ${version} that serves them.`,
    );
  }
  if (home.account !== undefined && (await lstat(home.dataPath)).uid === 0) {
    await chownTree(home.dataPath, home.account);
  }
  return closeToOthers(home.dataPath);
}

/** PostgreSQL starts only on data that are its own to read and write, and at most the group's to read. */
async function closeToOthers(dataPath: string): Promise<string | undefined> {
  // Windows has no such modes.
  if (process.platform === 'win32') return undefined;
  const mode = (await stat(dataPath)).mode & 0o777;
  if (mode === 0o700 || mode === 0o750) return undefined;
  await chmod(dataPath, 0o700);
  return `The permissions of the data folder were ${mode.toString(8)}, which PostgreSQL refuses; they are 700 again`;
}

async function runInitdb(
  home: Home,
  workPath: string,
  runtime: Runtime,
  { identity, durable }: { readonly identity: InitialiseIdentity; readonly durable: boolean },
): Promise<string> {
  const { account } = home;
  // In a namespace the caller keeps its own id, under another name.
  const initialiser =
    account === undefined
      ? undefined
      : { ...account, uid: identity.kind === 'borrowed' ? identity.uid : account.uid };
  const password = randomBytes(24).toString('hex');
  const passwordPath = join(workPath, 'password');
  const dataPath = join(workPath, 'data');
  await writeFile(passwordPath, password, { mode: 0o600 });
  if (initialiser !== undefined) {
    await chown(workPath, initialiser.uid, initialiser.gid);
    await chown(passwordPath, initialiser.uid, initialiser.gid);
  }

  const parameters = [
    `--pgdata=${dataPath}`,
    `--username=${DATABASE_USER}`,
    `--pwfile=${passwordPath}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The built-in provider sorts and folds alike on every machine and after every upgrade of the system's libraries.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--data-checksums',
    '--no-instructions',
    ...(durable ? [] : ['--no-sync']),
  ];
  const options = { cwd: workPath, account: initialiser };
  const result =
    identity.kind === 'namespace'
      ? await runProgram(
          'unshare',
          ['--user', `--map-user=${identity.uid}`, '--', runtime.initdbPath, ...parameters],
          options,
        )
      : await runProgram(runtime.initdbPath, parameters, options);
  if (result.code !== 0) throw initdbError(result, workPath, identity);

  await replaceFile(home, join(dataPath, PASSWORD_FILE), `${password}\n`, account);
  await replaceFile(home, join(dataPath, 'postgresql.conf'), POSTGRESQL_CONF, account);
  await replaceFile(home, join(dataPath, SETTINGS_FILE), '', account);
  return dataPath;
}

async function moveIntoPlace(dataPath: string, home: Home): Promise<void> {
  try {
    await rename(dataPath, home.dataPath);
  } catch (error) {
    // Another start was faster; its data are the ones.
    if (!(await isPresent(home.dataPath))) throw error;
    return;
  }
  await syncFolder(home.path);
}

async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder, and has no need to.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Deletes what starts left that were killed while they initialised or copied. */
async function removeAbandoned(home: Home): Promise<void> {
  for (const entry of await readdir(home.path)) {
    const pid = /^(?:initialising-|writing-|copying-runtime-[0-9a-f]+-)(\d+)/.exec(entry)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) {
      // The program that the killed start ran may still be writing there, until it notices.
      await rm(join(home.path, entry), { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    }
  }
}

async function chownTree(path: string, account: Account): Promise<void> {
  await lchown(path, account.uid, account.gid);
  if (!(await lstat(path)).isDirectory()) return;
  const entries = await readdir(path);
  await Promise.all(entries.map((entry) => chownTree(join(path, entry), account)));
}

function initdbError(
  result: ProgramResult,
  workPath: string,
  identity: InitialiseIdentity,
): EmbeddedPostgresError {
  const output = result.error?.message ?? result.output;
  if (tellsOfFullDisk(output)) {
    return new EmbeddedPostgresError(
      'embedded.disk-full',
      `The disk is too full to make a database in ${workPath} (50 MB): ${lastLines(output, 3)}. ` +
        `Make room, or set PLINTH_DATA_DIR to a folder on another disk.`,
      { cause: result.error },
    );
  }
  if (identity.kind === 'namespace' && !output.includes('creating subdirectories'))
    return noAccountError(output);
  return new EmbeddedPostgresError(
    'embedded.initialise-failed',
    `initdb failed with code ${result.code}: ${lastLines(output, 8)}`,
    { cause: result.error },
  );
}

function noAccountError(output = 'no account is known here'): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'embedded.account',
    `A new database can only be made under a user id that has a name, and ${process.geteuid?.() ?? 'this one'} has ` +
      `none (${lastLines(output, 2)}). Add a line for it to /etc/passwd, or run Plinth as root the first time, or set ` +
      `DATABASE_URL to a PostgreSQL 14 or later.`,
  );
}

function lastLines(text: string, count: number): string {
  return text.trim().split('\n').slice(-count).join('\n').trim();
}
