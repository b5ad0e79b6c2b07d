import type pg from 'pg';
import { DataSource, type DataSourceOptions, type MixedList } from 'typeorm';
import { connectionOptions, silenceAfter } from './connection-options.js';
import type { DatabaseSockets } from './database-sockets.js';
import { requireSystemSchema } from './grants.js';
import { OWN_SCHEMAS, SYSTEM_SCHEMA } from './system-schema.js';

/** The TypeORM data source of Plinth's own tables; named, so that a host application keeps the unnamed one. */
export const SYSTEM_DATA_SOURCE = 'plinth';

/** Any number that nobody else is likely to lock. */
const MIGRATION_LOCK = 7_052_601_394;

export type SystemDataSourceOptions = Extract<DataSourceOptions, { type: 'postgres' }>;

type Migrations = MixedList<new () => { up: unknown; down: unknown }>;

export interface SystemConnections {
  readonly sockets: DatabaseSockets;
  /** Of each statement; 0 means none. */
  readonly statementTimeoutMs: number;
}

/** Options for TypeORM over Plinth's own tables: migrations, never `synchronize`. */
export function systemDataSourceOptions(
  url: string,
  migrations: DataSourceOptions['migrations'] & Migrations,
  connections?: SystemConnections,
): SystemDataSourceOptions {
  const { connectionString, options, keepAlive, keepAliveInitialDelayMillis } = connectionOptions(url);
  return {
    type: 'postgres',
    url: connectionString,
    schema: SYSTEM_SCHEMA,
    migrations,
    migrationsTableName: 'migrations',
    synchronize: false,
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    applicationName: 'plinth-system',
    poolSize: 3,
    extra: {
      options,
      keepAlive,
      keepAliveInitialDelayMillis,
      connectionTimeoutMillis: 5000,
      ...(connections === undefined ? {} : limits(connections)),
    },
  };
}

/**
 * TypeORM takes a connection back into its pool whatever happened on it, so one whose server went silent has to end by
 * itself: each statement on it would wait for ever.
 */
const limits = ({ sockets, statementTimeoutMs }: SystemConnections): pg.ClientConfig => ({
  statement_timeout: statementTimeoutMs || undefined,
  stream: sockets.factory(silenceAfter(statementTimeoutMs)),
});

/** Brings Plinth's own tables up to date, one instance at a time, and connects. */
export async function openSystemDataSource(options: SystemDataSourceOptions): Promise<DataSource> {
  const { statement_timeout: _limit, stream: _socket, ...extra } = options.extra as pg.ClientConfig;
  // Waiting for another instance's migration, or for one that is long, must not run into a limit.
  const migrating = await new DataSource({ ...options, extra, entities: [], poolSize: 2 }).initialize();
  try {
    await migrate(migrating);
  } finally {
    await migrating.destroy();
  }
  return new DataSource(options).initialize();
}

async function migrate(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  await runner.connect();
  try {
    await runner.query(`SELECT pg_advisory_lock(${MIGRATION_LOCK})`);
    await requireSystemSchema((text, values) => runner.query(text, [...values]));
    for (const schema of OWN_SCHEMAS) {
      const [found]: unknown[] = await runner.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [
        schema,
      ]);
      // Asked first, because a role may own the schema without the right to create one.
      if (found === undefined) await runner.query(`CREATE SCHEMA ${schema}`);
    }
    await dataSource.runMigrations({ transaction: 'each' });
  } finally {
    await runner.query(`SELECT pg_advisory_unlock(${MIGRATION_LOCK})`).catch(() => {
      // The lock ends with the connection.
    });
    await runner.release();
  }
}
