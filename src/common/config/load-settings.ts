import { parseRate, type Rate } from './rate.js';
import { integer, oneOf, parser, redisUrl, setting } from './setting.js';

export const rate = parser<Rate | null>('requests in a time, or `off`', (text) => {
  if (text === 'off') return { value: null };
  const value = parseRate(text);
  return value === null
    ? { mistake: 'must be a number of requests in a time such as 600/min, 10/s, 5000/h, or off' }
    : { value };
});

/** How much is too much: requests of one client, and of all of them. */
export const LOAD_SETTINGS = {
  queueLimit: setting({
    variable: 'PLINTH_QUEUE_LIMIT',
    description: 'Requests that wait for a database connection, at most; further ones are answered with 503.',
    defaultValue: 5000,
    example: '1000',
    parse: integer(0, 1_000_000),
  }),
  queueWaitMs: setting({
    variable: 'PLINTH_QUEUE_WAIT',
    description:
      'Milliseconds that a request may be expected to wait for a database connection; others are answered with 503 at once.',
    defaultValue: 10_000,
    example: '2000',
    parse: integer(10, 600_000, 'milliseconds'),
  }),
  maxEventLoopDelayMs: setting({
    variable: 'PLINTH_MAX_EVENT_LOOP_DELAY',
    description:
      'Milliseconds by which the process may fall behind before it answers with 503; 0 means without bound.',
    defaultValue: 1000,
    example: '500',
    parse: integer(0, 600_000, 'milliseconds'),
  }),
  rateLimit: setting<Rate | null>({
    variable: 'PLINTH_RATE_LIMIT',
    description:
      'Requests of one key or user, at most, such as 600/min; an operation of a batch is one request.',
    defaultText: 'off',
    defaultValue: null,
    example: '600/min',
    parse: rate,
  }),
  publicRateLimit: setting<Rate | null>({
    variable: 'PLINTH_RATE_LIMIT_PUBLIC',
    description: 'Requests without a credential from one address, at most (IPv6: from one /64 network).',
    defaultText: 'off',
    defaultValue: null,
    example: '1000/15min',
    parse: rate,
  }),
  credentialRateLimit: setting<Rate | null>({
    variable: 'PLINTH_RATE_LIMIT_CREDENTIALS',
    description: 'Requests with a wrong credential from one address, at most.',
    defaultValue: parseRate('300/min'),
    example: '60/min',
    parse: rate,
  }),
  redisUrl: setting<string | null>({
    variable: 'REDIS_URL',
    description: 'A Redis (7 or later) in which several instances count requests together.',
    defaultText: 'memory',
    defaultValue: null,
    isSecret: true,
    example: 'redis://:secret@redis.internal:6379/0',
    parse: redisUrl,
  }),
  rateLimitOutage: setting({
    variable: 'PLINTH_RATE_LIMIT_OUTAGE',
    description:
      'What happens without Redis: open counts in the memory of each instance, closed answers with 503 where a rate is limited.',
    defaultValue: 'open',
    example: 'closed',
    parse: oneOf('open', 'closed'),
  }),
} as const;
