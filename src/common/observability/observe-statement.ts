import type { ObservedRequest } from './observed-request.js';
import type { Observer } from './observer.js';

/**
 * What a statement is part of: a plain read or write, a batch, a read whose rows go out at the speed of the client, or
 * anything else that Plinth asks.
 */
export type StatementWork = 'read' | 'write' | 'batch' | 'stream' | 'other';

/** A statement without its values. */
export interface StatementText {
  readonly name?: string;
  readonly text: string;
}

/** Notes how long a statement or a transaction waited for its turn on a connection; `request` is who needs it. */
export function noteWait(
  observer: Observer,
  request: ObservedRequest | null,
  startedAtMs: number,
  endedAtMs = performance.now(),
): void {
  request?.noteWait(endedAtMs - startedAtMs);
  observer.observe({ kind: 'connection.awaited', request, startedAtMs, endedAtMs });
}

/** Notes how long the database took for a statement, and how it ended: `error` is null where it succeeded. */
export function noteStatement(
  observer: Observer,
  request: ObservedRequest | null,
  statement: StatementText,
  error: unknown,
  startedAtMs: number,
  endedAtMs = performance.now(),
): void {
  request?.noteStatement(statement, endedAtMs - startedAtMs);
  observer.observe({ kind: 'statement.finished', request, statement, error, startedAtMs, endedAtMs });
}
