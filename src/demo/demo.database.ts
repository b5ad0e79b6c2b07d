import { escapeLiteral, type ClientBase } from 'pg';
import { demoCommentStatements } from './demo.comments.js';
import { DEMO_MARKER, DEMO_TABLES, DEMO_TRIGGERS, DEMO_UNFINISHED_MARKER } from './demo.schema.js';
import type { DemoRows } from './data/rows.js';

/** The database holds something else; the sample database needs an empty one. */
export class ForeignDatabaseError extends Error {
  override readonly name = 'ForeignDatabaseError';
}

/** Any number that nobody else is likely to lock. */
const INSTALL_LOCK = 7_052_601_395;

/**
 * Makes the sample tables and fills them, inside the transaction of `client`. Does nothing where they are already,
 * whatever has become of their rows.
 *
 * @throws {ForeignDatabaseError} where the schema `public` holds anything else.
 */
export async function installDemoTables(
  client: Pick<ClientBase, 'query'>,
  rows: DemoRows,
): Promise<'installed' | 'present'> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [INSTALL_LOCK]);
  if ((await readMarker(client)) !== null) return 'present';
  await refuseForeignDatabase(client);
  await client.query('SET LOCAL search_path = public');
  await client.query(DEMO_TABLES);
  for (const [table, tableRows] of Object.entries(rows)) await insertRows(client, table, tableRows);
  await client.query(DEMO_TRIGGERS);
  await client.query(demoCommentStatements());
  await client.query(`COMMENT ON SCHEMA public IS ${escapeLiteral(DEMO_UNFINISHED_MARKER)}`);
  await client.query('ANALYZE');
  return 'installed';
}

/**
 * Runs `install` once in the life of a sample database, after its tables: again only where it did not finish. Others who
 * want the same wait meanwhile.
 */
export async function finishDemo(
  client: Pick<ClientBase, 'query'>,
  install: () => Promise<void>,
): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [INSTALL_LOCK]);
  if ((await readMarker(client)) !== DEMO_UNFINISHED_MARKER) return;
  await install();
  await client.query(`COMMENT ON SCHEMA public IS ${escapeLiteral(DEMO_MARKER)}`);
}

/** The marker of a sample database, or null where it is something else. */
async function readMarker(client: Pick<ClientBase, 'query'>): Promise<string | null> {
  const { rows } = await client.query<{ marker: string | null }>(
    `SELECT obj_description(oid, 'pg_namespace') AS marker FROM pg_namespace WHERE nspname = 'public'`,
  );
  const marker = rows[0]?.marker ?? '';
  return [DEMO_MARKER, DEMO_UNFINISHED_MARKER].includes(marker) ? marker : null;
}

async function refuseForeignDatabase(client: Pick<ClientBase, 'query'>): Promise<void> {
  const { rows } = await client.query<{ name: string; database: string }>(
    `SELECT c.relname AS name, current_database() AS database
     FROM pg_class c
     WHERE c.relnamespace = to_regnamespace('public')
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
     ORDER BY c.relname LIMIT 1`,
  );
  const [found] = rows;
  if (found) {
    throw new ForeignDatabaseError(
      `The database "${found.database}" is not empty (it has "${found.name}" in the schema public), so the sample ` +
        'database is not installed there. Let DATABASE_URL name an empty database, or unset it.',
    );
  }
}

async function insertRows(
  client: Pick<ClientBase, 'query'>,
  table: string,
  rows: readonly object[],
): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const columns = Object.keys(first).join(', ');
  await client.query(
    `INSERT INTO ${table} (${columns}) OVERRIDING SYSTEM VALUE
     SELECT ${columns} FROM json_populate_recordset(NULL::${table}, $1)`,
    [JSON.stringify(rows)],
  );
  if ('id' in first && typeof first.id === 'number') {
    await client.query(`SELECT setval(pg_get_serial_sequence($1, 'id'), $2)`, [table, rows.length]);
  }
  if (table === 'orders') await client.query(`SELECT setval('order_numbers', $1)`, [rows.length]);
}
