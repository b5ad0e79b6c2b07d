import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Pool } from 'pg';
import { connectionOptions } from '../common/database/connection-options.js';
import { DATABASE_ENDPOINT, type DatabaseEndpoint } from '../common/database/database-endpoint.js';
import { Logger } from '../common/observability/index.js';

/** Reading the catalog takes a part of a second; one that waits for a lock longer than this is better tried again. */
const STATEMENT_TIMEOUT_MS = 20_000;

/**
 * One connection for reading the catalog. It is not of the requests' pool, because requests that hold all of that
 * pool's connections may be what waits for the new catalog.
 */
@Injectable()
export class CatalogConnection implements BeforeApplicationShutdown {
  readonly pool: Pool;

  constructor(@Inject(DATABASE_ENDPOINT) endpoint: DatabaseEndpoint, logger: Logger) {
    this.pool = new Pool({
      ...connectionOptions(endpoint.url),
      application_name: 'plinth-catalog',
      max: 1,
      connectionTimeoutMillis: 5000,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS + 1000,
    });
    this.pool.on('error', (error) =>
      logger.debug({ reason: error.message }, 'The catalog connection was lost'),
    );
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }
}
