import type { Socket } from 'node:net';
import type pg from 'pg';
import { isDatabaseUnavailable } from './database-errors.js';
import type { Caller } from './running-statements.js';
import { PoolClient } from './pool-client.js';
import { isSpent, notePrepared } from './prepared-statements.js';
import { barStatement, observeLaneCost, type StatementCost } from './statement-costs.js';
import { TextQuery, type PreparedStatement, type TextRow } from './text-query.js';

/** Gets what came of a read, and when it could begin and ended; in milliseconds of `performance.now`. */
export type LaneSettle = (
  error: Error | null,
  rows: readonly TextRow[],
  startedAtMs: number,
  endedAtMs: number,
) => void;

/** A read on its way through a lane. */
export interface LaneEntry {
  readonly statement: PreparedStatement;
  readonly caller: Caller | undefined;
  readonly cost: StatementCost;
  readonly settle: LaneSettle;
  /** Runs the read elsewhere: what comes of it in the lane is not waited for any more. */
  move(): void;
}

interface SentEntry extends LaneEntry {
  isMoved: boolean;
  /** What it was expected to take when it was sent. */
  expectedMs: number;
}

/** Statements that are under way together on one connection, at most. */
const MAX_DEPTH = 64;
/** What is under way together may be expected to take so long, in milliseconds; more where there is nowhere else to go. */
const MAX_EXPECTED_MS = 4;
const MAX_EXPECTED_BUSY_MS = 25;
/** A statement that takes longer holds up those behind it. */
const STALL_MS = 50;

/**
 * A connection on which short reads are sent one behind the other without waiting for answers. What would be a system
 * call on both sides for each of them is one for many, and PostgreSQL need not wake a process for each.
 */
export class ReadLane {
  private readonly sent: SentEntry[] = [];
  private expectedMs = 0;
  /** When the statement that is running now could begin. */
  private headSinceMs = 0;
  /** What was running at the last look; while this process itself was held up, every statement looks slow. */
  private headAtSweep: SentEntry | null = null;
  private isCorked = false;
  private isConnected = false;
  private isRetired = false;

  private constructor(
    readonly client: pg.Client,
    private readonly onClosed: () => void,
  ) {}

  /** @throws the driver's error where there is no way to the database */
  static async open(config: pg.ClientConfig, onClosed: () => void): Promise<ReadLane> {
    const client = new PoolClient({ ...config, pipeline: true });
    const lane = new ReadLane(client, onClosed);
    // What was under way is told by its own errors.
    client.on('error', () => {});
    client.once('end', () => lane.close());
    await client.connect();
    lane.isConnected = true;
    return lane;
  }

  /**
   * How long a read would wait, in milliseconds; null where this lane is not for it now.
   * @param isBusy whether it would gain nothing elsewhere
   */
  findWaitMs(nowMs: number, isBusy: boolean): number | null {
    if (!this.isConnected || this.isRetired || this.sent.length >= MAX_DEPTH) return null;
    const mostMs = isBusy ? MAX_EXPECTED_BUSY_MS : MAX_EXPECTED_MS;
    if (this.expectedMs > mostMs || this.isStalled(nowMs)) return null;
    return this.expectedMs + this.sent.length * 0.01;
  }

  /** How many statements are under way. */
  get depth(): number {
    return this.sent.length;
  }

  get isOpen(): boolean {
    return this.isConnected && !this.isRetired;
  }

  send(entry: LaneEntry, nowMs: number): void {
    const { statement, cost } = entry;
    const sent: SentEntry = Object.assign(entry, { isMoved: false, expectedMs: cost.laneMs });
    if (this.sent.length === 0) this.headSinceMs = nowMs;
    this.sent.push(sent);
    this.expectedMs += sent.expectedMs;
    if (statement.name !== undefined) notePrepared(this.client, statement.name);
    this.cork();
    this.client.query(new TextQuery(statement, (error, rows) => this.complete(sent, error, rows)));
  }

  /**
   * Looks after what takes long: those behind it go elsewhere, and it is cancelled where nobody waits for it any more.
   * @param silenceMs after so long the server counts as lost; null for never
   */
  sweep(nowMs: number, silenceMs: number | null, cancel: (client: pg.Client) => void): void {
    const head = this.sent[0] ?? null;
    const isSame = head === this.headAtSweep;
    this.headAtSweep = head;
    if (head === null || !isSame || !this.isStalled(nowMs)) return;
    barStatement(head.cost, nowMs);
    for (const entry of this.sent) if (entry !== head) moveOnce(entry);
    if (silenceMs !== null && nowMs - this.headSinceMs > silenceMs) {
      this.retire();
      this.client.connection.stream.destroy();
    } else if (head.caller?.isGone === true && !this.isRetired) {
      // Nobody is behind it any more, and nobody will be: only this statement can be hit.
      this.retire();
      cancel(this.client);
    }
  }

  /** Takes nothing more, and ends when nothing is under way. */
  retire(): void {
    if (this.isRetired) return;
    this.isRetired = true;
    if (this.sent.length === 0) this.end();
  }

  private isStalled(nowMs: number): boolean {
    return this.sent.length > 0 && nowMs - this.headSinceMs > STALL_MS;
  }

  /** What is asked for in the same turn of the event loop goes out in one piece. */
  private cork(): void {
    if (this.isCorked) return;
    this.isCorked = true;
    const stream = this.client.connection.stream as Socket;
    stream.cork();
    setImmediate(() => {
      this.isCorked = false;
      stream.uncork();
    });
  }

  private complete(entry: SentEntry, error: Error | null, rows: readonly TextRow[]): void {
    const index = this.sent.indexOf(entry);
    if (index < 0) return;
    this.sent.splice(index, 1);
    const nowMs = performance.now();
    this.expectedMs = this.sent.length === 0 ? 0 : this.expectedMs - entry.expectedMs;
    const startedAtMs = this.headSinceMs;
    observeLaneCost(entry.cost, nowMs - startedAtMs, nowMs);
    this.headSinceMs = nowMs;
    if (isSpent(this.client, error ?? undefined)) this.isRetired = true;
    if (error !== null && isDatabaseUnavailable(error)) moveOnce(entry);
    else if (!entry.isMoved) entry.settle(error, rows, startedAtMs, nowMs);
    if (this.isRetired && this.sent.length === 0) this.end();
  }

  private close(): void {
    this.isConnected = false;
    this.isRetired = true;
    this.onClosed();
  }

  private end(): void {
    if (!this.isConnected) return;
    this.isConnected = false;
    this.client.end().catch(() => {});
  }
}

function moveOnce(entry: SentEntry): void {
  if (entry.isMoved) return;
  entry.isMoved = true;
  entry.move();
}
