import type { Rate } from '../config/index.js';
import { createLruCache } from '../lru-cache.js';
import { intervalMs, toVerdict, type RateMeter, type RateVerdict } from './rate-meter.js';

/** Keys that are remembered. The one that has asked for nothing for the longest time is forgotten first. */
const MAX_KEYS = 50_000;

/** What a key has taken. Changed in place, because putting it back would cost as much as finding it. */
interface Account {
  /** When all of it will have been earned. */
  earnedAtMs: number;
}

/** Counts in the memory of this process. */
export class MemoryMeter implements RateMeter {
  private readonly accounts = createLruCache<Account>(MAX_KEYS);
  private readonly interval: number;
  private readonly windowMs: number;

  constructor(
    private readonly rate: Rate,
    /** Milliseconds that only grow. */
    private readonly clock: () => number = () => performance.now(),
  ) {
    this.interval = intervalMs(rate);
    this.windowMs = rate.windowSeconds * 1000;
  }

  take(key: string, cost: number): RateVerdict {
    const nowMs = this.clock();
    const account = this.accounts.get(key);
    const aheadMs = account === undefined ? 0 : Math.max(0, account.earnedAtMs - nowMs);
    const nextMs = aheadMs + cost * this.interval;
    // See `toVerdict` for the fraction.
    if (nextMs > this.windowMs + 1e-6 * this.interval) return toVerdict(this.rate, false, aheadMs, cost);
    if (account === undefined) this.accounts.set(key, { earnedAtMs: nowMs + nextMs });
    else account.earnedAtMs = nowMs + nextMs;
    return toVerdict(this.rate, true, nextMs, cost);
  }
}
