import pg from 'pg';
import { maskPassword, type PlinthConfig } from '../../common/config/index.js';
import { describeConnectionFailure } from '../../common/database/connection-failure.js';
import { ok, warning, type Finding } from './finding.js';

const CONNECT_TIMEOUT_MS = 5000;

/** Without standbys everything still works, on the primary: so nothing about them is a failure. */
export async function checkReplicas({
  databaseUrl,
  replicaUrls,
}: Pick<PlinthConfig, 'databaseUrl' | 'replicaUrls'>): Promise<Finding[]> {
  if (databaseUrl === null || replicaUrls.length === 0) return [];
  const primary = await findSystem(databaseUrl);
  // What is wrong with it is told already.
  if ('what' in primary) return [];
  return Promise.all(replicaUrls.map((url) => checkReplica(url, primary.systemId)));
}

async function checkReplica(url: string, primaryId: string): Promise<Finding> {
  const system = await findSystem(url);
  if ('what' in system) return warning(system.what, system.advice);
  const what = `the server at ${maskPassword(url)}`;
  const advice = 'Correct DATABASE_REPLICA_URLS; records are read from the primary meanwhile.';
  if (system.systemId !== primaryId) {
    return warning(`${what} is of another database system than DATABASE_URL`, advice);
  }
  if (!system.isStandby) return warning(`${what} is no standby: it is not in recovery`, advice);
  return ok(`${what} is a standby of DATABASE_URL`);
}

interface System {
  readonly systemId: string;
  readonly isStandby: boolean;
}

async function findSystem(url: string): Promise<System | ReturnType<typeof describeConnectionFailure>> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<System>(
      `SELECT system_identifier::text AS "systemId", pg_is_in_recovery() AS "isStandby" FROM pg_control_system()`,
    );
    return rows[0] ?? { systemId: '', isStandby: false };
  } catch (error) {
    return describeConnectionFailure(url, error);
  } finally {
    await client.end().catch(() => {});
  }
}
