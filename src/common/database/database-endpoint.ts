import path from 'node:path';
import pg from 'pg';
import type { PlinthConfig } from '../config/index.js';
import type { Observer } from '../observability/index.js';
import { describeConnectionFailure, UnusableDatabaseError } from './connection-failure.js';
import { DatabaseSockets } from './database-sockets.js';
import { SupervisedPostgres } from './supervised-postgres.js';

/** Where the database is, and how to let go of it. */
export interface DatabaseEndpoint {
  readonly url: string;
  readonly isEmbedded: boolean;
  /** What it is called, where it is a standby that is only read from. */
  readonly replica?: string;
  /** For every connection to it. */
  readonly sockets: DatabaseSockets;
  /** Stops the embedded server; does nothing for one that is not ours. */
  stop(): Promise<void>;
}

export const DATABASE_ENDPOINT = Symbol('DATABASE_ENDPOINT');

const OLDEST_VERSION = 140_000;

/**
 * The configured database, or an embedded one started now; waits for it as long as the configuration says.
 * @throws UnusableDatabaseError or EmbeddedPostgresError, which say what to do
 */
export async function openDatabaseEndpoint(
  config: PlinthConfig,
  observer: Observer,
  embeddedDatabase = 'plinth',
): Promise<DatabaseEndpoint> {
  if (config.databaseUrl !== null) {
    await waitForDatabase(config.databaseUrl, config.databaseWaitMs, observer);
    return {
      url: config.databaseUrl,
      isEmbedded: false,
      sockets: new DatabaseSockets(),
      stop: () => Promise.resolve(),
    };
  }
  const server = await SupervisedPostgres.start(
    { dataDir: path.resolve(config.dataDir), database: embeddedDatabase },
    observer,
  );
  const { port, dataDir } = server;
  observer.observe({ kind: 'database.embedded-started', port, dataDir });
  return {
    url: server.url,
    isEmbedded: true,
    sockets: new DatabaseSockets(),
    stop: () => server.stop(),
  };
}

async function waitForDatabase(url: string, waitMs: number, observer: Observer): Promise<void> {
  const deadline = Date.now() + waitMs;
  for (let attempt = 0; ; attempt += 1) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
    // A connection that breaks while it is being closed has nobody left to tell.
    client.on('error', () => {});
    try {
      await client.connect();
      const { rows } = await client.query<{ version: number }>(
        `SELECT current_setting('server_version_num')::int AS version`,
      );
      const version = rows[0]?.version ?? 0;
      if (version < OLDEST_VERSION) {
        throw new UnusableDatabaseError(
          `DATABASE_URL leads to PostgreSQL ${Math.floor(version / 10_000)}; Plinth needs version 14 or later.`,
        );
      }
      return;
    } catch (error) {
      if (error instanceof UnusableDatabaseError) throw error;
      if (!isTransient(error) || Date.now() >= deadline) throw unreachable(url, error);
      observer.observe({ kind: 'database.awaited', attempt, reason: (error as Error).message });
      await new Promise((resolve) => {
        setTimeout(resolve, Math.min(2000, 200 * 2 ** attempt));
      });
    } finally {
      await client.end().catch(() => {});
    }
  }
}

function unreachable(url: string, error: unknown): UnusableDatabaseError {
  const { what, advice } = describeConnectionFailure(url, error);
  return new UnusableDatabaseError(`${what}\n${advice}`, { cause: error });
}

/** A wrong password or a missing database does not heal by waiting. */
function isTransient(error: unknown): boolean {
  const code = (error as { code?: string }).code ?? '';
  return !/^(28|3D|42)/.test(code);
}
