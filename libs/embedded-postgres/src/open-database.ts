import { Client, DatabaseError, escapeIdentifier } from 'pg';
import { EmbeddedPostgresError, errorText } from './errors.js';

/** The database that Plinth uses unless told otherwise. */
export const DEFAULT_DATABASE = 'plinth';

/** Every new cluster has it. */
const MAINTENANCE_DATABASE = 'postgres';
const CONNECT_TIMEOUT_MS = 30_000;

const INVALID_PASSWORD = '28P01';
const UNKNOWN_DATABASE = '3D000';
const DUPLICATE_DATABASE = '42P04';

/** Where a server listens, and who may enter. */
export interface ServerAddress {
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** The connection URL of a database. */
export function databaseUrl({ port, user, password }: ServerAddress, database: string): string {
  // The driver decodes the path of a URL as a whole, which leaves these two encoded.
  if (/[?#]/.test(database)) throw new TypeError(`A database's name must not contain ? or #: "${database}"`);
  return `postgres://${user}:${password}@127.0.0.1:${port}/${encodeURI(database)}`;
}

/** Makes sure that a database of this name is there and lets the user in; gives its URL. */
export async function openDatabase(
  server: ServerAddress,
  database: string,
  dataPath: string,
): Promise<string> {
  const url = databaseUrl(server, database);
  try {
    if (!(await canConnect(url))) await createDatabase(databaseUrl(server, MAINTENANCE_DATABASE), database);
  } catch (error) {
    if (isError(error, INVALID_PASSWORD)) {
      throw new EmbeddedPostgresError(
        'embedded.start-failed',
        `The server refuses the password of its user "${server.user}", which Plinth keeps in the data directory ` +
          `${dataPath}. It was changed by other means: write the new one into plinth.password there.`,
        { cause: error },
      );
    }
    throw new EmbeddedPostgresError(
      'embedded.start-failed',
      `The database "${database}" of the server that was just started cannot be opened: ${errorText(error)}`,
      { cause: error },
    );
  }
  return url;
}

async function canConnect(url: string): Promise<boolean> {
  try {
    await withClient(url, async () => {});
    return true;
  } catch (error) {
    if (isError(error, UNKNOWN_DATABASE)) return false;
    throw error;
  }
}

async function createDatabase(url: string, database: string): Promise<void> {
  await withClient(url, async (client) => {
    try {
      await client.query(`CREATE DATABASE ${escapeIdentifier(database)}`);
    } catch (error) {
      if (!isError(error, DUPLICATE_DATABASE)) throw error;
    }
  });
}

async function withClient(url: string, use: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

function isError(error: unknown, code: string): boolean {
  return error instanceof DatabaseError && error.code === code;
}
