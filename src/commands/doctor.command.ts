import { access, constants, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { findRunningPostgres } from '@plinth/embedded-postgres';
import pg from 'pg';
import { ConfigError, maskPassword, parseConfig, type PlinthConfig } from '../common/config/index.js';

interface Finding {
  readonly status: 'ok' | 'warning' | 'failed';
  readonly what: string;
  /** What to do about it. */
  readonly advice?: string;
}

const MARKS = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ' } as const;
const OLDEST_NODE: readonly [number, number] = [20, 19];
const OLDEST_POSTGRES = 14;

/** Checks what Plinth needs, prints a line for each, and exits with 1 when something keeps it from working. */
export async function runDoctor(): Promise<void> {
  const findings: Finding[] = [checkNode()];
  const config = checkConfig(findings);
  if (config?.databaseUrl) findings.push(...(await checkDatabase(config, config.databaseUrl)));
  else if (config) findings.push(...(await checkEmbedded(config)));
  for (const { status, what, advice } of findings) {
    process.stdout.write(
      `${MARKS[status]}  ${what}\n${advice === undefined ? '' : `         -> ${advice}\n`}`,
    );
  }
  if (findings.some(({ status }) => status === 'failed')) process.exitCode = 1;
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  return isOld
    ? {
        status: 'failed',
        what: `Node.js ${process.versions.node}`,
        advice: 'Install Node.js 20.19 or later.',
      }
    : { status: 'ok', what: `Node.js ${process.versions.node}` };
}

function checkConfig(findings: Finding[]): PlinthConfig | null {
  try {
    const config = parseConfig(process.env);
    findings.push({ status: 'ok', what: 'the configuration is valid' });
    return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const { variable, message } of error.mistakes) {
      findings.push({
        status: 'failed',
        what: `${variable} ${message}`,
        advice: `Correct or unset ${variable}.`,
      });
    }
    return null;
  }
}

async function checkEmbedded(config: PlinthConfig): Promise<Finding[]> {
  const dataDir = path.resolve(config.dataDir);
  try {
    await mkdir(dataDir, { recursive: true });
    await access(dataDir, constants.W_OK);
  } catch (error) {
    return [
      {
        status: 'failed',
        what: `the data folder ${dataDir} cannot be written: ${(error as Error).message}`,
        advice: 'Give this user the folder, or set PLINTH_DATA_DIR to another one.',
      },
    ];
  }
  const findings: Finding[] = [{ status: 'ok', what: `the data folder is ${dataDir}` }];
  const running = await findRunningPostgres(dataDir);
  if (running === null) {
    return [
      ...findings,
      { status: 'ok', what: 'the embedded PostgreSQL is not running; `npm start` starts it' },
    ];
  }
  return [...findings, ...(await checkDatabase(config, running.url))];
}

async function checkDatabase(config: PlinthConfig, url: string): Promise<Finding[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    return [
      {
        status: 'failed',
        what: `${maskPassword(url)} cannot be reached: ${(error as Error).message}`,
        advice: 'Check the address, the password and that PostgreSQL listens there.',
      },
    ];
  }
  try {
    return [
      ...(await checkVersion(client, url)),
      await checkSystemSchema(client),
      ...(await checkExposedSchemas(client, config.schemas)),
      await checkChangeDetection(client),
    ];
  } finally {
    await client.end();
  }
}

async function checkVersion(client: pg.Client, url: string): Promise<Finding[]> {
  const { rows } = await client.query<{ version: string; role: string }>(
    `SELECT current_setting('server_version') AS version, current_user AS role`,
  );
  const { version = '0', role = '' } = rows[0] ?? {};
  const what = `PostgreSQL ${version} at ${maskPassword(url)} as ${role}`;
  return Number.parseInt(version, 10) >= OLDEST_POSTGRES
    ? [{ status: 'ok', what }]
    : [{ status: 'failed', what, advice: 'Plinth needs PostgreSQL 14 or later.' }];
}

async function checkSystemSchema(client: pg.Client): Promise<Finding> {
  const { rows } = await client.query<{
    exists: boolean;
    may_create: boolean;
    may_use: boolean;
    role: string;
  }>(
    `SELECT n.oid IS NOT NULL AS exists, current_user AS role,
            has_database_privilege(current_database(), 'CREATE') AS may_create,
            coalesce(has_schema_privilege(n.oid, 'USAGE, CREATE'), false) AS may_use
     FROM (SELECT 1) AS one LEFT JOIN pg_namespace n ON n.nspname = 'plinth'`,
  );
  const found = rows[0] ?? { exists: false, may_create: false, may_use: false, role: '' };
  if (found.exists && found.may_use) return { status: 'ok', what: 'the schema "plinth" is there' };
  if (found.exists) {
    return {
      status: 'failed',
      what: 'the schema "plinth" is there, but this role may not use it',
      advice: `As its owner: ALTER SCHEMA plinth OWNER TO "${found.role}";`,
    };
  }
  return found.may_create
    ? { status: 'ok', what: 'the schema "plinth" will be made at the first start' }
    : {
        status: 'failed',
        what: 'the schema "plinth" is missing and this role may not create it',
        advice: `As an administrator: CREATE SCHEMA plinth AUTHORIZATION "${found.role}";`,
      };
}

async function checkExposedSchemas(client: pg.Client, schemas: readonly string[]): Promise<Finding[]> {
  const { rows } = await client.query<{
    name: string;
    exists: boolean;
    usable: boolean;
    tables: number;
    closed: string[];
    role: string;
  }>(
    `SELECT s.name, n.oid IS NOT NULL AS exists, current_user AS role,
            coalesce(has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
            count(c.oid)::int AS tables,
            coalesce(array_agg(c.relname::text) FILTER (WHERE NOT has_table_privilege(c.oid, 'SELECT')), '{}') AS closed
     FROM unnest($1::text[]) WITH ORDINALITY AS s (name, place)
     LEFT JOIN pg_namespace n ON n.nspname = s.name
     LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
     GROUP BY s.name, s.place, n.oid ORDER BY s.place`,
    [schemas],
  );
  return rows.map(({ name, exists, usable, tables, closed, role }): Finding => {
    if (!exists) {
      return {
        status: 'failed',
        what: `the schema "${name}" does not exist`,
        advice: 'Create it, or correct PLINTH_SCHEMAS.',
      };
    }
    if (!usable) {
      return {
        status: 'failed',
        what: `the schema "${name}" may not be used by this role`,
        advice: `GRANT USAGE ON SCHEMA "${name}" TO "${role}";`,
      };
    }
    return closed.length === 0
      ? { status: 'ok', what: `the schema "${name}" has ${tables} readable tables and views` }
      : {
          status: 'warning',
          what: `in the schema "${name}" this role may not read: ${closed.slice(0, 10).join(', ')}`,
          advice: `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "${name}" TO "${role}";`,
        };
  });
}

async function checkChangeDetection(client: pg.Client): Promise<Finding> {
  const { rows } = await client.query<{ is_superuser: boolean; has_trigger: boolean }>(
    `SELECT current_setting('is_superuser') = 'on' AS is_superuser,
            EXISTS (SELECT FROM pg_event_trigger t JOIN pg_proc p ON p.oid = t.evtfoid
                    JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'plinth') AS has_trigger`,
  );
  return rows[0]?.has_trigger || rows[0]?.is_superuser
    ? { status: 'ok', what: 'schema changes are told by an event trigger' }
    : { status: 'ok', what: 'schema changes are found by polling; an event trigger needs a superuser' };
}
