import type { Readable } from 'node:stream';
import pg from 'pg';
import { TextQuery, type PreparedStatement, type TextRow } from './text-query.js';

/** How much may wait for its reader before the database has to, in characters. */
const HIGH_WATER = 256 * 1024;

/**
 * The rows of a statement, as they come. Where the reader is slower than the database, nothing more is taken off the
 * connection, and PostgreSQL waits with it: neither side ever holds more than a few hundred kilobytes.
 */
export class RowStream {
  private waiting: TextRow[] = [];
  private waitingSize = 0;
  private isPaused = false;
  private activeMs = performance.now();
  private end: { readonly error: Error | null } | null = null;
  private wake: (() => void) | null = null;

  constructor(
    private readonly client: pg.ClientBase,
    statement: PreparedStatement,
  ) {
    const take = (row: TextRow): void => this.take(row);
    client.query(new StreamQuery(statement, take, (error) => this.finish(error)));
  }

  /** Whether the database waits for the reader. */
  get isWaitingForReader(): boolean {
    return this.isPaused;
  }

  /** When rows last came or were taken, in milliseconds of `performance.now`. */
  get activeAtMs(): number {
    return this.activeMs;
  }

  /**
   * The rows that have come since the last call, at least one; null at the end.
   * @throws the driver's error
   */
  async next(): Promise<readonly TextRow[] | null> {
    while (this.waiting.length === 0) {
      if (this.end?.error) throw this.end.error;
      if (this.end) return null;
      this.resume();
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    this.activeMs = performance.now();
    const rows = this.waiting;
    this.waiting = [];
    this.waitingSize = 0;
    return rows;
  }

  private take(row: TextRow): void {
    this.activeMs = performance.now();
    this.waiting.push(row);
    for (const text of row) this.waitingSize += text?.length ?? 0;
    if (this.waitingSize > HIGH_WATER && !this.isPaused) {
      this.isPaused = true;
      this.socket?.pause();
    }
    this.notify();
  }

  private finish(error: Error | null): void {
    this.end = { error };
    this.notify();
  }

  private notify(): void {
    this.wake?.();
    this.wake = null;
  }

  private resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.socket?.resume();
  }

  private get socket(): Readable | null {
    return this.client instanceof pg.Client ? this.client.connection.stream : null;
  }
}

class StreamQuery extends TextQuery {
  constructor(
    statement: PreparedStatement,
    private readonly onRow: (row: TextRow) => void,
    onEnd: (error: Error | null) => void,
  ) {
    super(statement, onEnd);
  }

  override handleDataRow({ fields }: { readonly fields: TextRow }): void {
    this.onRow(fields);
  }
}
