import type { Rate } from '../config/index.js';

/** What counting some requests came to. */
export interface RateVerdict {
  readonly isAllowed: boolean;
  /** Requests that could follow at once. */
  readonly remaining: number;
  /** Until all of the rate's limit could follow at once again. */
  readonly fullAfterSeconds: number;
  /** Until as many requests as were refused could be allowed; 0 where they were allowed. */
  readonly retryAfterSeconds: number;
}

/**
 * Counts requests of one rate by the generic cell rate algorithm (GCRA, ITU-T I.371): one number for each key, the time at
 * which all that was taken so far will have been earned. The whole limit can be taken at once; it comes back steadily.
 */
export interface RateMeter {
  /** Takes `cost` requests of a key, or none where that are too many. */
  take(key: string, cost: number): RateVerdict | Promise<RateVerdict>;
}

/** Milliseconds in which one request is earned. */
export const intervalMs = ({ limit, windowSeconds }: Rate): number => (windowSeconds * 1000) / limit;

/** @param aheadMs by how much what was taken is ahead of the clock, after the decision */
export function toVerdict(rate: Rate, isAllowed: boolean, aheadMs: number, cost: number): RateVerdict {
  const windowMs = rate.windowSeconds * 1000;
  const interval = intervalMs(rate);
  const excessMs = aheadMs + cost * interval - windowMs;
  return {
    isAllowed,
    // A millisecond's fraction that binary numbers lost must not cost a request.
    remaining: Math.max(0, Math.floor((windowMs - aheadMs) / interval + 1e-6)),
    fullAfterSeconds: Math.ceil(aheadMs / 1000),
    retryAfterSeconds: isAllowed ? 0 : Math.max(1, Math.ceil(Math.min(excessMs, windowMs) / 1000)),
  };
}
