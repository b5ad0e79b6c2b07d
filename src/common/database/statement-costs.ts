/** What is known of how long a statement takes, by its name. */
export interface StatementCost {
  runs: number;
  /** The least that it took in this time and in the one before, in milliseconds: what waits and interruptions add is not its. */
  leastMs: number;
  leastBeforeMs: number;
  /** Since when `leastMs` is the least. */
  leastSinceMs: number;
  /** When it may next be tried in a lane although it seems too slow. */
  triedAgainAtMs: number;
  /** What it takes on average in a lane, in milliseconds; runs that took very long count as if they took a little. */
  laneMs: number;
  /** Until when it stays out of lanes and groups, because it held one up; in milliseconds of `performance.now`. */
  barredUntilMs: number;
  /** How long it was kept out last time. */
  barMs: number;
  /** Of how many writes a group may be. */
  groupSize: number;
}

const MAX_KNOWN = 5000;
/** So long a least counts, and once more as that of the time before, so that a statement that became slow is found out. */
const LEAST_MS = 20_000;
/** Statements that need no more than this are short. */
const SHORT_MS = 3;
/** Writes that need no more than this, with their commit, are quick. */
const QUICK_WRITE_MS = 20;
/** The first run of a statement also plans it. */
const MIN_RUNS = 2;
/**
 * Where all connections are busy, every statement seems slow, for it shares the database's cores with all the others.
 * One that seems no slower than this is tried in a lane from time to time, which shows what it really takes.
 */
const TRIAL = { mostMs: 30, everyMs: 500 } as const;
const WEIGHT = 0.1;
/** What one run may add to the average of those in lanes: more is mostly what the server process waited for a core. */
const MOST_OF_AVERAGE = 3;
const MOST_AT_FIRST_MS = 0.5;

const MAX_GROUP_SIZE = 32;

const BAR_MS = { first: 1000, most: 60_000 } as const;
/**
 * A statement that has run so often since it last held others up is let off: most likely its server process was kept from
 * the cores, and where it is slow for rare values, so few are held up for so short that the others gain more.
 */
const MERCY_RUNS = 500;

/** Remembers what statements cost; all is forgotten from time to time, so that it stays bounded. */
export class StatementCosts {
  private readonly known = new Map<string, StatementCost>();

  of(name: string): StatementCost {
    let cost = this.known.get(name);
    if (cost === undefined) {
      if (this.known.size >= MAX_KNOWN) this.known.clear();
      cost = {
        runs: 0,
        leastMs: Number.POSITIVE_INFINITY,
        leastBeforeMs: Number.POSITIVE_INFINITY,
        leastSinceMs: 0,
        triedAgainAtMs: 0,
        laneMs: 0,
        barredUntilMs: 0,
        barMs: 0,
        groupSize: MAX_GROUP_SIZE,
      };
      this.known.set(name, cost);
    }
    return cost;
  }
}

/** More writes succeed together: one more may, up to a limit. */
export function noteGroupSuccess(cost: StatementCost): void {
  cost.groupSize = Math.min(MAX_GROUP_SIZE, cost.groupSize + 1);
}

/** One failed, and all of the group have to be run again: half as many may go together, or none for a while. */
export function noteGroupFailure(cost: StatementCost, nowMs: number): void {
  if (cost.groupSize > 2) cost.groupSize = Math.floor(cost.groupSize / 2);
  else barStatement(cost, nowMs);
}

/** Adds what one run took. */
export function observeCost(cost: StatementCost, tookMs: number, nowMs: number): void {
  cost.runs += 1;
  if (nowMs - cost.leastSinceMs > LEAST_MS) {
    cost.leastBeforeMs = cost.leastMs;
    cost.leastMs = tookMs;
    cost.leastSinceMs = nowMs;
  } else if (tookMs < cost.leastMs) cost.leastMs = tookMs;
}

/** Whether a statement may share a connection with others. Asking counts as a trial where it seems too slow. */
export function isShort(cost: StatementCost, nowMs: number, isBusy: boolean): boolean {
  if (cost.runs < MIN_RUNS || cost.barredUntilMs > nowMs) return false;
  const leastMs = Math.min(cost.leastMs, cost.leastBeforeMs);
  if (leastMs <= SHORT_MS) return true;
  if (!isBusy || leastMs > TRIAL.mostMs || nowMs < cost.triedAgainAtMs) return false;
  cost.triedAgainAtMs = nowMs + TRIAL.everyMs;
  return true;
}

/** Whether writes of this statement may be committed together: most of what one takes alone is its commit. */
export const isQuick = (cost: StatementCost, nowMs: number): boolean =>
  cost.runs >= MIN_RUNS &&
  cost.barredUntilMs <= nowMs &&
  Math.min(cost.leastMs, cost.leastBeforeMs) <= QUICK_WRITE_MS;

/** The same for a run in a lane. */
export function observeLaneCost(cost: StatementCost, tookMs: number, nowMs: number): void {
  observeCost(cost, tookMs, nowMs);
  const countedMs = Math.min(tookMs, cost.laneMs * MOST_OF_AVERAGE + MOST_AT_FIRST_MS);
  cost.laneMs += (countedMs - cost.laneMs) * WEIGHT;
}

/** Keeps a statement that held others up out of lanes and groups, each time for longer; one that seldom does is let off. */
export function barStatement(cost: StatementCost, nowMs: number): void {
  if (cost.barredUntilMs > nowMs) return;
  if (cost.runs > MERCY_RUNS) {
    cost.runs = MIN_RUNS;
    cost.barMs = 0;
    return;
  }
  cost.barMs = cost.barMs === 0 ? BAR_MS.first : Math.min(BAR_MS.most, cost.barMs * 2);
  cost.barredUntilMs = nowMs + cost.barMs;
  cost.runs = 0;
  cost.leastMs = Number.POSITIVE_INFINITY;
  cost.leastBeforeMs = Number.POSITIVE_INFINITY;
}
