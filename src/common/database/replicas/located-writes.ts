import type pg from 'pg';
import type { ObservedRequest } from '../../observability/index.js';
import type { Database, StatementExecutor } from '../database.js';
import type { LogPosition } from '../log-position.js';
import type { Caller } from '../running-statements.js';
import type { PreparedStatement, TextRow } from '../text-query.js';

/** Runs the writes of one request, each in a transaction of its own or several in one. */
export interface WriteExecutor extends StatementExecutor {
  /** See `Database.transaction`. */
  transaction<T>(
    work: (executor: StatementExecutor, client: pg.PoolClient) => Promise<T>,
    request: ObservedRequest | null,
  ): Promise<T>;
  /** Where the write-ahead log was after the last commit, where that is of use to anybody. */
  readonly position?: LogPosition | null;
}

/** Notes where the log was after each commit, so that the client can ask standbys for no less. */
export class LocatedWrites implements WriteExecutor {
  position: LogPosition | null = null;

  constructor(private readonly primary: Database) {}

  async execute(statement: PreparedStatement, caller?: Caller): Promise<readonly TextRow[]> {
    const { rows, position } = await this.primary.executeAndLocate(statement, caller);
    this.position = position;
    return rows;
  }

  transaction<T>(
    work: (executor: StatementExecutor, client: pg.PoolClient) => Promise<T>,
    request: ObservedRequest | null,
  ): Promise<T> {
    return this.primary.transaction(work, request, (position) => {
      this.position = position;
    });
  }
}
