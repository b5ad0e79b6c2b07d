import { DataSource } from 'typeorm';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemDataSourceOptions } from '../../src/common/database/index.js';
import { OWN_SCHEMAS } from '../../src/common/database/system-schema.js';
import { migrations } from '../../src/migrations.js';
import { startTestApp } from '../kit/app.js';
import { createTestDatabase, type TestDatabase } from '../kit/database.js';
import { listSchemas } from '../kit/schema-listing.js';

/** Rows of what only later migrations know, which an earlier state has no place for. */
const ROWS = `
  INSERT INTO plinth.roles (name) VALUES ('editor');
  INSERT INTO plinth.policies (role, collection, action) VALUES ('anonymous', 'public.notes', 'read');
  INSERT INTO plinth.api_keys (name, prefix, hash, roles)
    VALUES ('a key', 'pk', decode(repeat('00', 32), 'hex'), '{editor,anonymous}');
  INSERT INTO plinth.users (id, email, is_anonymous) VALUES
    ('00000000-0000-0000-0000-000000000001', 'ada@example.org', false),
    ('00000000-0000-0000-0000-000000000002', NULL, true);
  INSERT INTO plinth.user_identities (id, user_id, provider, issuer, subject)
    VALUES ('00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000001', 'acme', 'https://a', 'ada');
  INSERT INTO plinth.user_roles (user_id, role, identity_id) VALUES
    ('00000000-0000-0000-0000-000000000001', 'editor', NULL),
    ('00000000-0000-0000-0000-000000000001', 'editor', '00000000-0000-0000-0000-000000000003');
  INSERT INTO plinth.sessions (id, user_id, kind, family_hash, address, expires_at, amr)
    SELECT '00000000-0000-0000-0000-000000000004', id, 'cookie', decode(repeat('00', 32), 'hex'), '::1', now(), '{otp}'
    FROM plinth.users WHERE email IS NOT NULL;
  INSERT INTO plinth.sessions (user_id, kind, family_hash, address, expires_at, amr, acting_session_id)
    SELECT user_id, kind, family_hash, address, expires_at, amr, id FROM plinth.sessions;
  INSERT INTO plinth.user_totp (user_id, secret, last_step) SELECT id, 'x', 1 FROM plinth.users;
  INSERT INTO plinth.passkeys (user_id, credential_id, public_key, counter, transports, is_synced, name)
    SELECT id, 'x', 'x', 0, '{}', true, 'x' FROM plinth.users LIMIT 1;
  INSERT INTO plinth.one_time_tokens (hash, purpose, data, expires_at)
    VALUES (decode(repeat('00', 32), 'hex'), 'provider-state', '{"from": "x"}', now())`;

const timeOf = ({ name }: { readonly name: string }): string => name.slice(-13);

/** In the order in which they run: the time is in their names. */
const inOrder = migrations.toSorted((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1));

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase({ sql: OWN_SCHEMAS.map((name) => `CREATE SCHEMA ${name}`).join(';') });
  onTestFinished(() => database.drop());
});

async function withMigrations(count: number, use: (source: DataSource) => Promise<unknown>): Promise<void> {
  const source = new DataSource(systemDataSourceOptions(database.url, inOrder.slice(0, count)));
  await source.initialize();
  try {
    await use(source);
  } finally {
    await source.destroy();
  }
}

const up = (count = inOrder.length): Promise<void> =>
  withMigrations(count, (source) => source.runMigrations({ transaction: 'each' }));
const down = (count: number): Promise<void> =>
  withMigrations(count, (source) => source.undoLastMigration({ transaction: 'each' }));
const list = (): Promise<readonly string[]> => listSchemas(database, OWN_SCHEMAS);

describe('the migrations of Plinth’s own tables', () => {
  it.each(['without rows', 'with rows'])(
    'are each undone to what was before it, and run again, %s',
    async (rows) => {
      const states: (readonly string[])[] = [];
      for (let count = 0; count <= inOrder.length; count += 1) {
        await up(count);
        states.push(await list());
      }
      expect(new Set(states.map((state) => state.join('\n'))).size).toBe(states.length);
      if (rows === 'with rows') await database.query(ROWS);
      for (let count = inOrder.length; count > 0; count -= 1) {
        await down(count);
        expect([inOrder[count - 1]?.name, await list()]).toEqual([
          inOrder[count - 1]?.name,
          states[count - 1],
        ]);
      }
      await up();
      expect(await list()).toEqual(states.at(-1));
    },
  );

  it('are undone one by one from anywhere, and run again', async () => {
    await up();
    const last = await list();
    for (let undone = 1; undone <= inOrder.length; undone += 1) {
      for (let count = inOrder.length; count > inOrder.length - undone; count -= 1) await down(count);
      await up();
      expect([undone, await list()]).toEqual([undone, last]);
    }
  });

  it('are undone after a server has run, which starts again on what is left', async () => {
    const serve = async (): Promise<readonly string[]> => {
      const app = await startTestApp({ database });
      try {
        expect((await app.admin('GET', '/system/jobs')).status).toBe(200);
        return await list();
      } finally {
        await app.close();
      }
    };
    const served = await serve();
    for (let count = inOrder.length; count > 0; count -= 1) await down(count);
    expect(await serve()).toEqual(served);
  });
});
