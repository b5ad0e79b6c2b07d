import type { Rate } from '../config/index.js';
import { maskPassword } from '../config/index.js';
import type { Logger } from '../observability/index.js';
import { toVerdict, type RateVerdict } from './rate-meter.js';
import type { RedisClient } from './redis-client.js';

/** No request waits for Redis longer than this. */
const TIMEOUT_MS = 250;
/** After a failure Redis is not asked for so long, so that an outage costs one request a second its time. */
const PAUSE_MS = 1000;

/** Redis cannot be asked now. */
export class RedisUnavailableError extends Error {
  override readonly name = 'RedisUnavailableError';
}

/** Counts in a Redis, together with other instances. */
export class RedisStore {
  private client: RedisClient | null = null;
  private pausedUntilMs = 0;
  private isUp = true;
  private isClosed = false;

  constructor(
    private readonly url: string,
    private readonly logger: Logger,
  ) {}

  /** Begins to connect. Nobody waits for it: what is asked before fails like in an outage. */
  open(): void {
    this.connect().catch((error: unknown) => this.noteDown(error));
  }

  close(): void {
    this.isClosed = true;
    if (this.client?.isOpen === true) this.client.destroy();
  }

  /** The client is loaded only where it is used: it takes memory. */
  private async connect(): Promise<void> {
    const { createRedisClient } = await import('./redis-client.js');
    if (this.isClosed) return;
    this.client = createRedisClient(this.url);
    this.client.on('error', (error: Error) => this.noteDown(error));
    this.client.on('ready', () => this.noteUp());
    await this.client.connect();
  }

  /** @throws RedisUnavailableError */
  async take(key: string, rate: Rate, cost: number): Promise<RateVerdict> {
    const { client } = this;
    if (client?.isReady !== true || performance.now() < this.pausedUntilMs) {
      throw new RedisUnavailableError('Redis cannot be asked now.');
    }
    try {
      const [isAllowed, aheadMs] = await withTimeout(client.take(key, rate, cost));
      this.noteUp();
      return toVerdict(rate, isAllowed === 1, Number(aheadMs), cost);
    } catch (error) {
      this.noteDown(error);
      throw new RedisUnavailableError('Redis did not answer as it should.', { cause: error });
    }
  }

  /** Told when it begins and when it is over, and not by each request. */
  private noteDown(error: unknown): void {
    this.pausedUntilMs = performance.now() + PAUSE_MS;
    if (!this.isUp) return;
    this.isUp = false;
    this.logger.error(
      { redis: maskPassword(this.url), reason: error instanceof Error ? error.message : String(error) },
      'Redis cannot be reached; PLINTH_RATE_LIMIT_OUTAGE says how requests are counted meanwhile',
    );
  }

  private noteUp(): void {
    if (this.isUp) return;
    this.isUp = true;
    this.pausedUntilMs = 0;
    this.logger.info({ redis: maskPassword(this.url) }, 'Redis can be reached again');
  }
}

async function withTimeout<T>(pending: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  });
  try {
    return await Promise.race([pending, timeout]);
  } finally {
    clearTimeout(timer);
    // What comes after the timeout has nobody to tell.
    pending.catch(() => {});
  }
}
