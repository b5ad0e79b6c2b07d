import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/kit/database.js';
import { newRoleName } from '../../../test/kit/role-name.js';
import { readCatalog, readFingerprint } from '../src/index.js';

let database: TestDatabase;

const options = { schemas: ['public', 'later'] };
const fingerprint = (): Promise<string> => readFingerprint(database.pool, options);
const version = async (): Promise<string> => (await readCatalog(database.pool, options)).version;

beforeAll(async () => {
  database = await createTestDatabase({
    sql: `
      CREATE SCHEMA hidden;
      CREATE TYPE mood AS ENUM ('sad', 'ok');
      CREATE DOMAIN hidden.positive AS int CHECK (VALUE > 0);
      CREATE TYPE hidden.pair AS (a int, b int);
      CREATE TABLE base (
        id int PRIMARY KEY, name text, tally int, code varchar(10) NOT NULL DEFAULT '', mood mood, amount hidden.positive, pair hidden.pair, at date
      );
      CREATE TABLE parts (id int) PARTITION BY LIST (id);
      CREATE TABLE part PARTITION OF parts DEFAULT;
      CREATE VIEW seen AS SELECT id, name FROM base;
      CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      INSERT INTO base SELECT i, i, i FROM generate_series(1, 1000) i;`,
  });
});
afterAll(() => database.drop());

describe('readFingerprint', () => {
  it('changes with every change of the catalog', async () => {
    const changes = [
      'CREATE TABLE child (id int PRIMARY KEY, base_id int)',
      'ALTER TABLE child ADD FOREIGN KEY (base_id) REFERENCES base',
      'ALTER TABLE base ALTER code TYPE varchar(20)',
      'ALTER TABLE base ALTER code DROP NOT NULL',
      `ALTER TABLE base ALTER code SET DEFAULT 'x'`,
      'ALTER TABLE base RENAME name TO title',
      'ALTER TABLE base DROP COLUMN at',
      `ALTER TYPE mood ADD VALUE 'new'`,
      `ALTER TYPE mood RENAME VALUE 'new' TO 'newer'`,
      'ALTER DOMAIN hidden.positive ADD CHECK (VALUE < 10)',
      'ALTER TYPE hidden.pair ADD ATTRIBUTE c text',
      'ALTER TABLE base ADD CHECK (id > 0) NOT VALID',
      'CREATE UNIQUE INDEX base_title ON base (title)',
      'DROP INDEX base_title',
      `COMMENT ON COLUMN base.title IS 'x'`,
      `COMMENT ON TABLE base IS 'x'`,
      'CREATE OR REPLACE VIEW seen AS SELECT DISTINCT id, title AS name FROM base',
      'CREATE TRIGGER instead INSTEAD OF INSERT ON seen FOR EACH ROW EXECUTE FUNCTION nothing()',
      'ALTER TABLE parts DETACH PARTITION part',
      'CREATE SCHEMA later CREATE TABLE late (id int)',
      'ALTER SCHEMA later RENAME TO too_late',
      'ALTER EXTENSION plpgsql ADD TABLE part',
      'ALTER TABLE child RENAME TO children',
      'DROP TABLE children',
    ];
    const unseen: string[] = [];
    let last = { fingerprint: await fingerprint(), version: await version() };
    for (const change of changes) {
      await database.query(change);
      const next = { fingerprint: await fingerprint(), version: await version() };
      if (next.version === last.version) unseen.push(`${change}: version`);
      if (next.fingerprint === last.fingerprint) unseen.push(`${change}: fingerprint`);
      last = next;
    }
    expect(unseen).toEqual([]);
  });

  it('changes with what the role may do', async () => {
    const role = newRoleName();
    await database.query(`CREATE ROLE ${role}`);
    const client = await database.pool.connect();
    try {
      const read = (): Promise<string> => readFingerprint(client, options);
      await client.query(`SET ROLE ${role}`);
      const seen = [await read()];
      const changes = [
        `GRANT SELECT ON base TO ${role}`,
        `REVOKE USAGE ON SCHEMA public FROM public`,
        `GRANT pg_read_all_data TO ${role}`,
        `ALTER ROLE ${role} SUPERUSER`,
      ];
      for (const change of changes) {
        await database.query(change);
        seen.push(await read());
      }
      expect(new Set(seen).size).toBe(changes.length + 1);
    } finally {
      await client.query('RESET ROLE');
      client.release();
      await database.pool.query(
        `DROP OWNED BY ${role}; DROP ROLE ${role}; GRANT USAGE ON SCHEMA public TO public`,
      );
    }
  });

  it('stays as it is through writes, maintenance and temporary tables', async () => {
    const before = await fingerprint();
    const client = await database.pool.connect();
    try {
      await client.query('UPDATE base SET tally = id + 1');
      await client.query('VACUUM ANALYZE base');
      await client.query(
        'CREATE TEMP TABLE passing (id serial PRIMARY KEY, name text CHECK (name > 1::text))',
      );
      expect(await fingerprint()).toBe(before);
      await client.query('DROP TABLE passing');
      expect(await fingerprint()).toBe(before);
    } finally {
      client.release();
    }
  });
});
