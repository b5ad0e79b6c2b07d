import { Global, Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PlinthConfig } from '../config/index.js';
import { Observer } from '../observability/index.js';
import { DATABASE_ENDPOINT, openDatabaseEndpoint, type DatabaseEndpoint } from './database-endpoint.js';
import { Database } from './database.js';
import { GrantCheck } from './grant-check.js';
import { ReplicaSet } from './replicas/index.js';
import {
  openSystemDataSource,
  SYSTEM_DATA_SOURCE,
  systemDataSourceOptions,
  type SystemDataSourceOptions,
} from './system-data-source.js';

/** Where the database is; a module of its own because TypeORM needs it before anything else. */
@Global()
@Module({
  providers: [
    {
      provide: DATABASE_ENDPOINT,
      inject: [PlinthConfig, Observer],
      useFactory: (config: PlinthConfig, observer: Observer) => openDatabaseEndpoint(config, observer),
    },
  ],
  exports: [DATABASE_ENDPOINT],
})
class DatabaseEndpointModule {}

/** PostgreSQL for everybody: `Database` for records, a TypeORM data source for Plinth's own tables. */
@Global()
@Module({})
export class DatabaseModule {
  static forRoot(migrations: Parameters<typeof systemDataSourceOptions>[1]): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        DatabaseEndpointModule,
        TypeOrmModule.forRootAsync({
          name: SYSTEM_DATA_SOURCE,
          inject: [DATABASE_ENDPOINT, PlinthConfig],
          useFactory: ({ url, sockets }: DatabaseEndpoint, { statementTimeoutMs }: PlinthConfig) => ({
            ...systemDataSourceOptions(url, migrations, { sockets, statementTimeoutMs }),
            autoLoadEntities: true,
            // We wait for the database before; what fails now does not heal by trying again.
            retryAttempts: 1,
          }),
          dataSourceFactory: (options) => openSystemDataSource(options as SystemDataSourceOptions),
        }),
      ],
      providers: [Database, GrantCheck, ReplicaSet],
      exports: [Database, ReplicaSet],
    };
  }
}
