import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@plinth/embedded-postgres';

const VARIABLE = 'PLINTH_TEST_DATABASE_URL';

/**
 * Gives the run one PostgreSQL server: that of PLINTH_TEST_DATABASE_URL, else an embedded one of its own, which is gone
 * with its data when the run is over. Test files take databases of their own from it (`createTestDatabase`).
 */
export default async function setUpTestServer(): Promise<() => Promise<void>> {
  if (process.env[VARIABLE]) return () => Promise.resolve();

  const dataDir = await mkdtemp(join(tmpdir(), 'plinth-test-'));
  // As root the server runs under another account, which has to pass through here.
  await chmod(dataDir, 0o711);
  const server = await startEmbeddedPostgres({
    dataDir,
    durable: false,
    // Files run side by side, each with pools of its own, and each with databases that are made and dropped.
    settings: { max_connections: '300', shared_buffers: '256MB' },
  }).catch(async (error: unknown) => {
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  });
  process.env[VARIABLE] = server.url;

  // Ctrl-C ends vitest without the tear-down below.
  const removeAtExit = (): void => {
    killServer(server);
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  process.once('exit', removeAtExit);
  return async () => {
    process.off('exit', removeAtExit);
    delete process.env[VARIABLE];
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}

/** At once and without writing anything out: nobody will read these data again. */
function killServer(server: EmbeddedPostgres): void {
  try {
    process.kill(server.pid, 'SIGQUIT');
  } catch {
    // It has ended already.
  }
}
