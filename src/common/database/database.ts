import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { PlinthConfig } from '../config/index.js';
import { Problem } from '../errors/problem.js';
import { Logger } from '../observability/index.js';
import { DATABASE_ENDPOINT, type DatabaseEndpoint } from './database-endpoint.js';
import { isDatabaseUnavailable } from './database-errors.js';
import { connectionOptions } from './connection-options.js';
import { NotificationListener, type NotificationHandler } from './notification-listener.js';
import { isSpent, notePrepared } from './prepared-statements.js';
import { SYSTEM_DATA_SOURCE } from './system-data-source.js';

/** A compiled statement with its values, as the driver's pool runs it. */
export interface PreparedStatement {
  /** Names the prepared statement on a connection; equal names must mean equal texts. */
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** A row as the texts that PostgreSQL sent, in the order of the select list. */
export type TextRow = readonly (string | null)[];

/** Runs statements: the pool itself, or one connection inside a transaction. */
export interface StatementExecutor {
  execute(statement: PreparedStatement): Promise<readonly TextRow[]>;
}

/** How long after a statement's own time limit the server counts as lost. */
const SILENCE_MS = 5000;

const RAW_TYPES = { getTypeParser: () => (value: string | Buffer) => value } as const;

/** The records path's access to PostgreSQL: a pool, prepared statements, notifications. TypeORM has its own pool. */
@Injectable()
export class Database implements OnApplicationShutdown {
  readonly pool: pg.Pool;
  private readonly listener: NotificationListener;

  constructor(
    @Inject(DATABASE_ENDPOINT) private readonly endpoint: DatabaseEndpoint,
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    config: PlinthConfig,
    private readonly logger: Logger,
  ) {
    const connection = connectionOptions(endpoint.url);
    this.pool = new pg.Pool({
      ...connection,
      max: config.poolSize,
      connectionTimeoutMillis: 5000,
      idleTimeoutMillis: 30_000,
      statement_timeout: config.statementTimeoutMs || undefined,
      // For a server that went silent and cannot cancel anything any more.
      query_timeout: config.statementTimeoutMs === 0 ? undefined : config.statementTimeoutMs + SILENCE_MS,
    });
    // A connection in use that dies rejects its statement, or the next one; nobody else need hear of it.
    this.pool.on('connect', (client) => client.on('error', () => {}));
    // An idle connection that dies is replaced by the pool; without a handler it would end the process.
    this.pool.on('error', (error) =>
      logger.warn({ reason: error.message }, 'A database connection was lost'),
    );
    this.listener = new NotificationListener(connection, logger);
  }

  get isEmbedded(): boolean {
    return this.endpoint.isEmbedded;
  }

  /**
   * Runs one statement on a free connection.
   * @throws Problem `database-unavailable` when there is no way to the database; otherwise the driver's error
   */
  async execute(statement: PreparedStatement): Promise<readonly TextRow[]> {
    const client = await this.connect();
    let failure: unknown;
    try {
      return await executeOn(client, statement);
    } catch (error) {
      failure = error;
      throw toProblem(error);
    } finally {
      client.release(isSpent(client, failure));
    }
  }

  /** A connection of one's own; release it. */
  async connect(): Promise<pg.PoolClient> {
    try {
      return await this.pool.connect();
    } catch (error) {
      throw toProblem(error);
    }
  }

  /**
   * Runs `work` in one transaction: committed when it resolves, rolled back when it throws. `work` must use only the
   * executor that it is given; asking the pool for a second connection meanwhile could wait for ever.
   */
  async transaction<T>(work: (executor: StatementExecutor, client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.connect();
    let failure: unknown;
    try {
      await client.query('BEGIN');
      const result = await work({ execute: (statement) => executeOn(client, statement) }, client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      failure = await rollBack(client, error);
      throw toProblem(error);
    } finally {
      client.release(isSpent(client, failure));
    }
  }

  /** Runs `work` in a transaction that is always rolled back: for finding out, never for changing. */
  async rehearse<T>(work: (executor: StatementExecutor, client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.connect();
    let failure: unknown;
    try {
      await client.query('BEGIN');
      return await work({ execute: (statement) => executeOn(client, statement) }, client);
    } catch (error) {
      failure = error;
      throw toProblem(error);
    } finally {
      client.release(isSpent(client, await rollBack(client, failure)));
    }
  }

  /**
   * Calls `handler` with the payload of each notification on a channel, and with null after a reconnect, because
   * notifications may have been missed meanwhile. Resolves when listening; gives a function that stops it.
   */
  listen(channel: string, handler: NotificationHandler): Promise<() => void> {
    return this.listener.listen(channel, handler);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.listener.close();
    await this.pool.end();
    // Closed here and not by TypeORM's own hook, so that the embedded server stops after its last client.
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
    await this.endpoint.stop();
    this.logger.debug({}, 'Database connections are closed');
  }
}

async function executeOn(client: pg.PoolClient, statement: PreparedStatement): Promise<readonly TextRow[]> {
  if (statement.name !== undefined) notePrepared(client, statement.name);
  const { rows } = await client.query<(string | null)[]>({
    name: statement.name,
    text: statement.text,
    values: statement.values as unknown[],
    rowMode: 'array',
    types: RAW_TYPES,
  });
  return rows;
}

/** Gives what may keep the connection from being used again: the database's error, or that there was no way back. */
async function rollBack(client: pg.PoolClient, failure: unknown): Promise<unknown> {
  try {
    await client.query('ROLLBACK');
  } catch (error) {
    return error;
  }
  const cause =
    failure instanceof Error && failure.cause instanceof pg.DatabaseError ? failure.cause : failure;
  // After a rollback that worked, a failure of other code is none of the connection's.
  return cause instanceof pg.DatabaseError ? cause : undefined;
}

function toProblem(error: unknown): unknown {
  return isDatabaseUnavailable(error)
    ? new Problem('database-unavailable', {
        detail: 'The database cannot be reached; try again soon.',
        headers: { 'retry-after': '1' },
        cause: error,
      })
    : error;
}
