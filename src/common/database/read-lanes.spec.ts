import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/kit/app.js';
import { Database } from './database.js';
import { MAX_PREPARED } from './prepared-statements.js';
import type { LaneSettle } from './read-lane.js';
import { ReadLanes, type LaneCounts } from './read-lanes.js';
import type { Caller } from './running-statements.js';
import { StatementCosts } from './statement-costs.js';

const POOL_SIZE = 8;

/** A short statement; its name tells it from others. */
const ECHO = 'SELECT $1::int * 2, pg_backend_pid() ';
/** Sleeps as long as it is told, in seconds, and is short where that is 0. */
const SLEEP =
  'SELECT $1::text, pg_backend_pid() FROM (SELECT pg_sleep($2::float8) WHERE $2::float8 > 0 UNION ALL SELECT NULL) s LIMIT 1';

let app: TestApp;
let database: Database;

beforeAll(async () => {
  app = await startTestApp({
    sql: 'CREATE TABLE things (id int PRIMARY KEY)',
    config: { poolSize: POOL_SIZE },
  });
  database = app.server.app.get(Database);
});
afterAll(async () => {
  await app.close();
});

const read = (name: string, text: string, values: string[], caller?: Caller) =>
  database.execute({ name, text, values, isRepeatable: true }, caller);

/** Runs a statement until it is known to be short and its lanes are open: two backends at most then serve it. */
async function warmUp(name: string, text: string, values: string[], column: number): Promise<Set<string>> {
  for (;;) {
    const rows = await Promise.all(Array.from({ length: 40 }, () => read(name, text, values)));
    const backends = new Set(rows.map(([row]) => String(row?.[column])));
    if (backends.size <= 2) return backends;
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(10);
}

const runningSleeps = async (): Promise<number> => {
  const [row] = await app.database.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`,
  );
  return row?.n ?? 0;
};

describe('short reads', () => {
  it('share a few connections, and each gets its own rows or its own error', async () => {
    await warmUp('echo', ECHO, ['1'], 1);
    await warmUp('divide', 'SELECT 1 / $1::int, pg_backend_pid()', ['1'], 1);
    const answers = await Promise.all(
      Array.from({ length: 2000 }, (_, index) => {
        if (index % 7 === 3) {
          return read('divide', 'SELECT 1 / $1::int, pg_backend_pid()', ['0']).catch(
            (error: Error) => error.message,
          );
        }
        return read('echo', ECHO, [String(index)]).then(([row]) => Number(row?.[0]));
      }),
    );
    const expected = answers.map((_, index) => (index % 7 === 3 ? 'division by zero' : index * 2));
    expect(answers).toEqual(expected);
  });

  it('do not wait behind one that turns out long', async () => {
    await warmUp('sleep', SLEEP, ['x', '0'], 1);
    const order: string[] = [];
    const note = (name: string) => (): void => void order.push(name);
    const long = Array.from({ length: 2 }, () => read('sleep', SLEEP, ['long', '1.5']).then(note('long')));
    const short = Array.from({ length: 30 }, (_, index) =>
      read('echo', ECHO, [String(index)]).then(note('short')),
    );
    await Promise.all([...long, ...short]);
    expect(order.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => 'short'));
  });

  it('survive the loss of their connection', async () => {
    const backends = await warmUp('echo', ECHO, ['1'], 1);
    const reads = Array.from({ length: 200 }, (_, index) => read('echo', ECHO, [String(index)]));
    await app.database.query('SELECT pg_terminate_backend(pid::int) FROM unnest($1::text[]) pid', [
      [...backends],
    ]);
    const more = Array.from({ length: 200 }, (_, index) => read('echo', ECHO, [String(index)]));
    const rows = await Promise.all([...reads, ...more]);
    expect(rows.map(([row]) => Number(row?.[0]))).toEqual(
      [...reads, ...more].map((_, index) => (index % 200) * 2),
    );
  });

  it('leave no connection with too many prepared statements', async () => {
    for (let round = 0; round < 3; round += 1) {
      for (let number = 0; number < MAX_PREPARED + 50; number += 1) {
        await read(`many_${number}`, `SELECT ${number}`, []);
      }
    }
    await warmUp('prepared', 'SELECT (SELECT count(*) FROM pg_prepared_statements), pg_backend_pid()', [], 1);
    const rows = await Promise.all(
      Array.from({ length: 20 }, () =>
        read('prepared', 'SELECT (SELECT count(*) FROM pg_prepared_statements), pg_backend_pid()', []),
      ),
    );
    for (const [row] of rows) expect(Number(row?.[0])).toBeLessThanOrEqual(MAX_PREPARED);
  });

  it('never use more connections than the pool may have', async () => {
    await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        index % 3 === 0
          ? database.execute({ text: 'SELECT pg_sleep(0.005)', values: [] })
          : read('echo', ECHO, [String(index)]),
      ),
    );
    const [row] = await app.database.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'plinth' AND query LIKE ANY (ARRAY['%pg_sleep%', 'SELECT $1%'])`,
    );
    expect(row?.n).toBeLessThanOrEqual(POOL_SIZE);
  });
});

/** Lanes of their own, and what offers a statement of known cost that sleeps for so many milliseconds. */
async function openLanes(counts: LaneCounts, sleepMs: number) {
  const lanes = new ReadLanes({ connectionString: app.database.url }, counts);
  const cost = new StatementCosts().of('nap');
  const offer = (settle: (pid: string) => void): boolean => {
    const text = 'SELECT pg_backend_pid() FROM pg_sleep($1::float8)';
    const statement = { name: 'nap', text, values: [String(sleepMs / 1000)] };
    const told: LaneSettle = (_error, rows) => settle(String(rows[0]?.[0]));
    return lanes.offer({ statement, caller: undefined, cost, settle: told, move: () => {} }, true);
  };
  const know = (ms: number): void => void Object.assign(cost, { runs: 2, leastMs: ms, laneMs: ms });
  know(sleepMs);
  await until(async () => {
    await new Promise<string>((resolve) => void (offer(resolve) || resolve('')));
    return lanes.depths.length === counts.main + counts.spare;
  });
  return { lanes, offer, know };
}

describe('lanes', () => {
  it('have spare ones, which take one statement while the main ones have enough to do', async () => {
    const { lanes, offer, know } = await openLanes({ main: 1, spare: 1 }, 1);
    know(1);
    const answers = Array.from({ length: 20 }, () => new Promise<string>((resolve) => void offer(resolve)));
    expect(lanes.depths).toEqual([19, 1]);
    expect(new Set(await Promise.all(answers)).size).toBe(2);
    know(1);
    const few = Array.from({ length: 3 }, () => new Promise<string>((resolve) => void offer(resolve)));
    expect(lanes.depths).toEqual([3, 0]);
    await Promise.all(few);
    await lanes.close();
  });

  it('take no more than they can do soon, also where statements turn out slower than they were', async () => {
    const { lanes, offer, know } = await openLanes({ main: 1, spare: 0 }, 2);
    know(0.1);
    let settled = 0;
    const depths: number[] = [];
    const readOn = async (): Promise<void> => {
      while (settled < 300) {
        const pid = await new Promise<string>((resolve) => void (offer(resolve) || resolve('')));
        if (pid === '') await delay(5);
        else settled += 1;
        if (settled > 200) depths.push(...lanes.depths);
      }
    };
    await Promise.all(Array.from({ length: 60 }, readOn));
    expect(Math.max(...depths)).toBeLessThan(20);
    await lanes.close();
  });
});

describe('a statement that nobody waits for any more', () => {
  it.each([
    ['alone on a connection', false],
    ['in a lane', true],
  ])('is cancelled in the database, and nothing else is: %s', async (_where, isInLane) => {
    const name = isInLane ? 'sleep_in_lane' : 'sleep_alone';
    if (isInLane) await warmUp(name, SLEEP, ['x', '0'], 1);
    const caller = { isGone: false };
    const gone = read(name, SLEEP, ['gone', '600'], caller).catch((error: { code?: string }) => error.code);
    const staying = read(name, SLEEP, ['staying', '0.6']);
    await until(async () => (await runningSleeps()) > 0);
    caller.isGone = true;
    const reads = Array.from({ length: 200 }, (_, index) => read('echo', ECHO, [String(index)]));
    expect(await gone).toBe('57014');
    expect((await staying)[0]?.[0]).toBe('staying');
    await Promise.all(reads);
    // Whatever uses these connections next is not hit by a cancellation that came late.
    await Promise.all(Array.from({ length: 200 }, (_, index) => read('echo', ECHO, [String(index)])));
  });

  it('is not even begun where it waits for a connection', async () => {
    const holders = await Promise.all(Array.from({ length: POOL_SIZE - 2 }, () => database.connect()));
    const caller = { isGone: true };
    const waiting = database.execute({ text: 'CREATE TABLE begun (id int)', values: [] }, caller);
    for (const holder of holders) holder.release();
    await expect(waiting).rejects.toMatchObject({ type: 'request-timeout' });
    expect(await app.database.query(`SELECT to_regclass('begun') AS name`)).toEqual([{ name: null }]);
  });

  it('is known by the connection of the client', async () => {
    await app.database.query(
      `CREATE VIEW slow AS SELECT id, pg_sleep(600) IS NULL AS slow FROM generate_series(1, 1) id`,
    );
    await until(async () => (await app.admin('GET', '/api/slow?unknown')).status === 400);
    const { hostname, port } = new URL(app.url);
    for (const leave of ['destroy', 'end'] as const) {
      const client = connect(Number(port), hostname);
      client.write(`GET /api/slow HTTP/1.1\r\nHost: x\r\nX-API-Key: ${app.adminKey}\r\n\r\n`);
      await until(async () => (await runningSleeps()) === 1);
      client[leave]();
      await until(async () => (await runningSleeps()) === 0);
    }
  });
});
