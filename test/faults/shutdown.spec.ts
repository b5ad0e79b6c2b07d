import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { insertAdminKey } from '../kit/admin-key.js';
import { createTestDatabase, type TestDatabase } from '../kit/database.js';
import { SEED, isLongRun, quantile, tellFigures, times } from '../kit/long-run.js';
import { BUILD_TIMEOUT_MS, ensureBuilt, servePlinth, type ServingProcess } from '../kit/plinth-process.js';
import { Random } from '../kit/random.js';
import { openRawConnection, statusesIn } from '../kit/raw-connection.js';
import { findWrongWrites } from './check-writes.js';
import { LOAD_SQL, WriteLoad, type Outcome } from './write-load.js';

vi.setConfig({ testTimeout: isLongRun ? 3_600_000 : 120_000, hookTimeout: 120_000 });

const SOON = { timeout: 60_000, interval: 5 };
const GET_LIVE = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n';
const STOPS = times({ short: 2, long: 50 });

let database: TestDatabase;
let key: string;
let server: ServingProcess;
const serve = (env: Record<string, string> = {}): Promise<ServingProcess> =>
  servePlinth({ env: { DATABASE_URL: database.url, ...env } });
beforeAll(async () => {
  await ensureBuilt();
  database = await createTestDatabase({ sql: LOAD_SQL });
  server = await serve();
  key = await insertAdminKey(database.url);
}, BUILD_TIMEOUT_MS);
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

/**
 * Whether a request was lost by a server that had taken its connection. A connection that was being made when the server
 * stopped listening is refused, or broken by the system before the server ever saw it.
 */
const isDropped = ({ error, isReused }: Outcome): boolean =>
  error !== undefined && error !== 'ECONNREFUSED' && (isReused || error !== 'ECONNRESET');

/** A load of clients that never retry, until a signal has ended the server. */
async function stopUnderLoad(seed: number): Promise<{ load: WriteLoad; stopMs: number }> {
  const { url } = server;
  const load = new WriteLoad({ url: () => url, key: () => key, clients: 16, seed, isPersistent: false });
  load.start();
  const enough = 20 + new Random(seed).below(150);
  await vi.waitFor(() => expect(load.acknowledged).toBeGreaterThanOrEqual(enough), SOON);
  server.send('SIGTERM');
  const startedAtMs = performance.now();
  const outcome = await server.outcome;
  const stopMs = performance.now() - startedAtMs;
  await load.stop();
  expect(outcome).toMatchObject({ code: 0, signal: null });
  return { load, stopMs };
}

describe(`SIGTERM under load, seed ${SEED}`, () => {
  it(`drops no request, ${STOPS} times`, async () => {
    const outcomes: Outcome[] = [];
    const wrong: string[] = [];
    const stopsMs: number[] = [];
    let acknowledged = 0;
    for (let stop = 0; stop < STOPS; stop += 1) {
      const { load, stopMs } = await stopUnderLoad(SEED + stop);
      outcomes.push(...load.outcomes);
      stopsMs.push(stopMs);
      acknowledged += load.acknowledged;
      wrong.push(...(await findWrongWrites(database.url, load)));
      await database.query('TRUNCATE notes, ledger, marks, plinth.idempotent_answers');
      server = await serve();
    }
    expect(outcomes.filter(isDropped).slice(0, 5)).toEqual([]);
    expect(outcomes.filter(({ status = 200 }) => status >= 300).slice(0, 5)).toEqual([]);
    expect(wrong).toEqual([]);
    const refused = outcomes.filter(({ error }) => error !== undefined);
    // The load did go on beyond the end.
    expect(refused.length).toBeGreaterThan(0);
    tellFigures('SIGTERM', {
      times: STOPS,
      'requests sent': outcomes.length,
      'writes acknowledged, none lost': acknowledged,
      'connections refused': refused.length,
      'requests dropped': 0,
      'time to stop, median ms': quantile(stopsMs, 0.5),
      'time to stop, slowest ms': quantile(stopsMs, 1),
    });
  });

  it.each([
    ['is answered', '5000', 2],
    ['is lost, where connections in use are closed at once,', '0', 1],
  ])('a request on a connection that was just in use %s', async (_label, grace, answers) => {
    const stopping = await serve({ PLINTH_CLOSE_GRACE: grace });
    const connection = await openRawConnection(stopping.url);
    connection.send(GET_LIVE);
    await connection.until(/"ok"/);
    stopping.send('SIGTERM');
    await stopping.logged(({ msg }) => msg === 'Stopping');
    if (grace === '0') await connection.closed();
    connection.send(GET_LIVE);
    const text = await connection.closed();
    expect(statusesIn(text)).toEqual(Array(answers).fill(200));
    // The second answer says that there will be no third.
    expect(/^connection: close\r$/im.test(text)).toBe(answers === 2);
    expect(await stopping.outcome).toMatchObject({ code: 0 });
  });
});
