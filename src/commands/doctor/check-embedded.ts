import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import { EmbeddedPostgresError, findRunningPostgres } from '@plinth/embedded-postgres';
import type { PlinthConfig } from '../../common/config/index.js';
import { checkDatabase } from './check-database.js';
import { failed, ok, type Finding } from './finding.js';

/** What the embedded PostgreSQL needs. Nothing is made or started. */
export async function checkEmbedded(config: PlinthConfig): Promise<Finding[]> {
  const dataDir = path.resolve(config.dataDir);
  const folder = await checkFolder(dataDir);
  if (folder.status === 'failed') return [folder];
  try {
    const running = await findRunningPostgres(dataDir);
    return running === null
      ? [folder, ok('the embedded PostgreSQL is not running; `npm start` starts it')]
      : [folder, ...(await checkDatabase(config, running.url))];
  } catch (error) {
    if (!(error instanceof EmbeddedPostgresError)) throw error;
    return [folder, failed('the data of the embedded PostgreSQL cannot be used', error.message)];
  }
}

async function checkFolder(dataDir: string): Promise<Finding> {
  const existing = await findExisting(dataDir);
  try {
    if (!(await stat(existing)).isDirectory()) throw new Error(`${existing} is not a folder`);
    await access(existing, constants.W_OK | constants.X_OK);
  } catch (error) {
    return failed(
      `the data folder ${dataDir} cannot be written: ${(error as Error).message}`,
      'Give this user the folder, or set PLINTH_DATA_DIR to another one.',
    );
  }
  return ok(
    existing === dataDir ? `the data folder is ${dataDir}` : `the data folder ${dataDir} will be made`,
  );
}

/** The folder, or the nearest one above it that is there. */
async function findExisting(folder: string): Promise<string> {
  try {
    await stat(folder);
    return folder;
  } catch (error) {
    const parent = path.dirname(folder);
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return isMissing && parent !== folder ? findExisting(parent) : folder;
  }
}
