import type { Caller } from './running-statements.js';
import {
  barStatement,
  isQuick,
  noteGroupFailure,
  noteGroupSuccess,
  observeCost,
  type StatementCost,
} from './statement-costs.js';
import type { PreparedStatement, TextRow } from './text-query.js';
import { isLockTimeout, isTakenBack, type GroupOutcome, type MemberResult } from './write-group.js';

/** Gets what came of a write in a group, and when the group began; in milliseconds of `performance.now`. */
export type GroupSettle = (error: Error | null, rows: readonly TextRow[], startedAtMs: number) => void;

/** A write that others may be committed with. */
export interface GroupEntry {
  /** Named. */
  readonly statement: PreparedStatement;
  readonly caller: Caller | undefined;
  /** What is known of the statement of this name. */
  readonly cost: StatementCost;
  readonly settle: GroupSettle;
  /** Runs it by itself, as if there had been no group: nothing of it was done. */
  runAlone(): void;
}

/** What runs a group on a connection. @throws Problem where there is none */
export type GroupRunner = (
  statements: readonly [PreparedStatement, ...PreparedStatement[]],
) => Promise<GroupOutcome>;

/** More than that are better off with connections of their own. */
const MAX_WAITING = 128;
/** What takes longer holds up the others. */
const STALL_MS = 50;

/**
 * Commits writes of single records together, where there are many at the same time: they share a connection, a round
 * trip and a flush of the write-ahead log, of which each would need one. While one group is under way the next one
 * gathers, so nothing ever waits for company. Each write is still answered for itself: where one fails, PostgreSQL takes
 * the whole group back, and each is run alone.
 */
export class WriteGroups {
  private readonly waiting: GroupEntry[] = [];
  private isUnderWay = false;
  private groups = 0;
  private writes = 0;

  constructor(
    private readonly run: GroupRunner,
    /** Milliseconds that only grow. */
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** How many groups were committed since the start, and how many writes that were. */
  get counts(): { readonly groups: number; readonly writes: number } {
    return { groups: this.groups, writes: this.writes };
  }

  /**
   * Takes a write that is known to be quick; tells whether it did. For writes that gain nothing by a connection of their
   * own.
   */
  offer(entry: GroupEntry): boolean {
    if (this.waiting.length >= MAX_WAITING || !isQuick(entry.cost, this.clock())) return false;
    this.waiting.push(entry);
    if (!this.isUnderWay) {
      this.isUnderWay = true;
      // What comes in the same turn of the event loop goes together.
      setImmediate(() => void this.runAll());
    }
    return true;
  }

  /** Never rejects. */
  private async runAll(): Promise<void> {
    for (;;) {
      const group = this.takeGroup();
      const [first, ...others] = group;
      if (first === undefined) break;
      if (others.length === 0) first.runAlone();
      else await this.runTogether([first, ...others]);
    }
    this.isUnderWay = false;
  }

  /** The oldest and those of the same statement, up to a limit. */
  private takeGroup(): readonly GroupEntry[] {
    const first = this.waiting.find(({ caller }) => caller?.isGone !== true);
    const group: GroupEntry[] = [];
    const others: GroupEntry[] = [];
    for (const entry of this.waiting) {
      if (entry.caller?.isGone === true) {
        // It is refused there.
        entry.runAlone();
        continue;
      }
      const isMember = entry.cost === first?.cost && group.length < first.cost.groupSize;
      (isMember ? group : others).push(entry);
    }
    this.waiting.splice(0, this.waiting.length, ...others);
    return group;
  }

  private async runTogether(group: readonly [GroupEntry, ...GroupEntry[]]): Promise<void> {
    const startedAtMs = this.clock();
    const [first, ...others] = group;
    try {
      const { error, results } = await this.run([
        first.statement,
        ...others.map(({ statement }) => statement),
      ]);
      this.observe(group, results, error);
      if (error === null) this.answer(group, results, startedAtMs);
      else if (isTakenBack(error)) for (const entry of group) entry.runAlone();
      else throw error;
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      for (const entry of group) entry.settle(failure, [], startedAtMs);
    }
  }

  private answer(group: readonly GroupEntry[], results: readonly MemberResult[], startedAtMs: number): void {
    this.groups += 1;
    this.writes += group.length;
    for (const [index, entry] of group.entries()) entry.settle(null, results[index]?.rows ?? [], startedAtMs);
  }

  /** Remembers what the statement takes; one that held the others up stays alone for a while. */
  private observe(
    [{ cost }]: readonly [GroupEntry, ...GroupEntry[]],
    results: readonly MemberResult[],
    error: Error | null,
  ): void {
    const nowMs = this.clock();
    for (const { tookMs } of results) observeCost(cost, tookMs, nowMs);
    if (isLockTimeout(error) || results.some(({ tookMs }) => tookMs > STALL_MS)) barStatement(cost, nowMs);
    else if (error !== null) noteGroupFailure(cost, nowMs);
    else noteGroupSuccess(cost);
  }
}
