import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import type { Catalog } from '@plinth/schema';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, testServerUrl, type TestDatabase } from '../../test/kit/database.js';
import { CommonModule } from '../common/common.module.js';
import { parseConfig } from '../common/config/index.js';
import { DatabaseModule, SystemSchema1763900000000 } from '../common/database/index.js';
import { createLogger } from '../common/observability/index.js';
import { catalogMigrations, CatalogModule, CatalogService } from './index.js';
import { newRoleName } from '../../test/kit/role-name.js';
import { SOON } from '../../test/kit/soon.js';

@Module({ imports: [CatalogModule] })
class ApplicationModule {}

interface Instance {
  readonly catalog: CatalogService;
  /** Resolves when the instance sees a collection with this field; gives the milliseconds it took. */
  readonly untilSeen: (collection: string, field: string) => Promise<void>;
  readonly changes: readonly Catalog[];
  readonly log: readonly string[];
}

const silent = createLogger({ logLevel: 'silent', logFormat: 'json' });

let database: TestDatabase;
let running: TestingModule[];

async function startInstance(url = database.url): Promise<Instance> {
  const config = parseConfig({ DATABASE_URL: url });
  const log: string[] = [];
  const write = (data: object, message: string): void => {
    log.push('by' in data ? `${message} by ${String(data.by)}` : message);
  };
  const logger = Object.assign(Object.create(silent), { info: write, warn: write, error: write });
  const module = await Test.createTestingModule({
    imports: [
      CommonModule.forRoot(config, logger),
      DatabaseModule.forRoot([SystemSchema1763900000000, ...catalogMigrations]),
      ApplicationModule,
    ],
  }).compile();
  await module.init();
  running.push(module);
  const catalog = module.get(CatalogService);
  const changes: Catalog[] = [];
  catalog.onChange((next) => changes.push(next));
  const untilSeen = (collection: string, field: string): Promise<void> =>
    vi.waitFor(
      () =>
        expect([...(catalog.current().collections.get(collection)?.fields.keys() ?? [])]).toContain(field),
      SOON,
    );
  return { catalog, changes, log, untilSeen };
}

/** A role that owns the schema of Plinth and may do nothing special. */
async function createPlainRole(): Promise<{ name: string; url: string; drop: () => Promise<void> }> {
  const name = newRoleName();
  await database.query(`CREATE ROLE ${name} LOGIN PASSWORD 'plain'`);
  await database.query(`GRANT CREATE ON DATABASE ${database.name} TO ${name}`);
  const url = new URL(database.url);
  url.username = name;
  url.password = 'plain';
  const drop = async (): Promise<void> => {
    await database.query(`DROP OWNED BY ${name} CASCADE`);
    await database.query(`DROP ROLE ${name}`);
  };
  return { name, url: url.href, drop };
}

const listEventTriggers = (): Promise<unknown[]> =>
  database.query('SELECT evtname, evtevent, evtenabled FROM pg_event_trigger ORDER BY 1');

beforeEach(async () => {
  running = [];
  database = await createTestDatabase({ sql: 'CREATE TABLE posts (id int PRIMARY KEY)' });
});
afterEach(async () => {
  for (const module of running) await module.close();
  await database.drop();
});

describe('a role that may create event triggers', () => {
  it('has the catalog when the application has started', async () => {
    const { catalog } = await startInstance();
    expect([...catalog.current().collections.keys()]).toEqual(['posts']);
  });

  it('follows every change on every instance', async () => {
    const instances = await Promise.all([startInstance(), startInstance(), startInstance()]);
    expect(instances.map(({ log }) => log.at(-1))).toEqual(
      instances.map(() => 'Schema changes are followed by event triggers'),
    );
    const steps: readonly [string, string, string][] = [
      ['ALTER TABLE posts ADD title text', 'posts', 'title'],
      ['CREATE TABLE tags (id int)', 'tags', 'id'],
      ['CREATE TABLE copies AS SELECT 1 AS one', 'copies', 'one'],
      ['CREATE VIEW seen AS SELECT id AS number FROM posts', 'seen', 'number'],
      ['ALTER TABLE tags RENAME id TO key', 'tags', 'key'],
    ];
    for (const [change, collection, field] of steps) {
      await database.query(change);
      await Promise.all(instances.map(({ untilSeen }) => untilSeen(collection, field)));
    }
    await database.query('DROP TABLE tags');
    for (const { catalog } of instances) {
      await vi.waitFor(() => expect(catalog.current().collections.has('tags')).toBe(false), SOON);
    }
  });

  it('creates the triggers once, for replaying sessions too, and again where they were dropped', async () => {
    await Promise.all([startInstance(), startInstance()]);
    const triggers = [
      { evtname: 'plinth_catalog_change', evtevent: 'ddl_command_end', evtenabled: 'A' },
      { evtname: 'plinth_catalog_drop', evtevent: 'sql_drop', evtenabled: 'A' },
    ];
    expect(await listEventTriggers()).toEqual(triggers);
    await database.query('DROP EVENT TRIGGER plinth_catalog_change');
    await startInstance();
    expect(await listEventTriggers()).toEqual(triggers);
  });

  it('hears of changes that a plain role makes, and makes the triggers its own', async () => {
    const plain = await createPlainRole();
    try {
      // The plain role's instance comes first, so the function belongs to that role.
      await startInstance(plain.url);
      const { untilSeen } = await startInstance();
      expect(
        await database.query(
          `SELECT r.rolsuper FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner WHERE proname = 'notify_catalog_change'`,
        ),
      ).toEqual([{ rolsuper: true }]);
      const client = await database.pool.connect();
      try {
        await client.query('GRANT CREATE ON SCHEMA public TO public');
        await client.query(`SET ROLE ${plain.name}`);
        await client.query("CREATE TABLE mine (id int); COMMENT ON TABLE mine IS 'x'");
        await untilSeen('mine', 'id');
      } finally {
        await client.query('RESET ROLE');
        client.release();
      }
    } finally {
      for (const module of running.splice(0)) await module.close();
      await plain.drop();
    }
  });

  it('stays silent about temporary tables', async () => {
    await startInstance();
    const client = await database.pool.connect();
    const heard: string[] = [];
    try {
      client.on('notification', ({ channel }) => heard.push(channel));
      await client.query('LISTEN plinth_catalog');
      await client.query("CREATE TEMP TABLE passing (id serial PRIMARY KEY, name text DEFAULT 'x')");
      await client.query('ALTER TABLE passing ADD other int');
      await client.query('DROP TABLE passing');
      expect(heard).toEqual([]);
      await client.query('CREATE TABLE lasting (id int)');
      await client.query('DROP TABLE lasting');
      expect(heard).toEqual(['plinth_catalog', 'plinth_catalog']);
    } finally {
      client.release(true);
    }
  });

  it('says nothing of changes that leave the catalog as it is', async () => {
    const { catalog, changes, untilSeen } = await startInstance();
    const before = catalog.current();
    await database.query('CREATE SCHEMA elsewhere CREATE TABLE unseen (id int)');
    await database.query("CREATE FUNCTION nothing() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    expect(await catalog.refresh()).toBe(before);
    expect(changes).toEqual([]);
    await database.query('ALTER TABLE posts ADD title text');
    await untilSeen('posts', 'title');
    expect(changes).toEqual([catalog.current()]);
    expect([...(before.collections.get('posts')?.fields.keys() ?? [])]).toEqual(['id']);
  });
});

describe('a role that may not', () => {
  it('follows changes by looking for them', async () => {
    const plain = await createPlainRole();
    try {
      const { untilSeen, log } = await startInstance(plain.url);
      expect(log.join('\n')).toMatch(/polling/);
      expect(await listEventTriggers()).toEqual([]);
      await database.query('ALTER TABLE posts ADD title text');
      await untilSeen('posts', 'title');
      await database.query('CREATE TABLE tags (key int)');
      await untilSeen('tags', 'key');
    } finally {
      for (const module of running.splice(0)) await module.close();
      await plain.drop();
    }
  });
});

describe('a table that somebody holds exclusively', () => {
  it('neither delays the start nor other changes, and is read in full afterwards', async () => {
    await database.query('ALTER TABLE posts ADD CONSTRAINT positive CHECK (id > 0)');
    const definition = (): string | undefined =>
      instance.catalog.current().collections.get('posts')?.checks[0]?.definition;
    const holder = await database.pool.connect();
    let instance: Instance;
    try {
      await holder.query('BEGIN; LOCK TABLE posts IN ACCESS EXCLUSIVE MODE');
      instance = await startInstance();
      expect(definition()).toBe('');
      await database.query('CREATE TABLE tags (id int)');
      await instance.untilSeen('tags', 'id');
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
    }
    await vi.waitFor(() => expect(definition()).toBe('CHECK ((id > 0))'), { timeout: 10_000 });
  });
});

describe('refresh', () => {
  it('gives what was there when it was called, however many call', async () => {
    const { catalog } = await startInstance();
    await database.query('DROP EVENT TRIGGER plinth_catalog_change; DROP EVENT TRIGGER plinth_catalog_drop');
    const early = catalog.refresh();
    await database.query('ALTER TABLE posts ADD title text');
    const late = await Promise.all([catalog.refresh(), catalog.refresh(), catalog.refresh()]);
    for (const { collections } of late) expect(collections.get('posts')?.fields.has('title')).toBe(true);
    await early;
    expect(catalog.current()).toBe(late[0]);
  });

  it('goes on with the other listeners where one fails', async () => {
    const { catalog, log } = await startInstance();
    const seen: string[] = [];
    catalog.onChange(() => {
      throw new Error('a mistake');
    });
    catalog.onChange(({ version }) => seen.push(version));
    await database.query('ALTER TABLE posts ADD title text');
    await catalog.refresh();
    expect(seen).toEqual([catalog.current().version]);
    expect(log).toContain('A listener to catalog changes failed');
  });
});

describe('a lost database', () => {
  it('leaves the last catalog in force, and what changed meanwhile is seen afterwards', async () => {
    const { catalog, untilSeen, log } = await startInstance();
    const before = catalog.current();
    const outside = new Client({ connectionString: testServerUrl() });
    await outside.connect();
    // Connected already, so it is the only one that gets through.
    const inside = await database.pool.connect();
    try {
      const { rows } = await inside.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await outside.query(`ALTER DATABASE ${database.name} ALLOW_CONNECTIONS false`);
      await outside.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> $2',
        [database.name, rows[0]?.pid],
      );
      await expect(catalog.refresh()).rejects.toThrow(/not currently accepting|terminat/i);
      await inside.query('ALTER TABLE posts ADD title text');
      expect(catalog.current()).toBe(before);
      await outside.query(`ALTER DATABASE ${database.name} ALLOW_CONNECTIONS true`);
    } finally {
      inside.release();
      await outside.end();
    }
    await untilSeen('posts', 'title');
    expect(log.filter((line) => line === 'The catalog cannot be read').length).toBeLessThanOrEqual(1);
  });
});
