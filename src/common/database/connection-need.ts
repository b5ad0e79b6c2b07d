import pg from 'pg';
import { countWorkers, type PlinthConfig } from '../config/index.js';

/**
 * Of each process, besides those for requests: one to listen, one to read the catalog, three for Plinth's own tables, three
 * for jobs.
 */
const OTHER_CONNECTIONS = 8;

const CONNECT_TIMEOUT_MS = 5000;

export interface ConnectionShortage {
  /** What all processes together may open. */
  readonly needed: number;
  /** What the database lets this role have. */
  readonly available: number;
}

/** The fewest of what the server, the database and the role allow; -1 stands for no limit of the latter two. */
const AVAILABLE = `
  SELECT least(
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true)::int, 0),
    (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),
    (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)) AS available`;

/** How many connections are too few, or null where they are enough. */
export async function measureShortage(
  client: Pick<pg.Client, 'query'>,
  { poolSize, workers }: Pick<PlinthConfig, 'poolSize' | 'workers'>,
): Promise<ConnectionShortage | null> {
  const { rows } = await client.query<{ available: number }>(AVAILABLE);
  const available = rows[0]?.available ?? Number.POSITIVE_INFINITY;
  const needed = countWorkers({ workers }) * (poolSize + OTHER_CONNECTIONS);
  return needed > available ? { needed, available } : null;
}

/** The same on a connection of its own. */
export async function findConnectionShortage(
  url: string,
  config: Pick<PlinthConfig, 'poolSize' | 'workers'>,
): Promise<ConnectionShortage | null> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => {});
  try {
    await client.connect();
    return await measureShortage(client, config);
  } finally {
    await client.end().catch(() => {});
  }
}
