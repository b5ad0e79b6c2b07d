import { Problem } from '../../errors/problem.js';
import type { Database } from '../database.js';
import type { Caller } from '../running-statements.js';
import type { PreparedStatement, TextRow } from '../text-query.js';
import type { Replica } from './replica.js';
import type { ReadCounts } from './replica-metrics.js';

/** Runs reads of records. */
export type ReadExecutor = Pick<Database, 'execute' | 'stream'>;

/**
 * Reads from a standby, and from the primary where there is none that can answer: because the connection breaks, because
 * replaying the log is in the way of the statement, because a change of the schema has not arrived there.
 */
export class RoutedReads implements ReadExecutor {
  constructor(
    private readonly primary: Database,
    private readonly choose: () => Replica | null | Promise<Replica | null>,
    private readonly counts: ReadCounts,
  ) {}

  async execute(statement: PreparedStatement, caller?: Caller): Promise<readonly TextRow[]> {
    const replica = await this.choose();
    if (replica !== null) {
      try {
        const rows = await replica.execute(statement, caller);
        this.counts.answered(replica);
        return rows;
      } catch (error) {
        this.move(replica, error, caller);
      }
    }
    const rows = await this.primary.execute(statement, caller);
    this.counts.answered(null);
    return rows;
  }

  async *stream(
    statement: PreparedStatement,
    caller?: Caller,
  ): AsyncGenerator<readonly TextRow[], void, undefined> {
    const replica = await this.choose();
    let hasBegun = false;
    if (replica !== null) {
      try {
        for await (const rows of replica.stream(statement, caller)) {
          if (!hasBegun) this.counts.answered(replica);
          hasBegun = true;
          yield rows;
        }
        return;
      } catch (error) {
        // What was sent cannot be taken back.
        if (hasBegun) throw error;
        this.move(replica, error, caller);
      }
    }
    this.counts.answered(null);
    yield* this.primary.stream(statement, caller);
  }

  /** @throws what was caught, where the primary would do no better */
  private move(replica: Replica, error: unknown, caller: Caller | undefined): void {
    if (isHopeless(error, caller)) throw error;
    this.counts.moved(replica);
    replica.askSoon();
  }
}

const CANCELLED = '57014';

/** Nobody waits for the answer any more, or the statement took all the time that it may take. */
function isHopeless(error: unknown, caller: Caller | undefined): boolean {
  if (caller?.isGone === true) return true;
  if (error instanceof Problem) return error.type === 'request-timeout';
  const { code, message = '' } = error as { code?: string; message?: string };
  return code === CANCELLED && !message.includes('conflict with recovery');
}
