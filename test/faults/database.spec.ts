import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { insertAdminKey } from '../kit/admin-key.js';
import { SEED, isLongRun, quantile, tellFigures, times } from '../kit/long-run.js';
import { startOwnPostgres, type OwnPostgres } from '../kit/own-postgres.js';
import { BUILD_TIMEOUT_MS, ensureBuilt, servePlinth, type ServingProcess } from '../kit/plinth-process.js';
import { startPostgresProxy, type PostgresProxy } from '../kit/postgres-proxy.js';
import { Random } from '../kit/random.js';
import { findWrongWrites, querySql } from './check-writes.js';
import { LOAD_SQL, WriteLoad, type Outcome } from './write-load.js';

vi.setConfig({ testTimeout: isLongRun ? 3_600_000 : 120_000, hookTimeout: 120_000 });

const SOON = { timeout: 60_000, interval: 5 };
/** What is promised, and held to where nothing else keeps the machine busy. */
const HEALTHY_MS = 5000;
const FAST_MS = 1000;
/** Until the silence of a database counts as its loss. */
const SILENCE_MS = 5000;
/** Requests that are answered while the database is away, each time. */
const REFUSALS = 30;

let postgres: OwnPostgres;
let proxy: PostgresProxy;
let server: ServingProcess;
let key: string;
beforeAll(async () => {
  await ensureBuilt();
  postgres = await startOwnPostgres({ durable: true });
  proxy = await startPostgresProxy(postgres.url);
  await querySql(postgres.url, LOAD_SQL);
  server = await servePlinth({ env: { DATABASE_URL: proxy.url } });
  key = await insertAdminKey(postgres.url);
}, BUILD_TIMEOUT_MS);
afterAll(async () => {
  await server?.stop();
  await proxy?.close();
  await postgres?.remove();
});

interface Fault {
  readonly name: string;
  readonly count: number;
  begin(): Promise<void>;
  end(): Promise<void>;
  /** How long a request may wait for its refusal that was under way when the fault began. */
  readonly noticedMs: number;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'stopped without a farewell',
    count: times({ short: 1, long: 50 }),
    begin: () => postgres.stopImmediately(),
    end: () => postgres.start(),
    noticedMs: FAST_MS,
  },
  {
    name: 'cut off',
    count: times({ short: 2, long: 50 }),
    begin: () => proxy.cut(),
    end: () => proxy.restore(),
    noticedMs: FAST_MS,
  },
  {
    name: 'silent',
    count: Math.ceil(times({ short: 1, long: 50 }) / 2),
    begin: () => Promise.resolve(proxy.silence()),
    end: () => proxy.restore(),
    noticedMs: SILENCE_MS,
  },
];

const isRefusal = ({ status, type }: Outcome): boolean =>
  status === 503 && (type === '/problems/database-unavailable' || type === '/problems/overloaded');

/** The same once more with a key that nobody has looked up yet, and without one: probes and look-ups must heal, too. */
async function isHealthy(unseenKey: string): Promise<boolean> {
  const ask = async (path: string, as?: string): Promise<number> => {
    const signal = AbortSignal.timeout(30_000);
    const answer = await fetch(server.url + path, { headers: as ? { 'x-api-key': as } : {}, signal });
    await answer.arrayBuffer();
    return answer.status;
  };
  const statuses = [await ask('/health/ready'), await ask('/api/notes?limit=1', unseenKey)];
  return statuses.every((status) => status === 200);
}

describe(`a database that goes away under load, seed ${SEED}`, () => {
  it.each(FAULTS)(
    'is told by fast 503s, and served from at once when it is back, $count times $name',
    async ({ name, count, noticedMs, ...fault }) => {
      // Each load counts its writes from one.
      await querySql(postgres.url, 'TRUNCATE notes, ledger, marks, plinth.idempotent_answers');
      const random = new Random(SEED);
      const load = new WriteLoad({ url: () => server.url, key: () => key, clients: 16, seed: SEED });
      load.start();
      const healthyMs: number[] = [];
      /** Of requests that began once the fault was known. */
      const refusalsMs: number[] = [];
      for (let round = 0; round < count; round += 1) {
        const unseen = await insertAdminKey(postgres.url);
        const enough = load.acknowledged + 1 + random.below(60);
        await vi.waitFor(() => expect(load.acknowledged).toBeGreaterThanOrEqual(enough), SOON);
        const beganAt = load.outcomes.length;
        await fault.begin();
        await vi.waitFor(
          () => expect(load.outcomes.slice(beganAt).filter(isRefusal).length).toBeGreaterThan(REFUSALS),
          SOON,
        );
        const knownAtMs = performance.now();
        const knownAt = load.outcomes.length;
        await vi.waitFor(
          () => expect(load.outcomes.slice(knownAt).filter(isRefusal).length).toBeGreaterThan(REFUSALS),
          SOON,
        );
        const refusals = load.outcomes.filter((outcome) => outcome.startedAtMs > knownAtMs);
        refusalsMs.push(...refusals.map(({ durationMs }) => durationMs));
        const { acknowledged } = load;
        await fault.end();
        const backAtMs = performance.now();
        await vi.waitFor(async () => {
          expect(await isHealthy(unseen)).toBe(true);
          expect(load.acknowledged).toBeGreaterThan(acknowledged);
        }, SOON);
        healthyMs.push(performance.now() - backAtMs);
      }
      await load.stop();
      const outcomes = load.outcomes;
      // Every request is answered, and every answer is a success or a refusal that says when to come back.
      const strange = outcomes.filter(
        (outcome) =>
          !(outcome.status === 200 || outcome.status === 201) &&
          !(isRefusal(outcome) && /^[1-9]\d*$/.test(outcome.retryAfter ?? '')),
      );
      expect(strange.slice(0, 5)).toEqual([]);
      expect(await findWrongWrites(postgres.url, load)).toEqual([]);
      expect(server.isRunning()).toBe(true);
      expect(server.log().filter(({ level }) => level >= 50)).toEqual([]);
      const slowestMs = quantile(
        outcomes.filter(isRefusal).map(({ durationMs }) => durationMs),
        1,
      );
      tellFigures(`Database ${name}`, {
        times: count,
        'requests sent': outcomes.length,
        'answered 503': outcomes.filter(isRefusal).length,
        'writes acknowledged, none lost': load.acknowledged,
        'slowest 503, ms': slowestMs,
        'slowest 503 once the fault was noticed, ms': quantile(refusalsMs, 1),
        'healthy after the database, median ms': quantile(healthyMs, 0.5),
        'healthy after the database, slowest ms': quantile(healthyMs, 1),
      });
      if (!isLongRun) return;
      expect(quantile(healthyMs, 1)).toBeLessThan(HEALTHY_MS);
      expect(slowestMs).toBeLessThan(noticedMs + FAST_MS);
      expect(quantile(refusalsMs, 0.99)).toBeLessThan(FAST_MS);
    },
  );
});
