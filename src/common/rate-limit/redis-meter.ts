import type { PlinthConfig, Rate } from '../config/index.js';
import { Problem } from '../errors/index.js';
import type { RateMeter, RateVerdict } from './rate-meter.js';
import { RedisUnavailableError, type RedisStore } from './redis-store.js';

/** Counts one rate in Redis. In an outage it counts elsewhere, or refuses, as the configuration says. */
export class RedisMeter implements RateMeter {
  constructor(
    private readonly store: RedisStore,
    private readonly name: string,
    private readonly rate: Rate,
    private readonly outage: PlinthConfig['rateLimitOutage'],
    /** Where an instance counts by itself. */
    private readonly alone: RateMeter,
  ) {}

  /** @throws Problem `rate-limit-unavailable` */
  async take(key: string, cost: number): Promise<RateVerdict> {
    try {
      return await this.store.take(`plinth:rate:${this.name}:${key}`, this.rate, cost);
    } catch (error) {
      if (!(error instanceof RedisUnavailableError)) throw error;
      if (this.outage === 'open') return await this.alone.take(key, cost);
      throw new Problem('rate-limit-unavailable', {
        detail: 'Requests cannot be counted now, and are refused until they can; try again soon.',
        headers: { 'retry-after': '1' },
        cause: error,
      });
    }
  }
}
