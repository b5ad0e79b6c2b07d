import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRunningPostgres } from '@plinth/embedded-postgres';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { insertAdminKey } from '../kit/admin-key.js';
import { createTestDatabase, type TestDatabase } from '../kit/database.js';
import { SEED, isLongRun, quantile, tellFigures, times } from '../kit/long-run.js';
import { BUILD_TIMEOUT_MS, ensureBuilt, servePlinth, type ServingProcess } from '../kit/plinth-process.js';
import { Random } from '../kit/random.js';
import { findWrongWrites, querySql } from './check-writes.js';
import { LOAD_SQL, WriteLoad } from './write-load.js';

vi.setConfig({ testTimeout: isLongRun ? 3_600_000 : 120_000, hookTimeout: 120_000 });

const SOON = { timeout: 60_000, interval: 5 };

let dataDir: string;
let database: TestDatabase;
beforeAll(async () => {
  await ensureBuilt();
  dataDir = await mkdtemp(join(tmpdir(), 'plinth-kill-'));
  // As root the server runs under another account, which has to pass through here.
  await chmod(dataDir, 0o711);
  database = await createTestDatabase();
}, BUILD_TIMEOUT_MS);
afterAll(async () => {
  await database?.drop();
  await rm(dataDir, { recursive: true, force: true, maxRetries: 10 });
});

const embeddedUrl = async (): Promise<string> => {
  const running = await findRunningPostgres(dataDir);
  if (running === null) throw new Error('There is no PostgreSQL.');
  return running.url;
};

/** Where the data are, with what environment, and how often the server is killed. */
const PLACES = [
  {
    place: 'a database of its own',
    kills: times({ short: 2, long: 150 }),
    env: () => ({ DATABASE_URL: database.url }),
    databaseUrl: () => Promise.resolve(database.url),
  },
  {
    place: 'an embedded PostgreSQL',
    kills: Math.ceil(times({ short: 2, long: 150 }) / 3),
    env: () => ({ PLINTH_DATA_DIR: dataDir }),
    databaseUrl: embeddedUrl,
  },
];

describe(`kill -9 of the server under write load, seed ${SEED}`, () => {
  it.each(PLACES)(
    'loses no write that was acknowledged and repeats none, over $kills kills with $place',
    async ({ place, kills, env, databaseUrl }) => {
      const random = new Random(SEED);
      const serve = (): Promise<ServingProcess> => servePlinth({ env: env() });
      let server = await serve();
      await querySql(await databaseUrl(), LOAD_SQL);
      const key = await insertAdminKey(await databaseUrl());
      await vi.waitFor(async () => {
        const { status } = await fetch(`${server.url}/api/marks`, { headers: { 'x-api-key': key } });
        expect(status).toBe(200);
      }, SOON);
      const load = new WriteLoad({ url: () => server.url, key: () => key, clients: 12, seed: SEED });
      load.start();
      const startsMs: number[] = [];
      for (let kill = 0; kill < kills; kill += 1) {
        const enough = load.acknowledged + 1 + random.below(60);
        await vi.waitFor(() => expect(load.acknowledged).toBeGreaterThanOrEqual(enough), SOON);
        server.send('SIGKILL');
        expect(await server.outcome).toMatchObject({ signal: 'SIGKILL' });
        const startedAtMs = performance.now();
        server = await serve();
        startsMs.push(performance.now() - startedAtMs);
      }
      await load.stop();
      expect(await findWrongWrites(await databaseUrl(), load)).toEqual([]);
      const statuses = new Set(load.outcomes.map(({ status, error }) => status ?? error));
      // Nothing but success, and connections that broke with the process.
      for (const fine of [200, 201, 503, 'ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'socket hang up'])
        statuses.delete(fine);
      expect([...statuses]).toEqual([]);
      // The kills did come beneath requests.
      expect(load.outcomes.some(({ error }) => error === 'ECONNRESET')).toBe(true);
      expect((await server.stop()).code).toBe(0);
      tellFigures(`kill -9 with ${place}`, {
        kills,
        'requests sent': load.outcomes.length,
        'connections broken': load.outcomes.filter(({ error }) => error === 'ECONNRESET').length,
        'writes acknowledged': load.acknowledged,
        'lost, doubled or halved': 0,
        'start after a kill, median ms': quantile(startsMs, 0.5),
        'start after a kill, slowest ms': quantile(startsMs, 1),
      });
    },
  );
});

describe('the check of writes', () => {
  it('reports a write that is gone, one that is there twice, and half of a batch', async () => {
    const load = new WriteLoad({ url: () => '', key: () => '', clients: 0, seed: 1 });
    const planted = await createTestDatabase({ sql: LOAD_SQL });
    await planted.query(`INSERT INTO notes (id, tag) VALUES (1, 'note-1'), (2, 'note-1'), (3, 'batch-1')`);
    load.notes.set('note-1', '1').set('note-2', '9');
    load.batches.add('batch-1');
    load.marks.add(7);
    expect(await findWrongWrites(planted.url, load)).toEqual([
      'note-1: told 1, stored 1 2',
      'note-2: told 9, stored ',
      'batch-1: acknowledged and not there',
      'note-1: written 2 times',
      'batch-1: half of a batch',
      'mark 7: acknowledged and not there',
    ]);
    await planted.drop();
  });
});
