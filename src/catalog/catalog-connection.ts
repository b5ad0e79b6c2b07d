import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Pool } from 'pg';
import { connectionOptions } from '../common/database/connection-options.js';
import { DATABASE_ENDPOINT, type DatabaseEndpoint } from '../common/database/database-endpoint.js';
import { Observer } from '../common/observability/index.js';

/** Reading the catalog takes a part of a second; one that waits for a lock longer than this is better tried again. */
const STATEMENT_TIMEOUT_MS = 20_000;

/**
 * One connection for reading the catalog. It is not of the requests' pool, because requests that hold all of that
 * pool's connections may be what waits for the new catalog.
 */
@Injectable()
export class CatalogConnection implements OnApplicationShutdown {
  readonly pool: Pool;

  constructor(
    @Inject(DATABASE_ENDPOINT) private readonly endpoint: DatabaseEndpoint,
    observer: Observer,
  ) {
    this.pool = new Pool({
      ...connectionOptions(endpoint.url, endpoint.sockets),
      application_name: 'plinth-catalog',
      max: 1,
      connectionTimeoutMillis: 5000,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS + 1000,
    });
    this.pool.on('error', (error) =>
      observer.observe({ kind: 'database.connection-lost', pool: 'catalog', reason: error.message }),
    );
  }

  /** Not before: requests that are under way until then may need the catalog read again. */
  async onApplicationShutdown(): Promise<void> {
    this.endpoint.sockets.destroySoon();
    await this.pool.end();
  }
}
