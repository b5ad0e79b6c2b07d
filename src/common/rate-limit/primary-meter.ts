import type { PrimaryLink } from '../workers/index.js';
import type { RateMeter, RateVerdict } from './rate-meter.js';
import type { LimitName } from './rates.js';

/** Counts in the memory of the primary process, for all workers together. */
export class PrimaryMeter implements RateMeter {
  constructor(
    private readonly primary: PrimaryLink,
    private readonly limit: LimitName,
  ) {}

  take(key: string, cost: number): Promise<RateVerdict> {
    return this.primary.take({ limit: this.limit, key, cost });
  }
}
