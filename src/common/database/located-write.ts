import type pg from 'pg';
import { parseLogPosition, type LogPosition } from './log-position.js';
import { TextQuery, type PreparedStatement, type Settle, type TextRow, type Wire } from './text-query.js';

/** What a write gave, and where the write-ahead log was after its commit. */
export interface LocatedRows {
  readonly rows: readonly TextRow[];
  readonly position: LogPosition;
}

const BEGIN = 'BEGIN';
const COMMIT = 'COMMIT';
/** A commit is in the log before the next statement begins, so that this is behind it. */
const POSITION = 'SELECT pg_current_wal_insert_lsn()::text';

/**
 * A statement after which, on the same trip to the server, the position of the log is asked for: after the commit of a
 * transaction of its own, or after the statement where that is a COMMIT itself. The position is the last of the rows.
 *
 * Where the statement fails, the server leaves out what was sent behind it, and the transaction is open: roll it back.
 */
class LocatingQuery extends TextQuery {
  constructor(
    statement: PreparedStatement,
    settle: Settle,
    private readonly isCommit: boolean,
  ) {
    super(statement, settle);
  }

  override prepare(wire: Wire): void {
    // The driver takes the first answer to a parse for the named statement's, and the unnamed one is parsed anew by each.
    if (this.isNamed) this.parse(wire);
    if (!this.isCommit) send(wire, BEGIN);
    if (!this.isNamed) this.parse(wire);
    this.run(wire);
    if (!this.isCommit) send(wire, COMMIT);
    send(wire, POSITION);
    wire.sync();
  }
}

function send(wire: Wire, text: string): void {
  wire.parse({ text });
  wire.bind({ values: [] });
  wire.execute({});
}

/** Runs a write in a transaction of its own; its rows and the position behind its commit. */
export const runWrite = (client: pg.ClientBase, statement: PreparedStatement): Promise<readonly TextRow[]> =>
  runLocating(client, statement, false);

/** Runs a COMMIT; gives the position behind it. */
export const runCommit = (client: pg.ClientBase, statement: PreparedStatement): Promise<readonly TextRow[]> =>
  runLocating(client, statement, true);

function runLocating(
  client: pg.ClientBase,
  statement: PreparedStatement,
  isCommit: boolean,
): Promise<readonly TextRow[]> {
  return new Promise((resolve, reject) => {
    const settle: Settle = (error, rows) => {
      if (error === null) resolve(rows);
      else reject(error);
    };
    client.query(new LocatingQuery(statement, settle, isCommit));
  });
}

/** Takes the rows of `runWrite` and `runCommit` apart. */
export function splitPosition(all: readonly TextRow[]): LocatedRows {
  const position = parseLogPosition(all.at(-1)?.[0] ?? '');
  return { rows: all.slice(0, -1), position };
}
