import type { PlinthConfig } from '../config/index.js';
import type { Take } from '../workers/index.js';
import { MemoryMeter } from './memory-meter.js';
import type { RateVerdict } from './rate-meter.js';
import { ratesOf, type LimitName } from './rates.js';

/** Counts for all workers, in the memory of the primary process. */
export class RateCounter {
  private readonly meters = new Map<LimitName, MemoryMeter>();

  constructor(config: PlinthConfig) {
    const rates = ratesOf(config);
    for (const name of Object.keys(rates) as LimitName[]) {
      const rate = rates[name];
      if (rate !== null) this.meters.set(name, new MemoryMeter(rate));
    }
  }

  /** Verdicts in the order of what is taken. */
  take(takes: readonly Take[]): RateVerdict[] {
    return takes.map(({ limit, key, cost }) => {
      const meter = this.meters.get(limit);
      if (meter === undefined) throw new TypeError(`Nothing is limited by ${limit}.`);
      return meter.take(key, cost);
    });
  }
}
