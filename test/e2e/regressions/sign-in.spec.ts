import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTestApp, type TestApp, type TestResponse } from '../../kit/app.js';
import { createTestDatabase, type TestDatabase } from '../../kit/database.js';
import {
  createPerson,
  forgetAttempts,
  PASSWORD,
  signIn,
  signInWithCookie,
  statusOf,
  statusWith,
  trySignIn,
  type SignedIn,
} from '../../kit/people.js';
import { countStatements, type CountedDatabase } from '../../kit/statement-counter.js';
import { SOON } from '../../kit/soon.js';

/** What a change on one instance has until it holds on the other. */
const WRONG = 'quite another one 99';

let database: TestDatabase;
let counted: CountedDatabase;
let app: TestApp;
/** Another instance on the same database. */
let other: TestApp;
beforeAll(async () => {
  database = await createTestDatabase({
    sql: `CREATE TABLE notes (id int PRIMARY KEY, owner_id uuid, body text); INSERT INTO notes VALUES (1, NULL, 'x');`,
  });
  counted = await countStatements(database);
  app = await startTestApp({ database: counted.database });
  other = await startTestApp({ database, config: { trustedProxies: ['loopback'] } });
});
beforeEach(() => forgetAttempts(app));
afterAll(async () => {
  await other?.close();
  await app?.close();
  await counted?.close();
  await database?.drop();
});

let count = 0;
const newPerson = (fields: object = {}): ReturnType<typeof createPerson> =>
  createPerson(app, `victim${(count += 1)}@example.org`, fields);

const refresh = (at: TestApp, refreshToken: string): Promise<TestResponse> =>
  at.request('POST', '/auth/refresh', { body: { refreshToken } });

/** Runs the same thing so many times at once; the statuses, and how often each came. */
async function atOnce(
  times: number,
  send: (index: number) => Promise<Response | TestResponse>,
): Promise<Record<number, number>> {
  const statuses: Record<number, number> = {};
  const answers = await Promise.all(Array.from({ length: times }, (_none, index) => send(index)));
  for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1;
  return statuses;
}

const bearing = (text: string): readonly Record<string, string>[] => [
  { authorization: `Bearer ${text}` },
  { 'x-api-key': text },
];

/** A request past the check against the documents. */
const post = (path: string, body: object, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(app.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

describe('[row 10] mass assignment', () => {
  const RIGHTS = {
    id: '00000000-0000-4000-8000-000000000000',
    roles: ['admin'],
    role: 'admin',
    claims: { admin: true },
    status: 'active',
    emailVerified: true,
    emailVerifiedAt: '2026-01-01T00:00:00Z',
    email_verified_at: '2026-01-01T00:00:00Z',
    createdAt: '2026-01-01T00:00:00Z',
    hash: 'x',
    isAdmin: true,
    app_metadata: { roles: ['admin'] },
    user: { roles: ['admin'] },
  };

  it('[row 10] gives nobody a right at sign-up, sign-in or in an account', async () => {
    const { email } = await newPerson();
    const { accessToken: key } = await signIn(app, email);
    const routes: readonly (readonly [string, string, object, string | null])[] = [
      ['POST', '/auth/sign-up', { email: 'mass@example.org', password: PASSWORD }, null],
      ['POST', '/auth/sign-in', { email, password: PASSWORD }, null],
      ['PATCH', '/auth/me', {}, key],
      ['POST', '/auth/password/change', { currentPassword: PASSWORD, newPassword: WRONG }, key],
    ];
    for (const [method, path, body, as] of routes) {
      for (const [name, value] of Object.entries(RIGHTS)) {
        const { status } = await fetch(app.url + path, {
          method,
          headers: {
            'content-type': 'application/json',
            ...(as === null ? {} : { authorization: `Bearer ${as}` }),
          },
          body: JSON.stringify({ ...body, [name]: value }),
        });
        expect([path, name, status]).toEqual([path, name, 400]);
      }
    }
    expect(await app.database.query(`SELECT FROM plinth.users WHERE email LIKE 'mass%'`)).toEqual([]);
  });

  it('[row 10] lets nobody write users, their roles or their secrets as records, not even an administrator', async () => {
    const { id, email } = await newPerson({ roles: ['admin'] });
    const { accessToken: key } = await signIn(app, email);
    const state = (): Promise<unknown> =>
      app.database.query(
        `SELECT u.*, (SELECT count(*) FROM plinth.user_roles) FROM plinth.users u ORDER BY id`,
      );
    const before = await state();
    const requests: readonly (readonly [string, string, unknown])[] = [
      ['POST', '/api/plinth.users', { email: 'made@example.org' }],
      ['PATCH', `/api/plinth.users/${id}`, { email: 'changed@example.org' }],
      ['PUT', `/api/plinth.users/${id}`, { email: 'changed@example.org' }],
      ['DELETE', `/api/plinth.users/${id}`, undefined],
      ['PATCH', '/api/plinth.users?filter=true', { status: 'active' }],
      ['DELETE', '/api/plinth.users?filter=true', undefined],
      ['POST', '/api/batch', { operations: [{ method: 'DELETE', path: `/plinth.users/${id}` }] }],
    ];
    for (const [method, path, body] of requests) {
      const { status } = await app.request(method, path, { key, body });
      expect([method, path, status >= 400]).toEqual([method, path, true]);
    }
    for (const table of [
      'user_roles',
      'user_passwords',
      'sessions',
      'signing_keys',
      'secrets',
      'one_time_tokens',
    ]) {
      for (const name of [table, `plinth.${table}`]) {
        expect((await app.request('GET', `/api/${name}`, { key })).status).toBe(404);
        expect((await app.request('POST', `/api/${name}`, { key, body: {} })).status).toBe(404);
      }
    }
    expect(await state()).toEqual(before);
    const { body } = await app.request('GET', `/api/plinth.users/${id}`, { key });
    expect(Object.keys(body as object).toSorted()).toEqual([
      'claims',
      'created_at',
      'email',
      'email_verified_at',
      'id',
      'is_anonymous',
      'profile',
      'status',
      'updated_at',
      'username',
    ]);
  });
});

describe('[row 11, row 12] a token', () => {
  /** Ways in which a session ends, by whoever ends it. */
  const ENDS: readonly (readonly [string, (id: string, session: SignedIn) => Promise<unknown>])[] = [
    [
      'a new password by its user',
      (_id, { accessToken }) =>
        app.request('POST', '/auth/password/change', {
          key: accessToken,
          body: { currentPassword: PASSWORD, newPassword: WRONG },
        }),
    ],
    [
      'a new password by an administrator',
      (id) => app.admin('PATCH', `/system/users/${id}`, { password: WRONG }),
    ],
    ['sign-out', (_id, { accessToken }) => app.request('POST', '/auth/sign-out', { key: accessToken })],
    [
      'its end in the list',
      (_id, { accessToken }) =>
        app.admin('DELETE', `/system/sessions/${String(decodeJwt(accessToken)['sid'])}`),
    ],
    ['the end of all', (id) => app.admin('POST', `/system/users/${id}/sign-out`)],
    ['a block', (id) => app.admin('POST', `/system/users/${id}/block`)],
    ['deletion', (id) => app.admin('DELETE', `/system/users/${id}`)],
    [
      'a block in SQL',
      (id) => app.database.query(`UPDATE plinth.users SET status = 'blocked' WHERE id = $1`, [id]),
    ],
    ['deletion in SQL', (id) => app.database.query('DELETE FROM plinth.users WHERE id = $1', [id])],
    ['the end of everybody in SQL', () => app.database.query('DELETE FROM plinth.sessions')],
  ];

  it.each(ENDS)('[row 11] [row 12] is dead after %s, on every instance within a second', async (how, end) => {
    const { id, email } = await newPerson();
    const session = await signIn(app, email);
    const cookie = await signInWithCookie(other, email);
    expect(await statusOf(other, session.accessToken)).toBe(200);
    await end(id, session);
    const asBrowser = (): Promise<number> => statusWith(other, { cookie });
    // Where one session ends, others go on.
    const browser = how === 'sign-out' || how === 'its end in the list' ? 200 : 401;
    await vi.waitFor(async () => {
      expect([
        await statusOf(app, session.accessToken),
        await statusOf(other, session.accessToken),
        await asBrowser(),
      ]).toEqual([401, 401, browser]);
    }, SOON);
    for (const at of [app, other]) expect((await refresh(at, session.refreshToken)).status).toBe(401);
    // Nor does it come back to life with its user.
    await app.database.query(`UPDATE plinth.users SET status = 'active' WHERE id = $1`, [id]);
    expect(await statusOf(app, session.accessToken)).toBe(401);
  });

  it('[row 12] has the roles that its user has now', async () => {
    const { id, email } = await newPerson({ roles: ['admin'] });
    const { accessToken: key } = await signIn(app, email);
    const manage = async (at: TestApp): Promise<number> =>
      (await at.request('GET', '/system/users', { key })).status;
    expect([await manage(app), await manage(other)]).toEqual([200, 200]);
    await app.admin('PATCH', `/system/users/${id}`, { roles: [] });
    expect(await manage(app)).toBe(403);
    await vi.waitFor(async () => expect(await manage(other)).toBe(403), SOON);
    await app.database.query(`INSERT INTO plinth.user_roles VALUES ($1, 'admin')`, [id]);
    await vi.waitFor(async () => expect([await manage(app), await manage(other)]).toEqual([200, 200]), SOON);
  });
});

describe('[row 13] what is good once', () => {
  it('[row 13] is used once by fifty at once: a refresh token', async () => {
    const { email } = await newPerson();
    const { refreshToken, accessToken } = await signIn(app, email);
    const answers = await atOnce(50, () => post('/auth/refresh', { refreshToken }));
    expect(answers).toEqual({ 200: 1, 409: 49 });
    expect(await statusOf(app, accessToken)).toBe(200);
  });

  it('[row 13] is used once by twenty at once: an address at sign-up', async () => {
    const email = 'crowd@example.org';
    expect(await atOnce(20, () => post('/auth/sign-up', { email, password: PASSWORD }))).toMatchObject({
      202: 5,
    });
    const rows = await app.database.query('SELECT FROM plinth.users WHERE email = $1', [email]);
    expect(rows).toHaveLength(1);
  });
});

describe('[row 18] an account', () => {
  it('[row 18] is not told from none by the answer, nor by the work for it', async () => {
    const { email } = await newPerson();
    const blocked = await newPerson();
    await app.admin('POST', `/system/users/${blocked.id}/block`);
    const { body: bare } = await app.admin('POST', '/system/users', { email: 'bare@example.org' });
    expect(bare.email).toBe('bare@example.org');
    const kinds = [email, 'nobody@example.org', blocked.email, 'bare@example.org'];
    for (const path of ['/auth/sign-in', '/auth/sign-up', '/auth/password/forgot', '/auth/code']) {
      const hasPassword = path.startsWith('/auth/sign');
      const bodyOf = (address: string): object =>
        hasPassword ? { email: address, password: WRONG } : { email: address };
      const seen: unknown[] = [];
      for (const address of kinds) {
        await forgetAttempts(app);
        // Of the first one, connections are made and plans.
        await post(path, bodyOf(address));
        await app.database.query(`DELETE FROM plinth.users WHERE email LIKE 'nobody%'`);
        let answer: Response | undefined;
        const statements = await counted.list(async () => {
          answer = await post(path, bodyOf(address));
        });
        const { requestId: _id, ...body } = JSON.parse((await answer?.text()) || '{}') as Record<
          string,
          unknown
        >;
        const headers = [...(answer?.headers ?? [])].filter(([name]) => !/^(date|x-request-id)$/.test(name));
        seen.push({
          status: answer?.status,
          body,
          headers,
          statements: statements.filter((text) => !/user_passwords \(/.test(text)),
        });
      }
      for (const one of seen) expect(one).toEqual(seen[0]);
    }
  });
});

describe('[row 19] guessing', () => {
  const guess = (email: string, password: string, from: string): Promise<Response> =>
    fetch(`${other.url}/auth/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
      body: JSON.stringify({ email, password }),
    });

  it('[row 19] at one account is slowed down, and the right password does not get through meanwhile', async () => {
    const { email } = await newPerson();
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 7; attempt += 1)
      statuses.push((await guess(email, `${WRONG}${attempt}`, '203.0.113.1')).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
    const refused = await guess(email, PASSWORD, '203.0.113.1');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    // Its owner, elsewhere, is not held up.
    expect((await guess(email, PASSWORD, '198.51.100.1')).status).toBe(200);
  });

  it('[row 19] is counted alike where there is no account', async () => {
    const { email } = await newPerson();
    for (const address of [email, 'absent@example.org']) {
      const statuses = await atOnce(12, (index) => guess(address, `${WRONG}${index}`, '203.0.113.2'));
      expect(statuses).toEqual({ 401: 5, 429: 7 });
    }
  });

  it('[row 19] from ever new addresses is slowed down too, and never locks out who signed in there before', async () => {
    const { email } = await newPerson();
    expect((await guess(email, PASSWORD, '198.51.100.7')).status).toBe(200);
    const statuses = await atOnce(60, (index) => guess(email, WRONG, `203.0.113.${index + 10}`));
    expect(statuses).toEqual({ 401: 30, 429: 30 });
    await app.database.query(
      `UPDATE plinth.sign_in_attempts SET next_at = now() + interval '1 minute' WHERE failures > 20`,
    );
    expect((await guess(email, PASSWORD, '203.0.113.200')).status).toBe(429);
    expect((await guess(email, PASSWORD, '198.51.100.7')).status).toBe(200);
    const [row] = await app.database.query<{ longest: string }>(
      `SELECT max(extract(epoch FROM next_at - now())) AS longest FROM plinth.sign_in_attempts`,
    );
    expect(Number(row?.longest)).toBeLessThanOrEqual(900);
  });

  it('[row 19] is not moved to another address by what a client says of itself', async () => {
    const { email } = await newPerson();
    const forged: readonly Record<string, string>[] = [
      { 'x-forwarded-for': '1.2.3.4' },
      { forwarded: 'for=1.2.3.4' },
      { 'x-real-ip': '1.2.3.4' },
      { 'x-client-ip': '1.2.3.4' },
      { 'cf-connecting-ip': '1.2.3.4' },
      { 'x-forwarded-for': '5.6.7.8' },
      { 'x-forwarded-for': '::1' },
    ];
    const statuses: number[] = [];
    // `app` trusts no proxy.
    for (const headers of forged)
      statuses.push((await post('/auth/sign-in', { email, password: WRONG }, headers)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
  });

  it('[row 19] is not to be had through a batch', async () => {
    const { email } = await newPerson();
    const operations = Array.from({ length: 20 }, () => ({
      method: 'POST',
      path: '/auth/sign-in',
      body: { email, password: WRONG },
    }));
    expect((await app.admin('POST', '/api/batch', { operations })).status).toBeGreaterThanOrEqual(400);
    expect((await trySignIn(app, email)).status).toBe(200);
  });
});

describe('[row 25] a user and a key', () => {
  it('[row 25] of the same id are two actors', async () => {
    const { id, email } = await newPerson();
    const { accessToken } = await signIn(app, email);
    const made = await app.admin('POST', '/system/keys', { name: 'twin', roles: ['authenticated'] });
    await app.database.query('UPDATE plinth.api_keys SET id = $1 WHERE id = $2', [id, made.body.id]);
    await app.database.query('UPDATE notes SET owner_id = $1', [id]);
    await app.admin('POST', '/system/policies', {
      role: 'authenticated',
      collection: 'notes',
      action: 'read',
      condition: 'auth.kind == "user" && owner_id == auth.id',
    });
    const read = async (key: string): Promise<unknown> =>
      (await app.request('GET', '/api/notes', { key })).body.data;
    await vi.waitFor(async () => expect(await read(made.body.key)).toEqual([]), SOON);
    expect(await read(accessToken)).toHaveLength(1);
    expect((await app.request('GET', '/auth/me', { key: made.body.key })).status).toBe(403);
  });
});

describe('[row 26] a credential of one kind', () => {
  it('[row 26] opens what it is for and nothing else', async () => {
    const { email } = await newPerson({ roles: ['admin'] });
    const { accessToken, refreshToken } = await signIn(app, email);
    const cookie = (await signInWithCookie(app, email)).replace('plinth=', '');
    const routes = [
      '/auth/me',
      '/auth/sessions',
      '/system/users',
      '/system/keys',
      '/api/notes',
      '/api/plinth.users',
    ];
    for (const path of routes) {
      for (const text of [refreshToken, cookie]) {
        for (const headers of bearing(text))
          expect((await fetch(app.url + path, { headers })).status).toBe(401);
      }
      for (const text of [accessToken, refreshToken, app.adminKey]) {
        const answer = await fetch(app.url + path, { headers: { cookie: `plinth=${text}` } });
        expect(answer.status).toBe(401);
      }
      expect((await fetch(app.url + path, { headers: { 'x-api-key': accessToken } })).status).toBe(200);
    }
    for (const text of [accessToken, cookie, app.adminKey])
      expect((await refresh(app, text)).status).toBe(text === accessToken ? 400 : 401);
  });

  it('[row 26] costs the database nothing once it is known, as a key does', async () => {
    const { email } = await newPerson();
    const { accessToken } = await signIn(app, email);
    const cookie = await signInWithCookie(app, email);
    const ask = async (headers: Record<string, string>): Promise<void> => {
      for (let request = 0; request < 20; request += 1)
        expect((await fetch(`${app.url}/api/nothing`, { headers })).status).toBe(404);
    };
    const statements = await counted.list(async () => {
      await ask({ authorization: `Bearer ${accessToken}` });
      await ask({ cookie });
    });
    expect(statements).toEqual([]);
  });
});
