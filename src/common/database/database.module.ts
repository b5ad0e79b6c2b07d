import { Global, Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSourceOptions } from 'typeorm';
import { PlinthConfig } from '../config/index.js';
import { Logger } from '../observability/index.js';
import { DATABASE_ENDPOINT, openDatabaseEndpoint, type DatabaseEndpoint } from './database-endpoint.js';
import { Database } from './database.js';
import { openSystemDataSource, SYSTEM_DATA_SOURCE, systemDataSourceOptions } from './system-data-source.js';

/** Where the database is; a module of its own because TypeORM needs it before anything else. */
@Global()
@Module({
  providers: [
    {
      provide: DATABASE_ENDPOINT,
      inject: [PlinthConfig, Logger],
      useFactory: (config: PlinthConfig, logger: Logger) => openDatabaseEndpoint(config, logger),
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
          inject: [DATABASE_ENDPOINT],
          useFactory: (endpoint: DatabaseEndpoint) => ({
            ...systemDataSourceOptions(endpoint.url, migrations),
            autoLoadEntities: true,
            // We wait for the database before; what fails now does not heal by trying again.
            retryAttempts: 1,
          }),
          dataSourceFactory: (options) => openSystemDataSource(options as DataSourceOptions),
        }),
      ],
      providers: [Database],
      exports: [Database],
    };
  }
}
