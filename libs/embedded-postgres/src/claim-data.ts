import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgresError, systemErrorCode } from './errors.js';
import { replaceFile, type Home } from './home.js';
import { findLockFile, findPostmaster, isAlive, shutDown } from './postmaster.js';

/** How long a server whose Plinth was killed may take to stop. */
const ORPHAN_PATIENCE = { fastMs: 15_000, immediateMs: 10_000 };

/** A lock file that is empty for so long was made by a server that was killed before it could fill it. */
const UNWRITTEN_MS = 3_000;

/**
 * Makes sure that no server runs on the data: one that a living Plinth serves is an error, one that outlived its Plinth
 * (which was killed) is stopped. It is not taken over: it would run on with the settings and the port of that time, and
 * nobody would hear of its end. That never two servers run is PostgreSQL's own guarantee and does not rest on this.
 *
 * Gives the id of the server that was stopped, if any.
 */
export async function claimData(home: Home): Promise<number | undefined> {
  const found = await findPostmaster(home.dataPath);
  if (found.kind === 'none' || found.kind === 'stale') {
    if (found.kind === 'stale' || (await isUnwritten(home))) await disownLockFile(home);
    return undefined;
  }
  if (found.ownerPid !== undefined || !found.isPlinths) throw inUseError(home, found.pid, found.ownerPid);
  await shutDown(
    (signal) => sendToOrphan(home, found.pid, signal),
    async () => !isAlive(found.pid) || (await findPostmaster(home.dataPath)).kind !== 'running',
    ORPHAN_PATIENCE,
  );
  return found.pid;
}

/**
 * Makes PostgreSQL see that the process which its lock file names is no server. PostgreSQL takes a file that names its
 * own parent for a left-over, but still checks the shared memory that the file names, which guards against processes of
 * the dead server that live on; deleting the file would switch that check off.
 */
async function disownLockFile(home: Home): Promise<void> {
  const text = (await findLockFile(home.dataPath))?.text ?? '\n';
  const rest = text.slice(text.indexOf('\n'));
  await replaceFile(home, join(home.dataPath, 'postmaster.pid'), `${process.pid}${rest}`, home.account);
}

/** Whether the lock file is still empty, which PostgreSQL cannot tell from one that is just being written. */
async function isUnwritten(home: Home): Promise<boolean> {
  try {
    const { size, mtimeMs } = await stat(join(home.dataPath, 'postmaster.pid'));
    return size === 0 && Date.now() - mtimeMs > UNWRITTEN_MS;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** The data are served for somebody else. */
function inUseError(home: Home, pid: number, ownerPid: number | undefined): EmbeddedPostgresError {
  const by =
    ownerPid === undefined
      ? `PostgreSQL (process ${pid}), which was not started by Plinth`
      : ownerPid === process.pid
        ? `PostgreSQL (process ${pid}), started by this very process (${ownerPid})`
        : `PostgreSQL (process ${pid}) for another Plinth (process ${ownerPid})`;
  return new EmbeddedPostgresError(
    'embedded.in-use',
    `The data in ${home.dataPath} are being served already, by ${by}. Stop that one first, or set PLINTH_DATA_DIR to ` +
      `another folder; several Plinths that share data need one DATABASE_URL.`,
  );
}

function sendToOrphan(home: Home, pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ESRCH') return;
    if (code === 'EPERM') throw inUseError(home, pid, undefined);
    throw error;
  }
}
