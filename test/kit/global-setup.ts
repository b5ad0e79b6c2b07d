import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@plinth/embedded-postgres';
import { dropTemplates } from './database.js';
import { findScratchFolder } from './scratch-folder.js';

const VARIABLE = 'PLINTH_TEST_DATABASE_URL';
/** What is made for the whole run bears this in its name. Not called PLINTH_…: Plinth refuses settings it does not know. */
const RUN_VARIABLE = 'TESTED_PLINTH_RUN';
/** The address of the server if it is the run's own, which is to be fast and need not be safe. */
const OWN_VARIABLE = 'TESTED_PLINTH_OWN_SERVER';

/**
 * Gives the run one PostgreSQL server: that of PLINTH_TEST_DATABASE_URL, else an embedded one of its own, which is gone
 * with its data when the run is over. Test files take databases of their own from it (`createTestDatabase`).
 */
export default async function setUpTestServer(): Promise<() => Promise<void>> {
  const run = String(process.pid);
  process.env[RUN_VARIABLE] = run;
  if (process.env[VARIABLE]) return () => dropTemplates(run);

  const dataDir = await mkdtemp(join(await findScratchFolder(), 'plinth-test-'));
  // As root the server runs under another account, which has to pass through here.
  await chmod(dataDir, 0o711);
  // Ctrl-C ends vitest without the tear-down below. The server ends by itself, also while it is being started.
  const removeAtExit = (): void => removeNow(dataDir);
  process.once('exit', removeAtExit);
  const server = await startEmbeddedPostgres({
    dataDir,
    durable: false,
    settings: {
      // Files run side by side, each with pools of its own, and each with databases that are made and dropped.
      max_connections: '300',
      shared_buffers: '256MB',
      // Nobody ships or keeps this log.
      wal_compression: 'off',
    },
  });
  process.env[VARIABLE] = server.url;
  process.env[OWN_VARIABLE] = server.url;
  return async () => {
    delete process.env[VARIABLE];
    delete process.env[OWN_VARIABLE];
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
    process.off('exit', removeAtExit);
  };
}

/** Removes a folder in which a server is just ending. Never throws, since that would call off the exit. */
function removeNow(folder: string): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let attempt = 0; attempt < 40; attempt += 1) {
    try {
      rmSync(folder, { recursive: true, force: true });
      return;
    } catch {
      Atomics.wait(clock, 0, 0, 50);
    }
  }
}
