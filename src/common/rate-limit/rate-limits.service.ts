import { Inject, Injectable, Optional, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { PlinthConfig, type Rate } from '../config/index.js';
import { actorKey, type Actor } from '../context/index.js';
import { addressGroup } from '../http/address-group.js';
import { Logger } from '../observability/index.js';
import { PrimaryLink } from '../workers/index.js';
import { MemoryMeter } from './memory-meter.js';
import { PrimaryMeter } from './primary-meter.js';
import { RateLimit, type RateHeaders } from './rate-limit.js';
import type { RateMeter } from './rate-meter.js';
import { ratesOf, type LimitName } from './rates.js';
import { RedisMeter } from './redis-meter.js';
import { RedisStore } from './redis-store.js';

const NO_HEADERS: RateHeaders = Object.freeze({});

/** Whose requests are counted. */
export interface Caller {
  readonly actor: Actor;
  /** Of the client, as trusted proxies tell it. */
  readonly address: string;
}

/**
 * The limits that the configuration sets: requests of each key and user, requests of each address without a credential,
 * wrong credentials of each address, and users without an account that each address makes. What a request holds has no part in what it is counted under.
 */
@Injectable()
export class RateLimits implements OnModuleInit, OnApplicationShutdown {
  private readonly store: RedisStore | null;
  private readonly callers: RateLimit | null;
  private readonly addresses: RateLimit | null;
  private readonly credentials: RateLimit | null;
  private readonly anonymous: RateLimit | null;
  /** An actor that was seen before is the same object, whose key need not be put together again. */
  private readonly keys = new WeakMap<Actor, string>();

  constructor(
    private readonly config: PlinthConfig,
    logger: Logger,
    @Optional() @Inject(PrimaryLink) private readonly primary: PrimaryLink | null = null,
  ) {
    const { redisUrl } = config;
    const rates = ratesOf(config);
    const isAny = Object.values(rates).some((rate) => rate !== null);
    this.store = redisUrl !== null && isAny ? new RedisStore(redisUrl, logger) : null;
    this.callers = this.limit('caller', rates.caller);
    this.addresses = this.limit('address', rates.address);
    this.credentials = this.limit('credentials', rates.credentials);
    this.anonymous = this.limit('anonymous', rates.anonymous);
  }

  onModuleInit(): void {
    this.store?.open();
  }

  onApplicationShutdown(): void {
    this.store?.close();
  }

  /** Whether requests of an actor are counted at all. */
  isCounted({ kind }: Actor): boolean {
    return (kind === 'public' ? this.addresses : this.callers) !== null;
  }

  /**
   * Counts `cost` requests, and gives the headers that tell what is left.
   * @throws Problem `rate-limited`, or `rate-limit-unavailable`
   */
  count({ actor, address }: Caller, cost: number): RateHeaders | Promise<RateHeaders> {
    const limit = actor.kind === 'public' ? this.addresses : this.callers;
    if (limit === null || cost <= 0) return NO_HEADERS;
    return limit.take(actor.kind === 'public' ? addressGroup(address) : this.keyOf(actor), cost);
  }

  /**
   * Counts a wrong credential. A right one is never refused for the wrong ones of others at the same address: keys are too
   * long to be found by guessing, and what guesses cost is what this bounds.
   * @throws Problem `rate-limited` where that was one too many, or `rate-limit-unavailable`
   */
  async noteWrongCredential(address: string): Promise<void> {
    await this.credentials?.take(addressGroup(address), 1);
  }

  /**
   * Counts a user without an account, before it is made.
   * @throws Problem `rate-limited`, or `rate-limit-unavailable`
   */
  async countAnonymous(address: string): Promise<void> {
    await this.anonymous?.take(addressGroup(address), 1);
  }

  private keyOf(actor: Actor): string {
    let key = this.keys.get(actor);
    if (key === undefined) {
      key = actorKey(actor);
      this.keys.set(actor, key);
    }
    return key;
  }

  private limit(name: LimitName, rate: Rate | null): RateLimit | null {
    if (rate === null) return null;
    const alone: RateMeter =
      this.primary === null ? new MemoryMeter(rate) : new PrimaryMeter(this.primary, name);
    const meter =
      this.store === null
        ? alone
        : new RedisMeter(this.store, name, rate, this.config.rateLimitOutage, alone);
    return new RateLimit(name, rate, meter);
  }
}
