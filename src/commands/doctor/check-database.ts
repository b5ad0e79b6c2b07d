import pg from 'pg';
import { maskPassword, type PlinthConfig } from '../../common/config/index.js';
import { measureShortage } from '../../common/database/connection-need.js';
import { describeConnectionFailure } from '../../common/database/connection-failure.js';
import { findMissingGrants } from '../../common/database/grants.js';
import { failed, ok, warning, type Finding } from './finding.js';

const CONNECT_TIMEOUT_MS = 5000;
const OLDEST_POSTGRES = 14;

type Client = Pick<pg.Client, 'query'>;

/** Whether Plinth can work with the database at `url`: reachable, new enough, with the grants that it needs. */
export async function checkDatabase(config: PlinthConfig, url: string): Promise<Finding[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    const { what, advice } = describeConnectionFailure(url, error);
    return [failed(what, advice)];
  }
  try {
    const version = await checkVersion(client, url);
    // What is asked below may be told in other ways by an older one.
    if (version.status === 'failed') return [version];
    const missing = await checkGrants(client, config.schemas);
    return [
      version,
      ...(missing.some(({ status }) => status === 'failed') ? [] : [await checkSystemSchema(client)]),
      ...(await checkExposedSchemas(client, config.schemas)),
      ...missing,
      ...(await checkConnections(client, config)),
      await checkChangeDetection(client),
    ];
  } finally {
    await client.end();
  }
}

async function checkVersion(client: Client, url: string): Promise<Finding> {
  const { rows } = await client.query<{ version: string; role: string }>(
    `SELECT current_setting('server_version') AS version, current_user AS role`,
  );
  const { version = '0', role = '' } = rows[0] ?? {};
  const what = `PostgreSQL ${version} at ${maskPassword(url)} as ${role}`;
  return Number.parseInt(version, 10) >= OLDEST_POSTGRES
    ? ok(what)
    : failed(what, `Upgrade it, or use another one: Plinth needs PostgreSQL ${OLDEST_POSTGRES} or later.`);
}

async function checkSystemSchema(client: Client): Promise<Finding> {
  const { rows } = await client.query(`SELECT FROM pg_namespace WHERE nspname = 'plinth'`);
  return ok(`the schema "plinth" ${rows.length > 0 ? 'is there' : 'will be made at the first start'}`);
}

async function checkExposedSchemas(client: Client, schemas: readonly string[]): Promise<Finding[]> {
  const { rows } = await client.query<{ name: string; exists: boolean; tables: number }>(
    `SELECT s.name, n.oid IS NOT NULL AS exists,
            count(c.oid) FILTER (WHERE has_table_privilege(c.oid, 'SELECT'))::int AS tables
     FROM unnest($1::text[]) WITH ORDINALITY AS s (name, place)
     LEFT JOIN pg_namespace n ON n.nspname = s.name
     LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
     GROUP BY s.name, s.place, n.oid ORDER BY s.place`,
    [schemas],
  );
  return rows.map(({ name, exists, tables }) =>
    exists
      ? ok(`the schema "${name}" has ${tables} readable tables and views`)
      : failed(`the schema "${name}" does not exist`, 'Create it, or correct PLINTH_SCHEMAS.'),
  );
}

async function checkGrants(client: Client, schemas: readonly string[]): Promise<Finding[]> {
  const missing = await findMissingGrants(async <Row>(text: string, values: readonly unknown[]) => {
    const { rows } = await client.query(text, [...values]);
    return rows as Row[];
  }, schemas);
  return missing.map(({ what, statement, neededFor }) =>
    (neededFor === 'anything' ? failed : warning)(what, `As an administrator: ${statement}`),
  );
}

async function checkConnections(client: Client, config: PlinthConfig): Promise<Finding[]> {
  const shortage = await measureShortage(client, config);
  if (shortage === null) return [];
  return [
    warning(
      `Plinth may need ${shortage.needed} connections, and the database takes ${shortage.available} for this role`,
      'Lower PLINTH_WORKERS or PLINTH_POOL_SIZE, or raise max_connections.',
    ),
  ];
}

async function checkChangeDetection(client: Client): Promise<Finding> {
  const { rows } = await client.query<{ is_superuser: boolean; has_trigger: boolean }>(
    `SELECT current_setting('is_superuser') = 'on' AS is_superuser,
            EXISTS (SELECT FROM pg_event_trigger t JOIN pg_proc p ON p.oid = t.evtfoid
                    JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'plinth') AS has_trigger`,
  );
  return rows[0]?.has_trigger || rows[0]?.is_superuser
    ? ok('schema changes are told by an event trigger')
    : ok('schema changes are found by polling; an event trigger needs a superuser');
}
