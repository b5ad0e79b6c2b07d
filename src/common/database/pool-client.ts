import pg from 'pg';

/** A server that takes connections at all takes one within this time. */
const CONNECT_MS = 5000;

/**
 * A connection of a pool. Connecting has a limit of its own here, because the pool has one number for two things: it
 * is also how long a request waits for its turn while all connections are busy, which may be much longer.
 */
export class PoolClient extends pg.Client {
  constructor(config: pg.ClientConfig = {}) {
    super({ ...config, connectionTimeoutMillis: CONNECT_MS });
  }
}
