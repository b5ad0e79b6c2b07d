import { DataSource, type DataSourceOptions, type MixedList } from 'typeorm';
import { connectionOptions } from './connection-options.js';

/** The TypeORM data source of Plinth's own tables; named, so that a host application keeps the unnamed one. */
export const SYSTEM_DATA_SOURCE = 'plinth';

/** The schema of Plinth's own tables. */
export const SYSTEM_SCHEMA = 'plinth';

/** Any number that nobody else is likely to lock. */
const MIGRATION_LOCK = 7_052_601_394;

type Migrations = MixedList<new () => { up: unknown; down: unknown }>;

/** Options for TypeORM over Plinth's own tables: migrations, never `synchronize`. */
export function systemDataSourceOptions(
  url: string,
  migrations: DataSourceOptions['migrations'] & Migrations,
): DataSourceOptions {
  const { connectionString, options } = connectionOptions(url);
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
    extra: { options, keepAlive: true, connectionTimeoutMillis: 5000 },
  };
}

/** Connects and brings Plinth's own tables up to date; one instance at a time, the others wait for it. */
export async function openSystemDataSource(options: DataSourceOptions): Promise<DataSource> {
  const dataSource = await new DataSource(options).initialize();
  try {
    await migrate(dataSource);
    return dataSource;
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
}

async function migrate(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  await runner.connect();
  try {
    await runner.query(`SELECT pg_advisory_lock(${MIGRATION_LOCK})`);
    const [found]: unknown[] = await runner.query(`SELECT 1 FROM pg_namespace WHERE nspname = $1`, [
      SYSTEM_SCHEMA,
    ]);
    // Asked first, because a role may own the schema without the right to create one.
    if (found === undefined) await runner.query(`CREATE SCHEMA ${SYSTEM_SCHEMA}`);
    await dataSource.runMigrations({ transaction: 'each' });
  } finally {
    await runner.query(`SELECT pg_advisory_unlock(${MIGRATION_LOCK})`).catch(() => {
      // The lock ends with the connection.
    });
    await runner.release();
  }
}
