import { findHome } from './home.js';
import { DATABASE_USER, readPassword } from './initialise-cluster.js';
import { databaseUrl, DEFAULT_DATABASE } from './open-database.js';
import { findLockFile, findPostmaster } from './postmaster.js';

/** A server that another living process started on the same data. */
export interface RunningPostgres {
  /** Connection URL of the database, password included. */
  readonly url: string;
  readonly port: number;
  /** The server's process id. */
  readonly pid: number;
  /** The process that started it, and that will stop it. */
  readonly ownerPid: number;
}

/**
 * Finds the server that serves the data of a folder now, for a command that works beside a running Plinth. Null when
 * there is none, when it is only starting, or when its Plinth is dead: starting takes care of that. Throws
 * EmbeddedPostgresError when the data may not be read.
 */
export async function findRunningPostgres(
  dataDir: string,
  database: string = DEFAULT_DATABASE,
): Promise<RunningPostgres | null> {
  const home = await findHome(dataDir);
  if (home === undefined) return null;
  const postmaster = await findPostmaster(home.dataPath);
  const lockFile = await findLockFile(home.dataPath);
  if (postmaster.kind !== 'running' || postmaster.ownerPid === undefined) return null;
  if (lockFile?.port === undefined || !lockFile.isReady) return null;
  const address = { port: lockFile.port, user: DATABASE_USER, password: await readPassword(home) };
  return {
    url: databaseUrl(address, database),
    port: lockFile.port,
    pid: postmaster.pid,
    ownerPid: postmaster.ownerPid,
  };
}
