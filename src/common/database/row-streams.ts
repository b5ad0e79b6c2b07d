import type pg from 'pg';
import { Problem } from '../errors/problem.js';
import { noteStatement, type ObservedRequest, type Observer } from '../observability/index.js';
import { cancelStatement } from './cancel-statement.js';
import { RowStream } from './row-stream.js';
import type { Caller, RunningStatements } from './running-statements.js';
import type { PreparedStatement, TextRow } from './text-query.js';

export interface RowStreamsOptions {
  /** How many connections may be held by streams at the same time. */
  readonly maxOpen: number;
  /** How long one statement may take, its reader included, in milliseconds; 0 means for ever. */
  readonly timeoutMs: number;
  readonly connect: (request: ObservedRequest | null) => Promise<pg.PoolClient>;
  /** Runs a statement on a stream's connection. */
  readonly execute: (
    client: pg.PoolClient,
    statement: PreparedStatement,
    request: ObservedRequest | null,
  ) => Promise<unknown>;
  readonly running: RunningStatements;
  readonly observer: Observer;
}

/** Answers that are too large to be held: each has a connection of its own until its reader has taken the last row. */
export class RowStreams {
  private open = 0;

  constructor(private readonly options: RowStreamsOptions) {}

  /**
   * Gives a statement's rows in batches, as they come and as they are asked for.
   * @throws Problem `overloaded` where too many streams are open; otherwise the driver's error
   */
  async *read(
    statement: PreparedStatement,
    caller: Caller | undefined,
  ): AsyncGenerator<readonly TextRow[], void, undefined> {
    const { maxOpen, connect } = this.options;
    if (this.open >= maxOpen) {
      throw new Problem('overloaded', {
        detail: `No more than ${maxOpen} large answers are made at the same time. Try again soon, or ask for fewer records.`,
        headers: { 'retry-after': '2' },
      });
    }
    this.open += 1;
    try {
      const client = await connect(caller?.observed ?? null);
      let isWhole = false;
      try {
        yield* this.readOn(client, statement, caller);
        isWhole = true;
      } finally {
        // A connection whose rows were not taken to the end is of no use to anybody else.
        if (!isWhole) void cancelStatement(client);
        client.release(!isWhole);
      }
    } finally {
      this.open -= 1;
    }
  }

  private async *readOn(
    client: pg.PoolClient,
    statement: PreparedStatement,
    caller: Caller | undefined,
  ): AsyncGenerator<readonly TextRow[], void, undefined> {
    const { running, timeoutMs, execute, observer } = this.options;
    const request = caller?.observed ?? null;
    await execute(client, { text: 'BEGIN', values: [] }, request);
    const setTimeout = {
      text: `SELECT set_config('statement_timeout', $1, true)`,
      values: [String(timeoutMs)],
    };
    await execute(client, setTimeout, request);
    const rows = new RowStream(client, statement);
    const entry = running.begin(client, caller, rows);
    let failure: unknown = null;
    try {
      for (;;) {
        const batch = await rows.next();
        if (batch === null) break;
        yield batch;
      }
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      noteStatement(observer, request, statement, failure, entry.value.startedAtMs);
      void running.end(entry);
    }
    await execute(client, { text: 'COMMIT', values: [] }, request);
  }
}
