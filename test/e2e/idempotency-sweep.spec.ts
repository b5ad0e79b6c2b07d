import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdempotencyService } from '../../src/data/idempotency.service.js';
import { startTestApp, type TestApp } from '../kit/app.js';

describe('the sweep of old idempotent answers', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({ config: { idempotencyHours: 2 } });
  });
  afterAll(() => app?.close());

  const plant = (count: number, age: string, name: string): Promise<unknown[]> =>
    app.database.query(
      `INSERT INTO plinth.idempotent_answers (actor, key, fingerprint, status, headers, created_at)
       SELECT 'key:x', $1 || i, '\\x00', 200, '{}', now() - $2::interval FROM generate_series(1, $3) i`,
      [name, age, count],
    );
  const listKeys = async (): Promise<string[]> =>
    (await app.database.query<{ key: string }>('SELECT key FROM plinth.idempotent_answers ORDER BY key')).map(
      ({ key }) => key,
    );

  it('removes them in small steps, leaves what is young, and does not wait for what is in use', async () => {
    await plant(25, '3 hours', 'old');
    await plant(3, '1 hour', 'young');
    const steps: number[] = [];
    await app.database.query(`
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_notify('steps', (SELECT count(*)::text FROM gone)); RETURN NULL; END $$;
      CREATE TRIGGER note AFTER DELETE ON plinth.idempotent_answers REFERENCING OLD TABLE AS gone
        EXECUTE FUNCTION note()`);
    const client = await app.database.pool.connect();
    client.on('notification', ({ payload }) => steps.push(Number(payload)));
    await client.query('LISTEN steps');
    const holder = await app.database.pool.connect();
    await holder.query(`BEGIN; SELECT 1 FROM plinth.idempotent_answers WHERE key = 'old7' FOR UPDATE`);

    await app.server.app.get(IdempotencyService).sweep(10);
    expect(await listKeys()).toEqual(['old7', 'young1', 'young2', 'young3']);
    await expect.poll(() => steps).toEqual([10, 10, 4]);

    await holder.query('COMMIT');
    await app.server.app.get(IdempotencyService).sweep(10);
    expect(await listKeys()).toEqual(['young1', 'young2', 'young3']);
    holder.release();
    client.release(true);
  });
});
