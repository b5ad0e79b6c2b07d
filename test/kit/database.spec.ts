import { afterAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from './database.js';

describe('a test database', () => {
  const databases: TestDatabase[] = [];
  const create = async (...options: Parameters<typeof createTestDatabase>): Promise<TestDatabase> => {
    const database = await createTestDatabase(...options);
    databases.push(database);
    return database;
  };
  afterAll(() => Promise.all(databases.map((database) => database.drop())));

  it('is empty, in UTF-8, and seen by nobody else', async () => {
    const [first, second] = await Promise.all([create(), create()]);
    await first.query('CREATE TABLE only_here (id int)');
    const rows = await second.query(
      `SELECT to_regclass('only_here') AS table, current_setting('server_encoding') AS encoding`,
    );
    expect(rows).toEqual([{ table: null, encoding: 'UTF8' }]);
  });

  it('runs the given statements, and is a copy of a template when one is named', async () => {
    const template = await create({ sql: `CREATE TABLE a (id int); INSERT INTO a VALUES (1), (2)` });
    await template.pool.end();
    const copy = await create({ template: template.name });
    expect(await copy.query('SELECT id FROM a WHERE id > $1', [1])).toEqual([{ id: 2 }]);
  });

  it('leaves nothing behind when its statements fail', async () => {
    const database = await create();
    const count = async (): Promise<unknown> =>
      (
        await database.query(`SELECT count(*)::int AS n FROM pg_database WHERE datname LIKE $1`, [
          `plinth\\_test\\_${process.pid}\\_%`,
        ])
      )[0];
    const before = await count();
    await expect(createTestDatabase({ sql: 'SELEC 1' })).rejects.toThrow(/syntax error/);
    expect(await count()).toEqual(before);
  });
});
