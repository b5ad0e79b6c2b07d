import { createHash } from 'node:crypto';
import pg from 'pg';
import { DATASET, DATASET_TABLES, datasetIndexes, datasetRows } from './dataset.js';

const STATEMENTS = [DATASET_TABLES, datasetRows(DATASET), datasetIndexes(DATASET)];
/** Named after what it holds, so that a changed data set is loaded anew. */
const TEMPLATE = `bench_seed_${createHash('sha256').update(STATEMENTS.join('')).digest('hex').slice(0, 12)}`;
const DATABASE = 'bench';

/**
 * Gives the address of a database with the data set as it was made, whatever an earlier run has written. The rows are
 * generated once for each data directory; a run gets a copy of them.
 *
 * @param serverUrl of any other database on the server, as its superuser
 */
export async function openDataset(serverUrl: string, tell: (line: string) => void): Promise<string> {
  await withClient(serverUrl, async (client) => {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [TEMPLATE]);
    if (rowCount === 0) {
      tell('Loading the data set, once ...');
      await loadTemplate(client, serverUrl);
    }
    await client.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${DATABASE} TEMPLATE ${TEMPLATE} STRATEGY file_copy`);
  });
  const url = withDatabase(serverUrl, DATABASE);
  // From the copied files into memory, so that the first round does not pay for it.
  await withClient(url, async (client) => {
    for (const table of ['authors', 'posts', 'comments', 'post_tags']) {
      await client.query(`SELECT count(t) FROM ${table} t`);
    }
  });
  return url;
}

/** Filled under another name, so that loading that was broken off is not taken for the data set. */
async function loadTemplate(client: pg.Client, serverUrl: string): Promise<void> {
  const unfinished = 'bench_seed_unfinished';
  await client.query(`DROP DATABASE IF EXISTS ${unfinished} WITH (FORCE)`);
  await client.query(`CREATE DATABASE ${unfinished} TEMPLATE template0 ENCODING 'UTF8'`);
  await withClient(withDatabase(serverUrl, unfinished), async (loader) => {
    for (const statements of STATEMENTS) await loader.query(statements);
    // Sets the visibility map too, without which an index alone answers nothing.
    await loader.query('VACUUM (ANALYZE)');
  });
  await client.query(`ALTER DATABASE ${unfinished} RENAME TO ${TEMPLATE}`);
}

function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Runs `work` on a connection of its own. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
