import { randomBytes } from 'node:crypto';
import { Client, Pool, escapeIdentifier, escapeLiteral, type QueryResultRow } from 'pg';

/** A database of its own for a test file, on the server that the run shares. */
export interface TestDatabase {
  /** Connection URL, credentials included. */
  readonly url: string;
  readonly name: string;
  readonly pool: Pool;
  /** Runs one statement and gives its rows. */
  query<Row extends QueryResultRow = QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<Row[]>;
  /** Closes the pool and drops the database, also when others are still connected to it. */
  drop(): Promise<void>;
}

export interface TestDatabaseOptions {
  /** Statements that run once in the new database. */
  readonly sql?: string;
  /** Name of a database to clone; nothing may be connected to it at that moment. */
  readonly template?: string;
  /** Another server than that of the run. */
  readonly serverUrl?: string;
}

/** The server of this run: set by the environment, or by the global set-up, which starts one. */
export function testServerUrl(): string {
  const url = process.env['PLINTH_TEST_DATABASE_URL'];
  if (url === undefined || url === '') {
    throw new Error(
      'PLINTH_TEST_DATABASE_URL is not set: run the tests through vitest, whose set-up sets it',
    );
  }
  return url;
}

/** Makes a fresh, empty database (or a clone of `template`) that no other test sees. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const name = `plinth_test_${process.pid}_${randomBytes(6).toString('hex')}`;
  // template1 is whatever the server's owner made of it; template0 is always empty and takes any encoding.
  const source =
    options.template === undefined
      ? `TEMPLATE template0 ENCODING 'UTF8'`
      : `TEMPLATE ${escapeIdentifier(options.template)}`;
  const { serverUrl = testServerUrl() } = options;
  await administrate(serverUrl, `CREATE DATABASE ${name} ${source}${copyStrategy(serverUrl)}`);

  const url = databaseUrl(serverUrl, name);
  const pool = new Pool({ connectionString: url, max: 10 });
  // A test may end the pool's connections from outside; an idle client that hears of it must not end the process.
  pool.on('error', () => {});

  let dropped: Promise<void> | undefined;
  const database: TestDatabase = {
    url,
    name,
    pool,
    async query<Row extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]> {
      const result = await pool.query<Row>(text, values === undefined ? [] : [...values]);
      return result.rows;
    },
    drop() {
      dropped ??= (async () => {
        if (!pool.ended) await pool.end();
        await administrate(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      })();
      return dropped;
    },
  };
  if (options.sql !== undefined) {
    try {
      // Without values the simple protocol is used, which takes many statements in one text.
      await pool.query(options.sql);
    } catch (error) {
      await database.drop();
      throw error;
    }
  }
  return database;
}

/** What the names of templates begin with that this run makes; its tear-down drops them. */
const templatePrefix = (run: string): string => `plinth_test_template_${run}_`;

/**
 * Makes a database to be cloned for as long as the run lasts.
 * @param fill makes what is in it, and leaves nothing connected to it
 */
export async function createTemplate(fill: (url: string) => Promise<void>): Promise<string> {
  const serverUrl = testServerUrl();
  const prefix = templatePrefix(process.env['TESTED_PLINTH_RUN'] ?? '');
  const name = `${prefix}${randomBytes(6).toString('hex')}`;
  await administrate(serverUrl, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
  await fill(databaseUrl(serverUrl, name));
  // A connection would be in the way of whoever clones it.
  await administrate(serverUrl, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  return name;
}

/** Drops what `createTemplate` made in a run. */
export async function dropTemplates(run: string): Promise<void> {
  const serverUrl = testServerUrl();
  const prefix = escapeLiteral(templatePrefix(run));
  const names = await administrate(
    serverUrl,
    `SELECT datname FROM pg_database WHERE starts_with(datname, ${prefix})`,
  );
  for (const { datname } of names)
    await administrate(serverUrl, `DROP DATABASE ${escapeIdentifier(String(datname))}`);
}

/** The address of another database on a server. */
export function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/**
 * Copying files costs a fraction of copying by way of the log, where the checkpoint that it takes writes to no disk: on
 * the server that the run has made for itself.
 */
const copyStrategy = (serverUrl: string): string =>
  process.env['TESTED_PLINTH_OWN_SERVER'] === serverUrl ? ' STRATEGY FILE_COPY' : '';

async function administrate(
  serverUrl: string,
  statement: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}
