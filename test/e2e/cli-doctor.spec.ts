import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { insertAdminKey } from '../kit/admin-key.js';
import { createTestDatabase, type TestDatabase } from '../kit/database.js';
import {
  BUILD_TIMEOUT_MS,
  ensureBuilt,
  REPOSITORY,
  runPlinth,
  servePlinth,
  type Outcome,
} from '../kit/plinth-process.js';
import { newRoleName } from '../kit/role-name.js';

// Every test starts processes, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const NOBODY = 65_534;
/** Only root can become somebody else, who may be unable to enter the folder of the repository. */
const canBeNobody =
  process.geteuid?.() === 0 &&
  spawnSync(process.execPath, ['--check', join(REPOSITORY, 'scripts/start.mjs')], {
    cwd: '/',
    uid: NOBODY,
    gid: NOBODY,
  }).status === 0;

/** Roles belong to the whole server, which other tests share. */
const ROLE = newRoleName();
const PASSWORD = 's3cret';

let database: TestDatabase;
beforeAll(async () => {
  await ensureBuilt();
  database = await createTestDatabase({
    sql: `
      CREATE ROLE ${ROLE} LOGIN PASSWORD '${PASSWORD}';
      REVOKE USAGE ON SCHEMA public FROM public;
      CREATE TABLE orders (id serial PRIMARY KEY, total int NOT NULL);
      CREATE TABLE customers (id int PRIMARY KEY);`,
  });
  await database.query(`REVOKE CONNECT, TEMPORARY ON DATABASE "${database.name}" FROM public`);
}, BUILD_TIMEOUT_MS);
afterAll(async () => {
  await database?.query(`DROP OWNED BY ${ROLE} CASCADE`);
  await database?.query(`DROP ROLE ${ROLE}`);
  await database?.drop();
});

/** The address of the test's database, with some parts changed. */
function address(parts: { user?: string; password?: string; database?: string; port?: string } = {}): string {
  const url = new URL(database.url);
  if (parts.user !== undefined) url.username = parts.user;
  if (parts.password !== undefined) url.password = parts.password;
  if (parts.database !== undefined) url.pathname = `/${parts.database}`;
  if (parts.port !== undefined) url.port = parts.port;
  return url.href;
}

const doctor = (
  env: Record<string, string>,
  options: { cwd?: string; uid?: number } = {},
): Promise<Outcome> => runPlinth(['doctor'], { env: { PORT: '0', ...env }, ...options });

/** Lines of the report that are not `ok`, with their advice. */
const complaints = ({ stdout }: Outcome): string =>
  stdout
    .split('\n')
    .filter((line) => !line.startsWith('ok '))
    .join('\n');

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-doctor-'));
  await chmod(folder, 0o755);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe('plinth doctor', () => {
  it('finds nothing wrong where nothing is, and says what it looked at on stdout alone', async () => {
    const { code, stdout, stderr } = await doctor({ DATABASE_URL: database.url });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const line of stdout.trimEnd().split('\n')) expect(line).toMatch(/^ok {7}\S/);
    for (const part of [
      'Node.js',
      'configuration',
      'port',
      'PostgreSQL',
      '"plinth"',
      '"public"',
      'schema changes',
    ])
      expect(stdout).toContain(part);
  });

  it('tells every mistake of the configuration, and which variable to correct', async () => {
    const { code, stdout } = await doctor({ PORT: 'abc', PLINTH_POOL: '3' });
    expect(code).toBe(1);
    expect(stdout).toContain(
      'FAILED   PORT must be a whole number from 0 to 65535\n         -> Correct or unset PORT.\n',
    );
    expect(stdout).toContain('-> Correct or unset PLINTH_POOL.\n');
  });

  it('tells that the port is taken by another program', async () => {
    const other = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi'));
    await new Promise<void>((resolve) => {
      other.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const outcome = await doctor({ DATABASE_URL: database.url, PORT: String(port) });
    expect(outcome.code).toBe(1);
    expect(complaints(outcome)).toBe(
      `FAILED   the port ${port} of 127.0.0.1 is taken by another process\n` +
        `         -> Stop that one, or set PORT to another port; 0 takes a free one.\n`,
    );
    // So does a start, and not in other words beside these.
    const own = await createTestDatabase();
    onTestFinished(() => own.drop());
    const start = await runPlinth(['start'], { env: { DATABASE_URL: own.url, PORT: String(port) } });
    expect(start.code).toBe(1);
    expect(start.stderr).toMatch(
      new RegExp(`^The port ${port} of 127.0.0.1 is taken by another process`, 'm'),
    );
    expect(start.stdout + start.stderr).not.toContain('EADDRINUSE');
  });

  it('tells that the address is none of this machine', async () => {
    const outcome = await doctor({ DATABASE_URL: database.url, HOST: '192.0.2.1' });
    expect(outcome.code).toBe(1);
    expect(complaints(outcome)).toMatch(/FAILED {3}nothing can listen on .*192\.0\.2\.1.*\n.*-> Set HOST/);
  });

  it.each([
    {
      what: 'where nothing listens',
      parts: { port: '1' },
      says: /ECONNREFUSED.*\n.*-> Start PostgreSQL, or correct host and port/,
    },
    {
      what: 'with a wrong password',
      parts: { user: ROLE, password: 'wr0ng' },
      says: /password authentication failed.*\n.*-> Correct the user and the password/,
    },
    {
      what: 'that is not there',
      parts: { database: 'nowhere' },
      says: /"nowhere" does not exist\n.*-> Correct the name of the database, or make it: CREATE DATABASE "nowhere";/,
    },
  ])('tells why a database $what cannot be reached, without the password', async ({ parts, says }) => {
    const outcome = await doctor({ DATABASE_URL: address(parts) });
    expect(outcome).toMatchObject({ code: 1, stderr: '' });
    expect(complaints(outcome)).toMatch(says);
    expect(outcome.stdout).toContain(':***@');
    expect(outcome.stdout).not.toMatch(/wr0ng|s3cret/);
  });

  it('advises, one after the other, all the grants that a bare role needs, with which the server then works', async () => {
    const env = { DATABASE_URL: address({ user: ROLE, password: PASSWORD }) };
    // Left there by somebody else, as after a start with another role.
    await database.query(
      `CREATE SCHEMA plinth; CREATE TABLE plinth.migrations (id int); REVOKE ALL ON SCHEMA plinth FROM public`,
    );
    const advised: string[] = [];
    let last = '';
    for (let turn = 0; turn < 10; turn += 1) {
      const outcome = await doctor(env);
      expect(outcome.code).toBe(/^FAILED/m.test(outcome.stdout) ? 1 : 0);
      const advice = [...complaints(outcome).matchAll(/^ +(?:->.*?)?((?:GRANT|CREATE|ALTER) .*;)$/gm)];
      last = complaints(outcome);
      if (advice.length === 0) break;
      for (const [, statement = ''] of advice) {
        advised.push(statement);
        await database.query(statement);
      }
    }
    expect(last).toBe('');
    expect(advised).toEqual([
      `GRANT CONNECT ON DATABASE "${database.name}" TO "${ROLE}";`,
      `ALTER SCHEMA "plinth" OWNER TO "${ROLE}";`,
      `CREATE SCHEMA "plinth_jobs" AUTHORIZATION "${ROLE}";`,
      `GRANT USAGE ON SCHEMA "public" TO "${ROLE}";`,
      `ALTER TABLE "plinth"."migrations" OWNER TO "${ROLE}";`,
      `GRANT SELECT, INSERT, UPDATE, DELETE ON "public"."customers", "public"."orders" TO "${ROLE}";`,
      `GRANT USAGE ON SEQUENCE "public"."orders_id_seq" TO "${ROLE}";`,
    ]);

    await database.query('DROP TABLE plinth.migrations');
    const server = await servePlinth({ env });
    const key = await insertAdminKey(database.url);
    const answer = await fetch(`${server.url}/api/orders`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'application/json' },
      body: '{"total": 3}',
    });
    expect(answer.status).toBe(201);
    expect((await server.stop()).code).toBe(0);
  });

  it('tells that the role may not make the schema "plinth", and what an administrator has to say', async () => {
    await database.query('DROP SCHEMA IF EXISTS plinth CASCADE');
    await database.query(`GRANT CONNECT ON DATABASE "${database.name}" TO ${ROLE}`);
    const outcome = await doctor({ DATABASE_URL: address({ user: ROLE, password: PASSWORD }) });
    expect(outcome.code).toBe(1);
    expect(complaints(outcome)).toContain(
      `FAILED   the schema "plinth" is missing and this role may not create it\n` +
        `         -> As an administrator: CREATE SCHEMA "plinth" AUTHORIZATION "${ROLE}";\n`,
    );
  });

  it('warns of more connections than the database takes', async () => {
    const outcome = await doctor({
      DATABASE_URL: database.url,
      PLINTH_WORKERS: '8',
      PLINTH_POOL_SIZE: '1000',
    });
    expect(outcome.code).toBe(0);
    expect(complaints(outcome)).toMatch(
      /^warning {2}Plinth may need 8064 connections, and the database takes \d+ for this role\n +-> Lower PLINTH_WORKERS/,
    );
  });

  it('tells that an exposed schema is missing', async () => {
    const outcome = await doctor({ DATABASE_URL: database.url, PLINTH_SCHEMAS: 'public,shop' });
    expect(outcome.code).toBe(1);
    expect(complaints(outcome)).toBe(
      'FAILED   the schema "shop" does not exist\n         -> Create it, or correct PLINTH_SCHEMAS.\n',
    );
  });
});

describe('a PostgreSQL that is too old', () => {
  let old: TestDatabase;
  beforeAll(async () => {
    // It says of itself that it is one: Plinth believes its settings.
    old = await createTestDatabase({
      sql: `
        CREATE SCHEMA old;
        CREATE FUNCTION old.current_setting(name text) RETURNS text LANGUAGE sql AS $$
          SELECT CASE name WHEN 'server_version' THEN '13.23' WHEN 'server_version_num' THEN '130023'
                           ELSE pg_catalog.current_setting(name) END $$;`,
    });
    await old.query(`ALTER DATABASE "${old.name}" SET search_path = old, pg_catalog, public`);
  });
  afterAll(() => old?.drop());

  it('is told by `doctor`, with what is needed', async () => {
    const outcome = await doctor({ DATABASE_URL: old.url });
    expect(outcome.code).toBe(1);
    expect(complaints(outcome)).toMatch(/FAILED {3}PostgreSQL 13\.23 at .*\n.*-> .*PostgreSQL 14 or later/);
  });

  it('is refused by `start`, in words', async () => {
    const { code, stderr } = await runPlinth(['start'], { env: { DATABASE_URL: old.url, PORT: '0' } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^DATABASE_URL leads to PostgreSQL 13; Plinth needs version 14 or later\.$/m);
    expect(stderr).not.toMatch(/\n {4}at /);
  });
});

describe('the data folder', () => {
  it('is not made by looking at it', async () => {
    const cwd = await makeFolder();
    const { code, stdout } = await doctor({}, { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain(`ok       the data folder ${join(cwd, '.plinth')} will be made\n`);
    expect(existsSync(join(cwd, '.plinth'))).toBe(false);
  });

  it('is told when it is a file', async () => {
    const folder = await makeFolder();
    await writeFile(join(folder, 'file'), '');
    const outcome = await doctor({ PLINTH_DATA_DIR: join(folder, 'file') });
    expect(outcome.code).toBe(1);
    expect(complaints(outcome)).toMatch(/cannot be written: .*is not a folder\n.*-> .*PLINTH_DATA_DIR/);
  });

  it('is told when the link in it leads nowhere', async () => {
    const folder = await makeFolder();
    await symlink(join(folder, 'gone'), join(folder, 'postgres'));
    const outcome = await doctor({ PLINTH_DATA_DIR: folder });
    expect(outcome.code).toBe(1);
    expect(complaints(outcome)).toMatch(/FAILED .*cannot be used\n.*-> .*link to a folder that is gone/);
  });

  it.runIf(canBeNobody)('is told when this user may not write there, and `start` says the same', async () => {
    const folder = join(await makeFolder(), 'roots');
    await mkdir(folder, { mode: 0o755 });
    const env = { PLINTH_DATA_DIR: join(folder, 'data'), PORT: '0' };
    const outcome = await doctor(env, { uid: NOBODY });
    expect(outcome.code).toBe(1);
    expect(complaints(outcome)).toMatch(/cannot be written: EACCES.*\n.*-> Give this user the folder/);
    const { code, stderr } = await runPlinth(['start'], { env, uid: NOBODY });
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot be used: EACCES.*PLINTH_DATA_DIR/);
    expect(stderr).not.toMatch(/\n {4}at /);
  });
});
