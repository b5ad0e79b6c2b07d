import pg from 'pg';

/** A compiled statement with its values, as connections run it. */
export interface PreparedStatement {
  /** Names the prepared statement on a connection; equal names must mean equal texts. */
  readonly name?: string;
  readonly text: string;
  /** In the text form of PostgreSQL; bytes as they are. */
  readonly values: readonly (string | Buffer | null)[];
  /** A read: running it a second time changes nothing but the time that it takes. */
  readonly isRepeatable?: boolean;
  /** A write of one record that stands for itself: others may be committed with it. */
  readonly isGroupable?: boolean;
}

/** A row as the texts that PostgreSQL sent, in the order of the select list. */
export type TextRow = readonly (string | null)[];

export type Settle = (error: Error | null, rows: readonly TextRow[]) => void;

/** The part of the driver's connection that its own queries and cursors use, too. */
export interface Wire {
  readonly parsedStatements: Record<string, string | undefined>;
  readonly submittedNamedStatements: Record<string, string | undefined>;
  parse(message: { readonly name?: string; readonly text: string }): void;
  bind(message: { readonly statement?: string; readonly values: readonly (string | Buffer | null)[] }): void;
  execute(message: { readonly rows?: number }): void;
  sync(): void;
}

const NO_ROWS: readonly TextRow[] = [];

/** Passes for a query of the driver, without the emitter and the result that each of those makes. */
const DriverQuery = function () {} as unknown as new () => Pick<pg.Query, 'submit'>;
// The driver lets nothing else share a connection.
DriverQuery.prototype = pg.Query.prototype;

/**
 * A statement whose rows stay texts. It asks the server for no description of the columns, which the driver's own query
 * does each time, and builds no result: together a fifth of what a look-up by key costs in Node.
 */
export class TextQuery extends DriverQuery {
  readonly name: string | undefined;
  readonly text: string;
  private readonly received: TextRow[] = [];

  constructor(
    private readonly statement: PreparedStatement,
    private readonly settle: Settle,
  ) {
    super();
    this.name = statement.name;
    this.text = statement.text;
  }

  requiresPreparation(): boolean {
    return true;
  }

  /** Called by the driver when the statement's turn to be sent has come. */
  prepare(wire: Wire): void {
    this.parse(wire);
    this.run(wire);
    wire.sync();
  }

  protected get isNamed(): boolean {
    return this.statement.name !== undefined;
  }

  protected parse(wire: Wire): void {
    const { name, text } = this.statement;
    if (name === undefined) {
      wire.parse({ text });
    } else if ((wire.parsedStatements[name] ?? wire.submittedNamedStatements[name]) === undefined) {
      wire.parse({ name, text });
      wire.submittedNamedStatements[name] = text;
    }
  }

  protected run(wire: Wire): void {
    const { name, values } = this.statement;
    wire.bind({ statement: name, values });
    wire.execute({});
  }

  handleDataRow({ fields }: { readonly fields: TextRow }): void {
    this.received.push(fields);
  }

  handleCommandComplete(): void {
    // The end is what counts: that the server is ready for more.
  }

  handleEmptyQuery(): void {
    // As above.
  }

  handleError(error: Error): void {
    this.settle(error, NO_ROWS);
  }

  handleReadyForQuery(): void {
    this.settle(null, this.received);
  }
}

/** Runs a statement on a connection that is the caller's own. */
export function runStatement(
  client: pg.ClientBase,
  statement: PreparedStatement,
): Promise<readonly TextRow[]> {
  return new Promise((resolve, reject) => {
    client.query(
      new TextQuery(statement, (error, rows) => {
        if (error === null) resolve(rows);
        else reject(error);
      }),
    );
  });
}
