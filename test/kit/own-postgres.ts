import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@plinth/embedded-postgres';

/** A PostgreSQL of a test's own, to be stopped and started again. Its address stays the same. */
export interface OwnPostgres {
  readonly url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Ends it without a farewell: clients are cut off, nothing is written out, the next start recovers. */
  stopImmediately(): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

/** @param durable whether what it has committed outlives it in any case; costs speed */
export async function startOwnPostgres({ durable = false } = {}): Promise<OwnPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), 'plinth-own-'));
  // As root the server runs under another account, which has to pass through here.
  await chmod(dataDir, 0o711);
  let server: EmbeddedPostgres = await startEmbeddedPostgres({ dataDir, durable });
  const { url, port } = server;
  return {
    url,
    async start() {
      server = await startEmbeddedPostgres({ dataDir, durable, port });
    },
    stop: () => server.stop(),
    async stopImmediately() {
      process.kill(server.pid, 'SIGQUIT');
      await server.exited;
    },
    async remove() {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
