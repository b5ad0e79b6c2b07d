import pg from 'pg';
import { UnderWay, type UnderWayEntry } from '../load/index.js';
import type { ObservedRequest } from '../observability/index.js';
import { cancelStatement } from './cancel-statement.js';
import type { RowStream } from './row-stream.js';
import { runStatement } from './text-query.js';

/** Who waits for a statement's rows. */
export interface Caller {
  /** Of the request that it is part of. */
  readonly observed?: ObservedRequest;
  /** True when nobody does any more. */
  readonly isGone: boolean;
}

/** A statement on a connection that is used by nobody else meanwhile. */
export interface RunningStatement {
  readonly client: pg.ClientBase;
  readonly caller: Caller | undefined;
  readonly startedAtMs: number;
  /** Of a statement whose rows are read as they come. */
  readonly stream: RowStream | null;
  cancelling: Promise<void> | null;
}

/** Younger ones are nearly always through before a cancellation could reach them. */
const MIN_AGE_MS = 100;
/** How long a client may leave a stream of rows unread: it holds a connection of the database meanwhile. */
const READER_PATIENCE_MS = 30_000;

/** The statements under way on connections of their own, so that those which nobody waits for can be cancelled. */
export class RunningStatements {
  private readonly running = new UnderWay<RunningStatement>();

  get size(): number {
    return this.running.size;
  }

  begin(
    client: pg.ClientBase,
    caller: Caller | undefined,
    stream: RowStream | null = null,
  ): UnderWayEntry<RunningStatement> {
    return this.running.begin({
      client,
      caller,
      startedAtMs: performance.now(),
      stream,
      cancelling: null,
    });
  }

  /** To be called before the connection is used for anything else, and waited for where it gives a promise. */
  end(entry: UnderWayEntry<RunningStatement>): Promise<void> | null {
    this.running.end(entry);
    const statement = entry.value;
    return statement.cancelling?.then(() => absorbCancellation(statement.client)) ?? null;
  }

  /** @param silenceMs after so long the server counts as lost, and its connection is cut; null for never */
  sweep(nowMs: number, silenceMs: number | null): void {
    for (const statement of this.running) {
      if (statement.stream !== null) {
        sweepStream(statement, statement.stream, nowMs, silenceMs);
        continue;
      }
      const ageMs = nowMs - statement.startedAtMs;
      if (silenceMs !== null && ageMs > silenceMs) {
        cutConnection(statement.client);
      } else if (ageMs > MIN_AGE_MS && statement.caller?.isGone === true) {
        statement.cancelling ??= cancelStatement(statement.client);
      }
    }
  }
}

/** Its connection is not used again, so it can just as well be cut. */
function sweepStream(
  { client, caller }: RunningStatement,
  { activeAtMs, isWaitingForReader }: RowStream,
  nowMs: number,
  silenceMs: number | null,
): void {
  const idleMs = nowMs - activeAtMs;
  const patienceMs = isWaitingForReader ? READER_PATIENCE_MS : (silenceMs ?? Number.POSITIVE_INFINITY);
  if (idleMs > patienceMs || caller?.isGone === true) cutConnection(client);
}

/** A cancellation that came too late for its statement hits this one, and not the next request's. */
async function absorbCancellation(client: pg.ClientBase): Promise<void> {
  await runStatement(client, { text: 'SELECT 1', values: [] }).catch(() => {
    // Hit, or the connection is lost, which its next user will find out.
  });
}

function cutConnection(client: pg.ClientBase): void {
  if (client instanceof pg.Client) client.connection.stream.destroy();
}
