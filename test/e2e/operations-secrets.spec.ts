import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../kit/database.js';
import {
  BUILD_TIMEOUT_MS,
  ensureBuilt,
  runPlinth,
  servePlinth,
  type ServingProcess,
} from '../kit/plinth-process.js';
import { startPostgresProxy, type PostgresProxy } from '../kit/postgres-proxy.js';
import { newRoleName } from '../kit/role-name.js';

// Processes are started, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** A text that stands nowhere else. */
const secret = (name: string): string => `${name}${randomBytes(6).toString('hex')}`;

const PASSWORD = secret('Password');
const ROLE = newRoleName();
/** What clients send and what rows hold. */
const DATA = {
  body: secret('Body'),
  filter: secret('Filter'),
  search: secret('Search'),
  stored: secret('Stored'),
  raised: secret('Raised'),
  unexpected: secret('Unexpected'),
  broken: secret('Broken'),
  claim: secret('Claim'),
  password: secret('SignIn'),
};
/** What clients prove themselves with. */
const CREDENTIALS = {
  bearer: secret('Bearer'),
  basic: Buffer.from(`user:${secret('Basic')}`).toString('base64'),
  cookie: secret('Cookie'),
  unknownKey: `plinth_${secret('k')}`,
};

const SQL = `
  CREATE TABLE people (
    id int PRIMARY KEY, email text UNIQUE, pin text CHECK (length(pin) < 40), boss_id int REFERENCES people, born date
  );
  INSERT INTO people VALUES (1, '${DATA.stored}', '0000');
  CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF NEW.id = 600 THEN RAISE EXCEPTION 'not %', NEW.email; END IF;
    IF NEW.id = 601 THEN RAISE EXCEPTION 'not %', NEW.email USING ERRCODE = 'XX000'; END IF;
    IF NEW.id = 603 THEN PERFORM NEW.email::int; END IF;
    IF NEW.id = 604 THEN PERFORM pg_sleep(30); END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER refuse BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION refuse();
`;

describe('at the log level trace', () => {
  let database: TestDatabase;
  let proxy: PostgresProxy;
  let server: ServingProcess;
  let key: string;
  let commandLog: string;
  const answers: { readonly asked: string; readonly status: number; readonly text: string }[] = [];

  const ask = async (
    method: string,
    path: string,
    options: { readonly body?: unknown; readonly headers?: Record<string, string> } = {},
  ): Promise<number> => {
    const { body, headers = { 'x-api-key': key } } = options;
    const response = await fetch(server.url + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body),
    });
    const text = `${JSON.stringify([...response.headers])}${await response.text()}`;
    answers.push({ asked: `${method} ${path}`, status: response.status, text });
    return response.status;
  };
  const list = (parameters: Record<string, string>): Promise<number> =>
    ask('GET', `/api/people?${new URLSearchParams(parameters).toString()}`);
  const create = (body: unknown): Promise<number> => ask('POST', '/api/people', { body });

  beforeAll(async () => {
    await ensureBuilt();
    database = await createTestDatabase({ sql: SQL });
    await database.query(`CREATE ROLE ${ROLE} LOGIN SUPERUSER PASSWORD '${PASSWORD}'`);
    proxy = await startPostgresProxy(database.url);
    const url = new URL(proxy.url);
    [url.username, url.password] = [ROLE, PASSWORD];
    const env = { DATABASE_URL: url.href, PLINTH_LOG_LEVEL: 'trace' };
    const made = await runPlinth(['keys', 'create', '--role', 'admin', '--name', 'x'], { env });
    key = made.stdout.trim();
    commandLog = made.stderr;
    server = await servePlinth({ env: { ...env, PLINTH_STATEMENT_TIMEOUT: '1000' } });
  }, BUILD_TIMEOUT_MS);
  afterAll(async () => {
    await server?.stop();
    await proxy?.close();
    await database?.query(`DROP OWNED BY ${ROLE} CASCADE`).catch(() => {});
    await database?.drop();
  });

  it('requests of every kind are made', async () => {
    expect(await create({ id: 2, email: DATA.body, pin: '1234' })).toBe(201);
    expect(await list({ filter: `email == "${DATA.filter}"`, search: DATA.search, limit: '1' })).toBe(200);
    expect(await list({ sort: 'email', limit: '1' })).toBe(200);
    expect(await list({ filter: `emial == "${DATA.filter}"` })).toBe(400);
    expect(await list({ filter: `email == "${DATA.filter}` })).toBe(400);
    expect(await list({ cursor: DATA.filter })).toBe(400);
    expect(await create({ id: 3, email: DATA.stored })).toBe(409);
    expect(await create({ id: 4, boss_id: 99, email: DATA.body })).toBe(409);
    expect(await create({ id: 5, pin: DATA.body.repeat(5) })).toBe(422);
    expect(await create({ id: DATA.body })).toBe(422);
    expect(await create({ id: 6, born: DATA.body })).toBe(422);
    expect(await create(`{"id": 7, "email": "${DATA.broken}`)).toBe(400);
    expect(await create({ id: 600, email: DATA.raised })).toBeGreaterThanOrEqual(400);
    for (const id of [601, 603, 604])
      expect(await create({ id, email: DATA.unexpected })).toBeGreaterThanOrEqual(400);
    const claims = { body: { name: 'k', roles: ['admin'], claims: { token: DATA.claim } } };
    expect(await ask('POST', '/system/keys', claims)).toBe(201);
    expect(await ask('POST', '/system/keys', { body: { name: 'k', password: DATA.password } })).toBe(400);
    const operations = [{ method: 'POST', path: '/people', body: { id: 601, email: DATA.unexpected } }];
    expect(await ask('POST', '/api/batch', { body: { operations } })).toBeGreaterThanOrEqual(400);

    const credentials: readonly Record<string, string>[] = [
      { authorization: `Bearer ${CREDENTIALS.bearer}` },
      { authorization: `Basic ${CREDENTIALS.basic}` },
      { 'x-api-key': CREDENTIALS.unknownKey },
      { 'x-api-key': key.slice(0, -1) + (key.endsWith('x') ? 'y' : 'x') },
      { authorization: `Bearer ${key}`, 'x-api-key': CREDENTIALS.unknownKey },
    ];
    for (const headers of credentials) expect(await ask('GET', '/api/people', { headers })).toBe(401);
    expect(
      await ask('GET', '/api/people/1', {
        headers: { authorization: `Bearer ${key}`, cookie: `session=${CREDENTIALS.cookie}` },
      }),
    ).toBe(200);

    await proxy.cut();
    expect(await list({ filter: `email == "${DATA.filter}"` })).toBe(503);
    expect(await create({ id: 8, email: DATA.body })).toBe(503);
    expect(await ask('POST', '/system/keys', claims)).toBe(503);
    await proxy.restore();
  });

  it('the log has none of the secrets', async () => {
    await server.stop();
    const log = commandLog + server.stderr() + server.stdout();
    expect(log).toContain('"level":20');
    expect(log).toContain('"level":50');
    const sealed = await database.query<{ value: Buffer }>('SELECT value FROM plinth.secrets');
    const secrets = {
      ...DATA,
      ...CREDENTIALS,
      key: key.split('_')[2],
      password: PASSWORD,
      ...Object.fromEntries(
        sealed.flatMap(({ value }, at) => [
          [`secret ${at} in hex`, value.toString('hex')],
          [`secret ${at} in base64`, value.toString('base64')],
          [`secret ${at} as a buffer`, JSON.stringify([...value]).slice(1, -1)],
        ]),
      ),
    };
    const lines = log.split('\n');
    const leaked = Object.entries(secrets).flatMap(([name, text = '']) =>
      lines
        .filter((line) => line.toLowerCase().includes(text.toLowerCase()))
        .map((line) => `${name}: ${line}`),
    );
    expect(leaked).toEqual([]);
    expect(log).not.toMatch(/authorization|x-api-key":"plinth/i);
  });

  it('answers to mistakes have no credentials, and nothing of what rows, statements and the server hold', () => {
    const failures = answers.filter(({ status }) => status >= 400);
    expect(failures.length).toBeGreaterThan(20);
    const leaked = failures.filter(({ asked, text }) =>
      [
        PASSWORD,
        ROLE,
        key.split('_')[2] ?? '',
        ...Object.values(CREDENTIALS),
        'SELECT',
        'INSERT',
        '    at ',
      ].some((part) => text.includes(part) && !asked.includes(part)),
    );
    expect(leaked).toEqual([]);
    // Of those who were told that something is wrong on our side, nobody was told what.
    for (const { text } of failures.filter(({ status }) => status >= 500))
      for (const value of Object.values(DATA)) expect(text).not.toContain(value);
  });
});
