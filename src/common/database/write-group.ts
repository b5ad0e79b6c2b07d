import pg from 'pg';
import { TextQuery, type PreparedStatement, type TextRow, type Wire } from './text-query.js';

/** What one statement of a group gave, and how long it took in milliseconds. */
export interface MemberResult {
  readonly rows: readonly TextRow[];
  readonly tookMs: number;
}

/** What came of a group: the results of all in their order, or an error after which nothing of it was done. */
export interface GroupOutcome {
  readonly error: Error | null;
  /** Of all, or of those before the one that failed. */
  readonly results: readonly MemberResult[];
}

/**
 * How long one of a group may wait for a lock: the others wait with it, and hold locks meanwhile. Where two transactions
 * wait for each other, this ends it before PostgreSQL takes it for a deadlock.
 */
const LOCK_TIMEOUT = "SELECT set_config('lock_timeout', '50ms', true)";

/**
 * Statements of one name with values of their own, sent in one piece and committed together: PostgreSQL makes one
 * transaction of everything up to the next `Sync`. What fails takes back all.
 */
class GroupQuery extends TextQuery {
  private readonly results: MemberResult[] = [];
  private rows: TextRow[] = [];
  private isConfigured = false;
  private sinceMs = 0;

  constructor(
    private readonly first: PreparedStatement,
    private readonly statements: readonly PreparedStatement[],
    private readonly onOutcome: (outcome: GroupOutcome) => void,
  ) {
    super(first, () => {});
  }

  override prepare(wire: Wire): void {
    // The driver takes the first answer to a parse for the named statement's.
    this.parse(wire);
    wire.parse({ text: LOCK_TIMEOUT });
    wire.bind({ values: [] });
    wire.execute({});
    for (const { values } of this.statements) {
      wire.bind({ statement: this.first.name, values });
      wire.execute({});
    }
    wire.sync();
    this.sinceMs = performance.now();
  }

  override handleDataRow({ fields }: { readonly fields: TextRow }): void {
    if (this.isConfigured) this.rows.push(fields);
  }

  override handleCommandComplete(): void {
    const nowMs = performance.now();
    if (this.isConfigured) this.results.push({ rows: this.rows, tookMs: nowMs - this.sinceMs });
    this.isConfigured = true;
    this.rows = [];
    this.sinceMs = nowMs;
  }

  override handleError(error: Error): void {
    this.onOutcome({ error, results: this.results });
  }

  override handleReadyForQuery(): void {
    this.onOutcome({ error: null, results: this.results });
  }
}

/** Runs statements of one name as one transaction on a connection that is the caller's own. Never rejects. */
export function runGroup(
  client: pg.ClientBase,
  statements: readonly [PreparedStatement, ...PreparedStatement[]],
): Promise<GroupOutcome> {
  return new Promise((resolve) => {
    client.query(new GroupQuery(statements[0], statements, resolve));
  });
}

/** Whether an error says for sure that nothing of the group was done: the server took it back, and lives. */
export const isTakenBack = (error: Error): boolean =>
  error instanceof pg.DatabaseError && error.severity === 'ERROR';

/** Whether one of the group waited for a lock for longer than the others should. */
export const isLockTimeout = (error: Error | null): boolean =>
  error instanceof pg.DatabaseError && error.code === '55P03';
