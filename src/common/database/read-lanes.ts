import type pg from 'pg';
import { ReadLane, type LaneEntry } from './read-lane.js';
import { isShort } from './statement-costs.js';

export interface LaneCounts {
  /** Lanes that take many statements at a time. */
  readonly main: number;
  /**
   * Lanes that take one at a time, while the main ones have enough to do: they use what is left of the cores, and where
   * that is nothing for a while, just one statement waits for it.
   */
  readonly spare: number;
}

const REOPEN_MS = 1000;
/** With so much to do for the main lanes, in milliseconds, the spare ones help. */
const ENOUGH_MS = 3;

/** A few connections for short reads; a lane that ends is replaced when it is wanted again. */
export class ReadLanes {
  private readonly lanes: (ReadLane | null)[];
  private readonly reopenAtMs: number[];
  private isClosed = false;

  constructor(
    private readonly config: pg.ClientConfig,
    private readonly counts: LaneCounts,
  ) {
    const count = counts.main + counts.spare;
    this.lanes = Array.from({ length: count }, () => null);
    this.reopenAtMs = Array.from({ length: count }, () => 0);
  }

  /** Takes a read where a lane has room for it and it is known to be short; tells whether it did. */
  offer(entry: LaneEntry, isBusy: boolean): boolean {
    const nowMs = performance.now();
    if (!isShort(entry.cost, nowMs, isBusy)) return false;
    const lane = this.findLane(nowMs, isBusy);
    lane?.send(entry, nowMs);
    return lane !== null;
  }

  get count(): number {
    return this.lanes.length;
  }

  /** How many statements are under way on each lane that is open. */
  get depths(): readonly number[] {
    return this.lanes.flatMap((lane) => (lane?.isOpen === true ? [lane.depth] : []));
  }

  /** See `ReadLane.sweep`. */
  sweep(nowMs: number, silenceMs: number | null, cancel: (client: pg.Client) => void): void {
    for (const lane of this.lanes) lane?.sweep(nowMs, silenceMs, cancel);
  }

  /** Lets what is under way come to its end. */
  async close(): Promise<void> {
    this.isClosed = true;
    const open = this.lanes.filter((lane) => lane !== null && lane.isOpen);
    await Promise.all(
      open.map((lane) => {
        const ended = new Promise<void>((resolve) => lane?.client.once('end', resolve));
        lane?.retire();
        return ended;
      }),
    );
  }

  private findLane(nowMs: number, isBusy: boolean): ReadLane | null {
    let best: ReadLane | null = null;
    let leastMs = Number.POSITIVE_INFINITY;
    let spare: ReadLane | null = null;
    for (const [index, lane] of this.lanes.entries()) {
      if (lane === null) this.open(index, nowMs);
      else if (index >= this.counts.main) {
        if (lane.isOpen && lane.depth === 0) spare = lane;
      } else {
        const waitMs = lane.findWaitMs(nowMs, isBusy);
        if (waitMs !== null && waitMs < leastMs) {
          best = lane;
          leastMs = waitMs;
        }
      }
    }
    return leastMs > ENOUGH_MS ? (spare ?? best) : best;
  }

  /** Beside the requests: until it is open they take other ways. */
  private open(index: number, nowMs: number): void {
    if (this.isClosed || nowMs < (this.reopenAtMs[index] ?? 0)) return;
    this.reopenAtMs[index] = Number.POSITIVE_INFINITY;
    const again = (): void => {
      this.lanes[index] = null;
      this.reopenAtMs[index] = performance.now() + REOPEN_MS;
    };
    ReadLane.open(this.config, again).then((lane) => {
      this.lanes[index] = lane;
      if (this.isClosed) lane.retire();
    }, again);
  }
}
