import type { Rate } from '../config/index.js';
import { Problem } from '../errors/index.js';
import type { RateMeter, RateVerdict } from './rate-meter.js';

/** Headers that tell a client how much it has left. */
export type RateHeaders = Readonly<Record<string, string>>;

/** One limit that is in force: a rate, where it is counted, and how it is told. */
export class RateLimit {
  private readonly policy: string;

  constructor(
    readonly name: string,
    private readonly rate: Rate,
    private readonly meter: RateMeter,
  ) {
    this.policy = `"${name}";q=${rate.limit};w=${rate.windowSeconds}`;
  }

  /**
   * Counts `cost` requests of a key.
   * @throws Problem `rate-limited` where that are too many
   */
  take(key: string, cost: number): RateHeaders | Promise<RateHeaders> {
    const verdict = this.meter.take(key, cost);
    return verdict instanceof Promise
      ? verdict.then((settled) => this.judge(settled, cost))
      : this.judge(verdict, cost);
  }

  private judge(verdict: RateVerdict, cost: number): RateHeaders {
    if (!verdict.isAllowed) throw this.refusal(verdict, cost);
    return this.headers(verdict);
  }

  /** draft-ietf-httpapi-ratelimit-headers, as of its versions 8 to 11. */
  private headers({ remaining, fullAfterSeconds }: RateVerdict): RateHeaders {
    return {
      'ratelimit-policy': this.policy,
      ratelimit: `"${this.name}";r=${remaining};t=${fullAfterSeconds}`,
    };
  }

  private refusal(verdict: RateVerdict, cost: number): Problem {
    const { limit, windowSeconds } = this.rate;
    const headers = this.headers(verdict);
    const atMost = `At most ${limit} requests are allowed in ${windowSeconds} seconds`;
    if (cost > limit) {
      return new Problem('rate-limited', { detail: `${atMost}; this would be ${cost} at once.`, headers });
    }
    const seconds = verdict.retryAfterSeconds;
    return new Problem('rate-limited', {
      detail: `${atMost}; try again in ${seconds} s.`,
      headers: { ...headers, 'retry-after': String(seconds) },
    });
  }
}
