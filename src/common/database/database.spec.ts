import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/kit/app.js';
import { Database } from './database.js';
import { MAX_PREPARED } from './prepared-statements.js';

describe('Database', () => {
  let app: TestApp;
  let database: Database;

  beforeAll(async () => {
    app = await startTestApp({
      sql: 'CREATE TABLE things (id int PRIMARY KEY)',
      config: { poolSize: 1, statementTimeoutMs: 2000 },
    });
    database = app.server.app.get(Database);
  });

  afterAll(async () => {
    await app.close();
  });

  const backend = async (): Promise<string | null | undefined> =>
    (await database.execute({ text: 'SELECT pg_backend_pid()', values: [] }))[0]?.[0];

  it('keeps a connection whose statement was refused', async () => {
    const before = await backend();
    await expect(database.execute({ text: 'SELECT 1/0', values: [] })).rejects.toThrow('division by zero');
    await expect(database.execute({ text: 'SELECT pg_sleep(9)', values: [] })).rejects.toThrow('timeout');
    await expect(
      database.transaction((executor) => executor.execute({ text: 'SELECT 1/0', values: [] })),
    ).rejects.toThrow('division by zero');
    await expect(database.transaction(() => Promise.reject(new Error('of other code')))).rejects.toThrow(
      'of other code',
    );
    expect(await backend()).toBe(before);
  });

  it('replaces a connection before its prepared statements are too many', async () => {
    const run = (number: number): Promise<unknown> =>
      database.execute({ name: `bounded_${number}`, text: `SELECT ${number}`, values: [] });
    const before = await backend();
    for (let number = 0; number < MAX_PREPARED + 10; number += 1) await run(number);
    // Names that are known cost nothing, however often they come.
    for (let number = 0; number < 3 * MAX_PREPARED; number += 1) await run(number % 5);
    expect(await backend()).not.toBe(before);
    const [row] = await database.execute({ text: 'SELECT count(*) FROM pg_prepared_statements', values: [] });
    expect(Number(row?.[0])).toBeLessThan(20);
  });

  it('survives the loss of a connection inside a transaction, and says so', async () => {
    const lost = database.transaction(async (executor) => {
      const [row] = await executor.execute({ text: 'SELECT pg_backend_pid()', values: [] });
      await app.database.query('SELECT pg_terminate_backend($1::int)', [row?.[0]]);
      await executor.execute({ text: 'SELECT 1', values: [] });
    });
    await expect(lost).rejects.toMatchObject({ type: 'database-unavailable' });
    expect(await backend()).toEqual(expect.any(String));
  });

  it('does not compile statements to machine code', async () => {
    expect(await database.execute({ text: 'SHOW jit', values: [] })).toEqual([['off']]);
  });
});
