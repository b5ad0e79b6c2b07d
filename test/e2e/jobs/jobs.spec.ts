import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Module } from '@nestjs/common';
import { IsInt, IsString } from 'class-validator';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { JobDefinition, Jobs, PermanentFailure, type JobContext } from '../../../src/jobs/index.js';
import { startTestApp, type LogLine, type TestApp } from '../../kit/app.js';
import { createTestDatabase, type TestDatabase } from '../../kit/database.js';
import { SOON } from '../../kit/soon.js';

class Parcel {
  @IsInt()
  number: number;
}

class Secret {
  @IsString()
  word: string;
}

type Run = readonly [number: number, context: JobContext];

/** What ran, in order; and what each run is to do. */
const runs: Run[] = [];
let behave: (payload: Parcel, context: JobContext) => Promise<void> = () => Promise.resolve();

@Injectable()
class SendParcel extends JobDefinition<Parcel> {
  readonly name = 'test.parcel';
  readonly payload = Parcel;
  override readonly maxAttempts = 3;

  override async run(payload: Parcel, context: JobContext): Promise<void> {
    runs.push([payload.number, context]);
    await behave(payload, context);
  }
}

const words: string[] = [];

@Injectable()
class Whisper extends JobDefinition<Secret> {
  readonly name = 'test.whisper';
  readonly payload = Secret;
  override readonly isSealed = true;

  override run({ word }: Secret): Promise<void> {
    words.push(word);
    return Promise.resolve();
  }
}

class Nothing {}

@Injectable()
class EveryMinute extends JobDefinition<Nothing> {
  readonly name = 'test.every-minute';
  readonly payload = Nothing;
  override readonly schedule = '* * * * *';

  override run(): Promise<void> {
    return Promise.resolve();
  }
}

@Module({ providers: [SendParcel, Whisper, EveryMinute] })
class ParcelModule {}

let database: TestDatabase;
let app: TestApp;
const log: LogLine[] = [];
const start = (jobConcurrency: number): Promise<TestApp> =>
  startTestApp({
    database,
    imports: [ParcelModule],
    config: { jobConcurrency, logLevel: 'debug', shutdownTimeoutMs: 4000 },
    log: (line) => void log.push(line),
  });
/** Jobs are put in the queue by an application that works none, so that nothing runs by itself. */
beforeAll(async () => {
  database = await createTestDatabase();
  app = await start(0);
});
afterAll(async () => {
  await app.close();
  await database.drop();
});
afterEach(async () => {
  behave = () => Promise.resolve();
  runs.length = 0;
  log.length = 0;
  await database.query('DELETE FROM plinth_jobs._private_jobs');
});

const jobsOf = (of: TestApp = app): Jobs => of.server.app.get(Jobs);
const numbers = (): number[] => runs.map(([number]) => number);
const listed = async (query = ''): Promise<Record<string, unknown>[]> =>
  ((await app.admin('GET', `/system/jobs${query}`)).body as { data: Record<string, unknown>[] }).data;

/** An application that works jobs while `work` goes on. */
async function working(work: (worker: TestApp) => Promise<void>): Promise<void> {
  const worker = await start(2);
  try {
    await work(worker);
  } finally {
    await worker.close();
  }
}

describe('a database that cuts its connections', () => {
  it('loses no job, neither one under way nor one that comes after', async () => {
    await working(async () => {
      const cut = (): Promise<unknown> =>
        database.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid()`);
      behave = async ({ number }, { attempt }) => {
        if (number === 1 && attempt === 1) await cut();
      };
      await jobsOf().enqueue(SendParcel, { number: 1 });
      await expect.poll(numbers, SOON).toContain(1);
      await vi.waitFor(() => jobsOf().enqueue(SendParcel, { number: 2 }), SOON);
      await expect.poll(numbers, SOON).toContain(2);
      await expect.poll(() => listed(), SOON).toEqual([]);
    });
  });
});

describe('enqueueing', () => {
  it('runs a job once its transaction is committed, and none of one that is rolled back', async () => {
    await working(async () => {
      const client = await database.pool.connect();
      await client.query('BEGIN');
      await jobsOf().enqueue(SendParcel, { number: 1 }, {}, client);
      await client.query('ROLLBACK');
      await client.query('BEGIN');
      await jobsOf().enqueue(SendParcel, { number: 2 }, {}, client);
      expect(runs).toEqual([]);
      await client.query('COMMIT');
      client.release();
      await expect.poll(numbers).toEqual([2]);
      await expect.poll(() => listed()).toEqual([]);
    });
  });

  it('refuses a payload that is not as the definition says, without repeating its values', async () => {
    await expect(jobsOf().enqueue(SendParcel, { number: 'x' } as never)).rejects.toThrow(
      /"test.parcel" is not valid: number/,
    );
    const told = jobsOf().enqueue(Whisper, { word: 'open sesame', extra: 'open sesame' } as never);
    await expect(told).rejects.not.toThrow(/sesame/);
    expect(await listed()).toEqual([]);
  });

  it('keeps one job for a key, with the newest payload or the first', async () => {
    const runAt = new Date(Date.now() + 3_600_000);
    await jobsOf().enqueue(SendParcel, { number: 1 }, { key: 'one', runAt });
    await jobsOf().enqueue(SendParcel, { number: 2 }, { key: 'one', onKeyConflict: 'replace-keeping-time' });
    expect(await listed()).toMatchObject([
      { key: 'one', payload: { number: 2 }, state: 'scheduled', runAt: runAt.toISOString() },
    ]);
    await jobsOf().enqueue(SendParcel, { number: 3 }, { key: 'one', onKeyConflict: 'keep' });
    expect(await listed()).toMatchObject([{ payload: { number: 2 } }]);
    await jobsOf().enqueue(SendParcel, { number: 4 }, { key: 'one' });
    expect(await listed()).toMatchObject([{ payload: { number: 4 }, state: 'waiting' }]);
  });

  it('takes jobs by priority, then by time', async () => {
    for (const [number, priority] of [
      [1, 5],
      [2, -5],
      [3, 0],
    ] as const) {
      await jobsOf().enqueue(SendParcel, { number }, { priority, queue: 'in a row' });
    }
    await working(async () => {
      await expect.poll(numbers).toEqual([2, 3, 1]);
    });
  });

  it('encrypts payloads that hold secrets, and shows them to nobody', async () => {
    await jobsOf().enqueue(Whisper, { word: 'open sesame' });
    const rows = await database.query<{ payload: object }>('SELECT payload FROM plinth_jobs._private_jobs');
    expect(JSON.stringify(rows)).not.toContain('sesame');
    expect(await listed()).toMatchObject([{ name: 'test.whisper', payload: null }]);
    await working(async () => {
      await expect.poll(() => words).toEqual(['open sesame']);
    });
  });

  it('knows schedules', async () => {
    await working(async () => {
      const known = (): Promise<object[]> =>
        database.query(`SELECT identifier FROM plinth_jobs._private_known_crontabs ORDER BY 1`);
      await expect
        .poll(known)
        .toEqual([{ identifier: 'jobs.remove-expired' }, { identifier: 'test.every-minute' }]);
    });
  });
});

describe('failures', () => {
  it('tries a job again after a wait, and tells of it in log and metrics', { timeout: 40_000 }, async () => {
    behave = (_payload, { attempt }) =>
      attempt === 1 ? Promise.reject(new Error('out of string')) : Promise.resolve();
    await working(async (worker) => {
      await jobsOf().enqueue(SendParcel, { number: 7 });
      await expect
        .poll(() => listed())
        .toMatchObject([{ state: 'scheduled', attempts: 1, error: 'out of string' }]);
      await expect.poll(numbers, { timeout: 20_000 }).toEqual([7, 7]);
      await expect.poll(() => listed()).toEqual([]);
      expect(runs[1]?.[1]).toMatchObject({ attempt: 2, maxAttempts: 3 });
      expect(log.find(({ event }) => event === 'job.failed')).toMatchObject({
        job: 'test.parcel',
        attempt: 1,
        reason: 'out of string',
      });
      const { text } = await worker.admin('GET', '/metrics');
      expect(text).toContain('plinth_job_duration_seconds_count{job="test.parcel",outcome="failed"} 1');
      expect(text).toContain('plinth_job_duration_seconds_count{job="test.parcel",outcome="done"} 1');
    });
  });

  it('keeps a job that cannot succeed, until it is told to try again', async () => {
    behave = () => Promise.reject(new PermanentFailure('nobody lives there'));
    await working(async () => {
      const id = await jobsOf().enqueue(SendParcel, { number: 8 });
      await expect
        .poll(() => listed('?state=dead&name=test.parcel'))
        .toMatchObject([{ id, state: 'dead', attempts: 1, error: 'nobody lives there' }]);
      expect(log.find(({ event }) => event === 'job.died')).toMatchObject({ reason: 'nobody lives there' });
      behave = () => Promise.resolve();
      const retried = await app.admin('POST', `/system/jobs/${id}/retry`);
      expect(retried.body).toMatchObject({ id, maxAttempts: 3 });
      await expect.poll(numbers).toEqual([8, 8]);
      await expect.poll(() => listed()).toEqual([]);
    });
  });
});

describe('management', () => {
  it('lists jobs in pages, by state and kind', async () => {
    for (let number = 0; number < 5; number += 1) await jobsOf().enqueue(SendParcel, { number });
    await jobsOf().enqueue(SendParcel, { number: 9 }, { runAt: new Date(Date.now() + 60_000) });
    const first = await app.admin('GET', '/system/jobs?limit=3&state=waiting');
    const { next } = (first.body as { page: { next: string } }).page;
    const second = await app.admin('GET', `/system/jobs?limit=3&state=waiting&cursor=${next}`);
    const found = [first, second].flatMap(({ body }) => (body as { data: { payload: Parcel }[] }).data);
    expect(found.map(({ payload }) => payload.number)).toEqual([4, 3, 2, 1, 0]);
    expect(second.body).toMatchObject({ page: { next: null } });
    expect(await listed('?name=none')).toEqual([]);
    expect((await app.admin('GET', '/system/jobs?state=odd')).status).toBe(400);
    expect((await app.admin('GET', '/system/jobs?cursor=odd')).status).toBe(400);
  });

  it('cancels a job that does not run, and none that does', async () => {
    const waiting = await jobsOf().enqueue(SendParcel, { number: 1 });
    expect((await app.admin('DELETE', `/system/jobs/${waiting}`)).status).toBe(204);
    for (const id of [waiting, 'x', '99999999999999999999']) {
      expect((await app.admin('GET', `/system/jobs/${id}`)).status).toBe(404);
      expect((await app.admin('DELETE', `/system/jobs/${id}`)).status).toBe(404);
      expect((await app.admin('POST', `/system/jobs/${id}/retry`)).status).toBe(404);
    }
    let finish = (): void => {};
    behave = () => new Promise((resolve) => (finish = resolve));
    await working(async () => {
      const running = await jobsOf().enqueue(SendParcel, { number: 2 });
      await expect.poll(() => listed('?state=running')).toMatchObject([{ id: running }]);
      expect((await app.admin('DELETE', `/system/jobs/${running}`)).status).toBe(409);
      expect((await app.admin('POST', `/system/jobs/${running}/retry`)).status).toBe(409);
      finish();
      await expect.poll(() => listed()).toEqual([]);
    });
    expect(numbers()).toEqual([2]);
  });
});

describe('stopping', () => {
  it('lets a job end that is under way, and takes no other', async () => {
    let finish = (): void => {};
    behave = () => new Promise((resolve) => (finish = resolve));
    const worker = await start(1);
    await jobsOf().enqueue(SendParcel, { number: 1 });
    await expect.poll(numbers).toEqual([1]);
    await jobsOf().enqueue(SendParcel, { number: 2 });
    const closing = worker.close();
    await delay(300);
    finish();
    await closing;
    expect(numbers()).toEqual([1]);
    expect(await listed()).toMatchObject([{ payload: { number: 2 }, state: 'waiting', attempts: 0 }]);
  });

  it('hands a job on that does not end in time', { timeout: 40_000 }, async () => {
    behave = (_payload, { signal }) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new Error('interrupted'))),
      );
    const worker = await start(1);
    await jobsOf().enqueue(SendParcel, { number: 1 });
    await expect.poll(numbers).toEqual([1]);
    await worker.close();
    expect(await listed()).toMatchObject([{ payload: { number: 1 }, state: 'scheduled' }]);
  });

  it(
    'takes the jobs again of a worker that is gone, and leaves those of others alone',
    { timeout: 60_000 },
    async () => {
      let finish = (): void => {};
      behave = ({ number }) =>
        number === 1 ? new Promise((resolve) => (finish = resolve)) : Promise.resolve();
      await working(async () => {
        await jobsOf().enqueue(SendParcel, { number: 1 });
        await expect.poll(numbers).toEqual([1]);
        // As a process leaves it that was killed.
        const lost = await jobsOf().enqueue(
          SendParcel,
          { number: 2 },
          { runAt: new Date(Date.now() + 60_000) },
        );
        await database.query(
          `UPDATE plinth_jobs._private_jobs SET locked_by = 'worker-gone', locked_at = now(), attempts = 1, run_at = now()
         WHERE id = $1`,
          [lost],
        );
        await expect.poll(numbers, { timeout: 25_000 }).toEqual([1, 2]);
        expect(log.find(({ event }) => event === 'jobs.rescued')).toMatchObject({ jobs: 1 });
        expect(runs[1]?.[1].attempt).toBe(2);
        await expect.poll(() => listed()).toMatchObject([{ state: 'running', attempts: 1 }]);
        finish();
      });
    },
  );
});
