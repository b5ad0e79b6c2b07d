import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseRate } from '../../../src/common/config/rate.js';
import { startTestApp, type TestApp, type TestAppOptions } from '../../kit/app.js';
import { createTestDatabase, type TestDatabase } from '../../kit/database.js';
import { findFreePort, REDIS_SERVER, startRedis, type TestRedis } from '../../kit/redis.js';

if (REDIS_SERVER === null) console.warn('SKIPPED: rate limits in Redis; there is no Redis on this machine.');

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ sql: 'CREATE TABLE notes (id int PRIMARY KEY, text text)' });
});
afterAll(() => database.drop());

/** Runs `work` on a server with limits of its own. */
async function withApp(
  config: TestAppOptions['config'],
  work: (app: TestApp) => Promise<void>,
): Promise<void> {
  const app = await startTestApp({ database, config });
  try {
    await work(app);
  } finally {
    await app.close();
  }
}

interface Ask {
  readonly key?: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** A request past the check against the documents, which would be counted too. */
const ask = (
  app: TestApp,
  path: string,
  { key, method = 'GET', body, headers }: Ask = {},
): Promise<Response> =>
  fetch(app.url + path, {
    method,
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });

/** The statuses of as many requests, one after the other. */
async function statuses(count: number, send: (index: number) => Promise<Response>): Promise<number[]> {
  const found: number[] = [];
  for (let index = 0; index < count; index += 1) found.push((await send(index)).status);
  return found;
}

const makeKey = async (app: TestApp): Promise<string> => {
  const { body } = await app.admin('POST', '/system/keys', { name: 'another', roles: ['admin'] });
  return (body as { key: string }).key;
};

describe('requests of a key', () => {
  it('are counted, told in the standard headers, and refused when they are too many', async () => {
    let other = '';
    await withApp({}, async (app) => void (other = await makeKey(app)));
    await withApp({ rateLimit: parseRate('3/min') }, async (app) => {
      const first = await ask(app, '/api/notes', { key: app.adminKey });
      expect(first.headers.get('ratelimit-policy')).toBe('"caller";q=3;w=60');
      expect(first.headers.get('ratelimit')).toBe('"caller";r=2;t=20');
      // What is refused for another reason counts as well.
      expect((await ask(app, '/api/nothing', { key: app.adminKey })).status).toBe(404);
      const last = await ask(app, '/api/notes', { key: app.adminKey });
      expect([last.status, last.headers.get('ratelimit')]).toEqual([200, '"caller";r=0;t=60']);
      const refused = await ask(app, '/api/notes', { key: app.adminKey });
      expect(refused.status).toBe(429);
      expect(refused.headers.get('retry-after')).toMatch(/^(19|20)$/);
      expect(refused.headers.get('ratelimit')).toMatch(/^"caller";r=0;t=(59|60)$/);
      expect(await refused.json()).toMatchObject({
        type: '/problems/rate-limited',
        status: 429,
        detail: expect.stringMatching(/^At most 3 requests are allowed in 60 seconds; try again in \d+ s\.$/),
      });
      expect((await ask(app, '/api/notes', { key: other })).status).toBe(200);
      // The public is counted by another limit, which is off here.
      expect((await ask(app, '/openapi.json')).headers.get('ratelimit')).toBeNull();
    });
  });

  it('conform to the documents, which tell of the headers', async () => {
    await withApp({ rateLimit: parseRate('1000/h'), publicRateLimit: parseRate('1000/h') }, async (app) => {
      const { headers } = await app.admin('GET', '/api/notes');
      expect(headers.get('ratelimit')).toMatch(/^"caller";r=9\d\d;t=\d+$/);
      await app.admin('GET', '/system/roles');
      await app.request('GET', '/openapi.json');
      await app.request('GET', '/health/ready');
      await app.admin('POST', '/api/batch', { operations: [{ method: 'GET', path: '/notes' }] });
    });
  });
});

describe('[row 19] a limit', () => {
  it('[row 19] counts each operation of a batch', async () => {
    await withApp({ rateLimit: parseRate('20/h') }, async (app) => {
      const batch = (count: number): Ask => ({
        key: app.adminKey,
        method: 'POST',
        body: { operations: Array.from({ length: count }, () => ({ method: 'GET', path: '/notes' })) },
      });
      const done = await ask(app, '/api/batch', batch(15));
      expect([done.status, done.headers.get('ratelimit')]).toEqual([200, '"caller";r=5;t=2700']);
      const refused = await ask(app, '/api/batch', batch(6));
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, expect.any(String)]);
      // The refused batch itself was one request.
      expect((await ask(app, '/api/batch', batch(4))).status).toBe(200);
      expect((await ask(app, '/api/notes', { key: app.adminKey })).status).toBe(429);
      const never = await ask(app, '/api/batch', batch(21));
      expect([never.status, never.headers.get('retry-after')]).toEqual([429, expect.any(String)]);
    });
  });

  it('[row 19] says so where a batch alone is more than is ever allowed', async () => {
    await withApp({ rateLimit: parseRate('20/h') }, async (app) => {
      const operations = Array.from({ length: 40 }, () => ({ method: 'GET', path: '/notes' }));
      const refused = await ask(app, '/api/batch', {
        key: app.adminKey,
        method: 'POST',
        body: { operations },
      });
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, null]);
      expect(await refused.json()).toMatchObject({
        detail: 'At most 20 requests are allowed in 3600 seconds; this would be 39 at once.',
      });
    });
  });

  it('[row 19] on wrong credentials counts the address, whatever else the request says', async () => {
    await withApp({ credentialRateLimit: parseRate('5/h') }, async (app) => {
      await ask(app, '/api/notes', { key: app.adminKey });
      const guess = (index: number): Promise<Response> =>
        ask(app, index % 2 ? '/api/notes' : `/api/nothing?x=${index}`, {
          method: index % 3 ? 'POST' : 'GET',
          body: index % 3 ? { email: `a${index}@example.org` } : undefined,
          headers: {
            [index % 2 ? 'x-api-key' : 'authorization']:
              `${index % 2 ? '' : 'Bearer '}plinth_${'x'.repeat(index)}`,
            'x-forwarded-for': `203.0.113.${index}`,
            'x-real-ip': `203.0.113.${index}`,
            'x-client-ip': `203.0.113.${index}`,
            forwarded: `for=203.0.113.${index}`,
            'user-agent': `agent ${index}`,
          },
        });
      expect(await statuses(9, guess)).toEqual([401, 401, 401, 401, 401, 429, 429, 429, 429]);
      const refused = await guess(1);
      expect(refused.headers.get('ratelimit-policy')).toBe('"credentials";q=5;w=3600');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(600);
      // Whoever has a right one, and who needs none, goes on.
      expect((await ask(app, '/api/notes', { key: app.adminKey })).status).toBe(200);
      expect((await ask(app, '/openapi.json')).status).toBe(200);
      expect((await ask(app, '/health/live')).status).toBe(200);
    });
  });

  it('[row 19] on the public counts the address, and no header that a client may write', async () => {
    await withApp({ publicRateLimit: parseRate('4/h'), metrics: 'public' }, async (app) => {
      const send = (index: number): Promise<Response> =>
        ask(app, '/openapi.json', { headers: { 'x-forwarded-for': `198.51.100.${index}` } });
      expect(await statuses(6, send)).toEqual([200, 200, 200, 200, 429, 429]);
      // Health and metrics are never counted, and keys are counted by themselves.
      expect(await statuses(6, () => ask(app, '/health/live'))).toEqual(Array(6).fill(200));
      expect(await statuses(6, () => ask(app, '/metrics'))).toEqual(Array(6).fill(200));
      expect((await ask(app, '/api/notes', { key: app.adminKey })).status).toBe(200);
    });
  });

  it('[row 19] behind a trusted proxy counts the client that the proxy saw, an IPv6 network as one', async () => {
    await withApp(
      { publicRateLimit: parseRate('2/h'), trustedProxies: ['loopback', '10.0.0.0/8'] },
      async (app) => {
        const from = (chain: string): Promise<Response> =>
          ask(app, '/openapi.json', { headers: { 'x-forwarded-for': chain } });
        expect(await statuses(3, () => from('203.0.113.7'))).toEqual([200, 200, 429]);
        // What a client writes itself stands before what the proxy saw.
        expect(await statuses(3, (index) => from(`192.0.2.${index}, 203.0.113.7, 10.1.2.3`))).toEqual([
          429, 429, 429,
        ]);
        expect((await from('203.0.113.8')).status).toBe(200);
        const network = await statuses(3, (index) => from(`2001:db8:1:2:${index}::${index}`));
        expect(network).toEqual([200, 200, 429]);
        expect((await from('2001:db8:1:3::1')).status).toBe(200);
      },
    );
  });
});

describe.skipIf(REDIS_SERVER === null)('a limit in Redis', () => {
  let port = 0;
  let redis: TestRedis;
  beforeAll(async () => {
    port = await findFreePort();
    redis = await startRedis(port);
  });
  afterAll(() => redis.stop());

  /** Asks until Redis counts, which takes a moment after the start. */
  const send = (app: TestApp, key: string): Promise<Response> => ask(app, '/api/notes', { key });

  it('holds over all instances, by one clock', async () => {
    const config = { rateLimit: parseRate('30/h'), redisUrl: redis.url, rateLimitOutage: 'closed' as const };
    await withApp(config, async (one) => {
      await withApp(config, async (two) => {
        const key = one.adminKey;
        for (const app of [one, two]) {
          await expect.poll(() => send(app, key).then(({ status }) => status)).toBe(200);
        }
        const answers = await Promise.all(
          Array.from({ length: 80 }, (_, index) => send(index % 2 ? one : two, key)),
        );
        const allowed = answers.filter(({ status }) => status === 200);
        // Two were spent above; one may have been earned again, but not two.
        expect(allowed.length).toBe(28);
        expect(answers.filter(({ status }) => status === 429)).toHaveLength(52);
        expect(answers.at(-1)?.headers.get('retry-after')).toMatch(/^1\d\d$/);
      });
    });
  });

  it.each<['open' | 'closed', number, string | undefined, string | null]>([
    ['open', 200, undefined, null],
    ['closed', 503, '/problems/rate-limit-unavailable', '1'],
  ])('in an outage fails %s, and heals', async (rateLimitOutage, status, type, retryAfter) => {
    const own = await findFreePort();
    let server = await startRedis(own);
    const config = { rateLimit: parseRate('1000/h'), redisUrl: server.url, rateLimitOutage };
    await withApp(config, async (app) => {
      const probe = (): Promise<string | null> =>
        send(app, app.adminKey).then((answer) => answer.headers.get('ratelimit'));
      await expect.poll(probe).toContain('r=99');
      await server.stop();
      const during = await send(app, app.adminKey);
      expect([during.status, during.headers.get('retry-after')]).toEqual([status, retryAfter]);
      expect(((await during.json()) as { type?: string }).type).toBe(type);
      expect((await ask(app, '/health/ready')).status).toBe(200);
      server = await startRedis(own);
      // A Redis that knows nothing yet.
      await expect.poll(probe, { timeout: 10_000 }).toBe('"caller";r=999;t=4');
    });
    await server.stop();
  });

  it('does not wait for a Redis that is silent', async () => {
    const own = await findFreePort();
    const server = await startRedis(own);
    const url = `redis://127.0.0.1:${own}`;
    await withApp({ rateLimit: parseRate('1000/h'), redisUrl: url, rateLimitOutage: 'open' }, async (app) => {
      await expect
        .poll(() => send(app, app.adminKey).then((answer) => answer.headers.get('ratelimit')))
        .toContain('r=99');
      server.pause();
      const found = await statuses(20, () => send(app, app.adminKey));
      expect(found).toEqual(Array(20).fill(200));
    });
    await server.stop();
  });
});
