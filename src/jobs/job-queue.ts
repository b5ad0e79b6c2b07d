import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Logger, runMigrations } from 'graphile-worker';
import { Pool, type ClientBase, type PoolConfig } from 'pg';
import { connectionOptions } from '../common/database/connection-options.js';
import { DATABASE_ENDPOINT, type DatabaseEndpoint } from '../common/database/database-endpoint.js';
import { JOBS_SCHEMA } from '../common/database/system-schema.js';
import { Observer } from '../common/observability/index.js';

/** Any number that nobody else is likely to lock. */
const MIGRATION_LOCK = 7_052_601_500;

/** One to listen on, two to take and end jobs. */
const MAX_CONNECTIONS = 3;
const IDLE_MS = 10_000;

/** Says nothing; what there is to tell, observations tell. */
export const SILENT = new Logger(() => () => {});

/** By jobs that are being worked, what takes jobs again from workers that are gone finds them. */
const MAKE_INDEX = `
  CREATE INDEX plinth_locked_jobs ON plinth_jobs._private_jobs (locked_by) WHERE locked_at IS NOT NULL`;
const FIND_INDEX = `SELECT to_regclass('plinth_jobs.plinth_locked_jobs')::text AS index`;

/** The tables of graphile-worker, brought up to date at the start, and connections for those who work jobs. */
@Injectable()
export class JobQueue implements OnModuleInit {
  constructor(
    @Inject(DATABASE_ENDPOINT) private readonly endpoint: DatabaseEndpoint,
    private readonly observer: Observer,
  ) {}

  /** Of instances that start together, one migrates and the others wait for it. */
  async onModuleInit(): Promise<void> {
    const pool = this.openPool();
    try {
      const lock = await pool.connect();
      try {
        await lock.query(`SELECT pg_advisory_lock(${MIGRATION_LOCK})`);
        await runMigrations({ pgPool: pool, schema: JOBS_SCHEMA, logger: SILENT });
        const { rows } = await lock.query<{ index: string | null }>(FIND_INDEX);
        // Asked first, because making it waits for everybody who puts jobs in the queue.
        if (rows[0]?.index === null) await lock.query(MAKE_INDEX);
      } finally {
        // Which the lock ends with.
        lock.release(true);
      }
    } finally {
      await pool.end();
    }
  }

  /**
   * A pool of one's own, so that jobs keep nobody who signs in from a connection. Who opens it ends it.
   * @param onConnect what each connection does first
   */
  openPool(onConnect: (client: ClientBase) => Promise<void> = () => Promise.resolve()): Pool {
    const options: PoolConfig & { readonly onConnect: typeof onConnect } = {
      ...connectionOptions(this.endpoint.url, this.endpoint.sockets),
      application_name: 'plinth-jobs',
      max: MAX_CONNECTIONS,
      idleTimeoutMillis: IDLE_MS,
      onConnect,
    };
    const pool = new Pool(options);
    pool.on('connect', (client) => client.on('error', () => {}));
    pool.on('error', (error) =>
      this.observer.observe({ kind: 'database.connection-lost', pool: 'jobs', reason: error.message }),
    );
    return pool;
  }
}
