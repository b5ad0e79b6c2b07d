import path from 'node:path';
import pg from 'pg';
import type { PlinthConfig } from '../config/index.js';
import type { Logger } from '../observability/index.js';
import { SupervisedPostgres } from './supervised-postgres.js';

/** Where the database is, and how to let go of it. */
export interface DatabaseEndpoint {
  readonly url: string;
  readonly isEmbedded: boolean;
  /** Stops the embedded server; does nothing for one that is not ours. */
  stop(): Promise<void>;
}

export const DATABASE_ENDPOINT = Symbol('DATABASE_ENDPOINT');

const OLDEST_VERSION = 140_000;

/** The configured database, or an embedded one started now; waits for it as long as the configuration says. */
export async function openDatabaseEndpoint(
  config: PlinthConfig,
  logger: Logger,
  embeddedDatabase = 'plinth',
): Promise<DatabaseEndpoint> {
  if (config.databaseUrl !== null) {
    await waitForDatabase(config.databaseUrl, config.databaseWaitMs, logger);
    return { url: config.databaseUrl, isEmbedded: false, stop: () => Promise.resolve() };
  }
  const server = await SupervisedPostgres.start(
    { dataDir: path.resolve(config.dataDir), database: embeddedDatabase },
    logger,
  );
  logger.info({ port: server.port, dataDir: server.dataDir }, 'Embedded PostgreSQL is running');
  return { url: server.url, isEmbedded: true, stop: () => server.stop() };
}

async function waitForDatabase(url: string, waitMs: number, logger: Logger): Promise<void> {
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
        throw new UnsupportedDatabaseError(
          `DATABASE_URL leads to PostgreSQL ${Math.floor(version / 10_000)}; Plinth needs version 14 or later.`,
        );
      }
      return;
    } catch (error) {
      if (error instanceof UnsupportedDatabaseError || !isTransient(error) || Date.now() >= deadline)
        throw error;
      logger.warn(
        { attempt, reason: (error as Error).message },
        'The database cannot be reached yet, trying again',
      );
      await new Promise((resolve) => {
        setTimeout(resolve, Math.min(2000, 200 * 2 ** attempt));
      });
    } finally {
      await client.end().catch(() => {});
    }
  }
}

/** The database answers, but is not one that Plinth can work with. */
export class UnsupportedDatabaseError extends Error {
  override readonly name = 'UnsupportedDatabaseError';
}

/** A wrong password or a missing database does not heal by waiting. */
function isTransient(error: unknown): boolean {
  const code = (error as { code?: string }).code ?? '';
  return !/^(28|3D|42)/.test(code);
}
