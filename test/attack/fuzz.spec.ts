import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { AccessService } from '../../src/access/index.js';
import { RecordReader } from '../../src/data/record-reader.service.js';
import { UNRESTRICTED } from '../../libs/query/src/access.js';
import { insertAdminKey } from '../kit/admin-key.js';
import { startTestApp, type TestApp } from '../kit/app.js';
import { createTestDatabase, type TestDatabase } from '../kit/database.js';
import { readState } from '../kit/database-state.js';
import { SEED, isLongRun, tellFigures, times } from '../kit/long-run.js';
import { parseMetrics } from '../kit/parse-metrics.js';
import { BUILD_TIMEOUT_MS, ensureBuilt, servePlinth, type ServingProcess } from '../kit/plinth-process.js';
import { countStatements, type CountedDatabase } from '../kit/statement-counter.js';
import { ATTACK_SQL, attackerKey } from './attack-world.js';
import { fuzz, type FuzzResult } from './fuzz.js';
import { judgeStatements } from './judge-statements.js';

vi.setConfig({ testTimeout: isLongRun ? 3_600_000 : 120_000, hookTimeout: 120_000 });

const REQUESTS = times({ short: 1500, long: 100_000 });
const MAX_RSS_BYTES = 512 * 1024 ** 2;

const describeStatuses = ({ statuses }: FuzzResult): string =>
  [...statuses]
    .toSorted(([a], [b]) => a - b)
    .map(([status, count]) => `${status}: ${count}`)
    .join(', ');

describe(`${REQUESTS} random requests, seed ${SEED}`, () => {
  let database: TestDatabase;
  let counted: CountedDatabase;
  let server: ServingProcess;
  let attacker: string;
  let admin: string;
  beforeAll(async () => {
    await ensureBuilt();
    database = await createTestDatabase({ sql: ATTACK_SQL });
    counted = await countStatements(database);
    const app = await startTestApp({ database });
    attacker = await attackerKey(app);
    await app.close();
    server = await servePlinth({
      env: {
        DATABASE_URL: counted.database.url,
        PLINTH_RATE_LIMIT_CREDENTIALS: 'off',
      },
    });
    admin = await insertAdminKey(database.url);
  }, BUILD_TIMEOUT_MS);
  afterAll(async () => {
    await server?.stop();
    await counted?.close();
    await database?.drop();
  });

  const readMetric = async (name: string): Promise<number> => {
    const response = await fetch(`${server.url}/metrics`, { headers: { 'x-api-key': admin } });
    const sample = parseMetrics(await response.text()).samples.find((each) => each.name === name);
    return sample?.value ?? Number.NaN;
  };

  it('tell nothing, break nothing and cost no memory, where little is allowed', async () => {
    const { secrets, ...before } = pickHidden(await readState(database));
    const startedAt = await readMetric('process_start_time_seconds');
    const rss: number[] = [];
    let result: FuzzResult | undefined;
    const startedAtMs = performance.now();
    const statements = await counted.list(async () => {
      result = await fuzz({
        url: server.url,
        keys: [attacker, attacker, attacker, attacker, null, 'plinth_aaaaaaaaaa_bbbb'],
        seed: SEED,
        count: REQUESTS,
        onProgress: async () => void rss.push(await readMetric('process_resident_memory_bytes')),
      });
    });
    const seconds = (performance.now() - startedAtMs) / 1000;
    expect(result?.findings).toEqual([]);
    expect(judgeStatements(statements)).toEqual([]);
    expect(pickHidden(await readState(database))).toEqual({ secrets, ...before });
    // The requests mean something: many are answered, and each kind of refusal comes.
    const statuses = result?.statuses ?? new Map<number, number>();
    expect(statuses.get(200) ?? 0).toBeGreaterThan(REQUESTS / 20);
    expect([400, 401, 403, 404, 405, 415].filter((status) => !statuses.has(status))).toEqual([]);
    expect(await readMetric('process_start_time_seconds')).toBe(startedAt);
    expect(server.log().filter(({ level }) => level >= 50)).toEqual([]);
    expect(Math.max(...rss)).toBeLessThan(MAX_RSS_BYTES);
    tellFigures('Fuzzing with few rights', {
      requests: REQUESTS,
      seed: SEED,
      'requests a second': Math.round(REQUESTS / seconds),
      answers: result ? describeStatuses(result) : '',
      'statements seen': statements.length,
      'distinct statements': new Set(statements).size,
      'memory at the beginning, MB': Math.round((rss[0] ?? 0) / 1024 ** 2),
      'memory at most, MB': Math.round(Math.max(...rss) / 1024 ** 2),
      'memory at the end, MB': Math.round((rss.at(-1) ?? 0) / 1024 ** 2),
    });
  });

  it('break nothing where everything is allowed', async () => {
    const result = await fuzz({
      url: server.url,
      keys: [admin],
      seed: SEED + 1,
      count: Math.ceil(REQUESTS / 5),
      mayTellAll: true,
      // The key itself is wanted until the end.
      skip: ({ method, target }) => method === 'DELETE' && target.startsWith('/system'),
    });
    expect(result.findings).toEqual([]);
    expect(server.isRunning()).toBe(true);
    expect(server.log().filter(({ level }) => level >= 50)).toEqual([]);
    tellFigures('Fuzzing as administrator', {
      requests: Math.ceil(REQUESTS / 5),
      answers: describeStatuses(result),
    });
  });
});

/** Digests of the tables that the attacker has no right to change. */
const pickHidden = (state: Readonly<Record<string, string>>): Record<string, string | undefined> =>
  Object.fromEntries(['secrets', 'companies', 'post_tags'].map((table) => [table, state[`public.${table}`]]));

describe('the fuzzer', () => {
  const COUNT = 400;
  let database: TestDatabase;
  let counted: CountedDatabase;
  let app: TestApp;
  let attacker: string;
  beforeAll(async () => {
    database = await createTestDatabase({ sql: ATTACK_SQL });
    counted = await countStatements(database);
    app = await startTestApp({ database: counted.database });
    attacker = await attackerKey(app);
  });
  afterAll(async () => {
    await app?.close();
    await counted?.close();
    await database?.drop();
  });
  const run = (): Promise<FuzzResult> => fuzz({ url: app.url, keys: [attacker], seed: SEED, count: COUNT });

  it('reports answers and statements of a server whose policies are planted with a hole', async () => {
    const access = app.server.app.get(AccessService);
    const viewFor = access.viewFor.bind(access);
    const hole = vi.spyOn(access, 'viewFor').mockImplementation((roles) => ({
      key: `hole ${viewFor(roles).key}`,
      collection: () => UNRESTRICTED,
    }));
    onTestFinished(() => hole.mockRestore());
    let result: FuzzResult | undefined;
    const statements = await counted.list(async () => {
      result = await run();
    });
    expect(result?.findings.map(({ kind }) => kind)).toContain('leak');
    expect(judgeStatements(statements)).not.toEqual([]);
  });

  it('reports a planted crash', async () => {
    const reader = app.server.app.get(RecordReader);
    const list = reader.list.bind(reader);
    let count = 0;
    const crash = vi.spyOn(reader, 'list').mockImplementation((...parameters) => {
      count += 1;
      if (count % 20 === 0) throw new TypeError('planted');
      return list(...parameters);
    });
    onTestFinished(() => crash.mockRestore());
    const { findings } = await run();
    expect(findings.map(({ kind }) => kind)).toContain('server-error');
  });
});
