import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@plinth/embedded-postgres';

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
  // Ctrl-C ends vitest without the tear-down below. The server ends by itself, also while it is being started.
  const removeAtExit = (): void => removeNow(dataDir);
  process.once('exit', removeAtExit);
  const server = await startEmbeddedPostgres({
    dataDir,
    durable: false,
    // Files run side by side, each with pools of its own, and each with databases that are made and dropped.
    settings: { max_connections: '300', shared_buffers: '256MB' },
  });
  process.env[VARIABLE] = server.url;
  return async () => {
    delete process.env[VARIABLE];
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
