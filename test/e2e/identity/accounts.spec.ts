import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp, type TestResponse } from '../../kit/app.js';
import { BLOG_SQL } from '../../kit/blog.js';
import {
  createPerson,
  forgetAttempts,
  PASSWORD,
  signIn,
  signInWithCookie,
  statusOf,
  trySignIn,
} from '../../kit/people.js';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ sql: BLOG_SQL });
});
beforeEach(() => forgetAttempts(app));
afterAll(() => app?.close());

const post = (path: string, body: unknown, headers?: Record<string, string>): Promise<TestResponse> =>
  app.request('POST', path, { body, headers });

let count = 0;
const newAddress = (): string => `person${(count += 1)}@example.org`;

describe('sign-up', () => {
  it('makes an account, found whatever the letter case of its address', async () => {
    const answer = await post('/auth/sign-up', {
      email: 'Ada@Example.ORG',
      password: PASSWORD,
      profile: { name: 'Ada' },
    });
    expect([answer.status, answer.text]).toEqual([202, '']);
    const { status, body, headers } = await trySignIn(app, 'aDA@example.org');
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('set-cookie')).toBeNull();
    expect(body).toMatchObject({
      tokenType: 'Bearer',
      expiresIn: 600,
      user: {
        email: 'ada@example.org',
        emailVerifiedAt: null,
        status: 'active',
        profile: { name: 'Ada' },
        roles: [],
      },
    });
  });

  it.each([
    ['too short', 'xk7 Qz!', 'too-short'],
    ['in every list', 'password123', 'too-weak'],
    ['made of the address', 'wilhelmina.schroeder', 'too-weak'],
    ['long and of one letter', 'a'.repeat(200), 'too-weak'],
  ])('refuses a password that is %s, and says so', async (_why, password, code) => {
    const email = 'wilhelmina.schroeder@example.org';
    const { status, body } = await post('/auth/sign-up', { email, password });
    expect([status, body.type]).toEqual([400, '/problems/invalid-request']);
    expect(body.errors).toMatchObject([{ pointer: '/password', code }]);
  });

  it('asks for no kinds of characters', async () => {
    const password = 'umbrella horse eleven cloud';
    expect((await post('/auth/sign-up', { email: newAddress(), password })).status).toBe(202);
  });

  it.each([
    [{ email: 'nobody', password: PASSWORD }, '/email'],
    [{ email: `${'x'.repeat(250)}@example.org`, password: PASSWORD }, '/email'],
    [{ email: 'a@example.org', password: 'x'.repeat(257) }, '/password'],
    [{ email: 'a@example.org', password: PASSWORD, profile: [] }, '/profile'],
    [{ email: 'a@example.org', password: PASSWORD, profile: { text: 'x'.repeat(20_000) } }, '/profile'],
    [{ email: { $gt: '' }, password: PASSWORD }, '/email'],
  ])('refuses what is no account: %#', async (body, pointer) => {
    const answer = await post('/auth/sign-up', body);
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, pointer]);
  });
});

describe('an access token', () => {
  it('is verified by any service through the published keys', async () => {
    const email = newAddress();
    const { id } = await createPerson(app, email, { roles: ['admin'] });
    const { accessToken } = await signIn(app, email);
    const keys = createRemoteJWKSet(new URL(`${app.url}/.well-known/jwks.json`));
    const { payload, protectedHeader } = await jwtVerify(accessToken, keys, {
      algorithms: ['EdDSA'],
      issuer: 'plinth',
      audience: 'plinth',
      typ: 'at+jwt',
    });
    expect(payload).toMatchObject({
      sub: id,
      email,
      email_verified: false,
      roles: ['admin', 'authenticated', 'public'],
    });
    expect(protectedHeader.alg).toBe('EdDSA');
  });

  it('tells policies who asks, and has the roles of every signed-in user', async () => {
    const email = newAddress();
    const { id } = await createPerson(app, email, { claims: { author_id: 2 } });
    await app.admin('POST', '/system/policies', {
      role: 'authenticated',
      collection: 'posts',
      action: 'read',
      condition: `auth.kind == "user" && author_id == auth.claims.author_id && auth.id == "${id}" && auth.claims.email == "${email}"`,
      fields: ['id', 'title'],
    });
    const { accessToken } = await signIn(app, email);
    const { body } = await app.request('GET', '/api/posts', { key: accessToken });
    expect(body.data).toEqual([{ id: 3, title: 'Third' }]);
    const other = newAddress();
    await createPerson(app, other);
    const { accessToken: others } = await signIn(app, other);
    expect((await app.request('GET', '/api/posts', { key: others })).body.data).toEqual([]);
    // Neither the public nor a key is a signed-in user.
    expect((await app.request('GET', '/api/posts')).status).toBe(404);
    const made = await app.admin('POST', '/system/keys', { name: 'k', roles: [] });
    expect((await app.request('GET', '/api/posts', { key: made.body.key })).status).toBe(404);
  });
});

describe('a refresh token', () => {
  it('gives new tokens of the same session, and is good once', async () => {
    const email = newAddress();
    await createPerson(app, email);
    const first = await signIn(app, email);
    const second = await post('/auth/refresh', { refreshToken: first.refreshToken });
    expect(second.status).toBe(200);
    expect(second.headers.get('cache-control')).toBe('no-store');
    expect(decodeJwt(second.body.accessToken)['sid']).toBe(decodeJwt(first.accessToken)['sid']);
    expect(second.body.refreshToken).not.toBe(first.refreshToken);
    // An honest race: refused, and nothing ends.
    const raced = await post('/auth/refresh', { refreshToken: first.refreshToken });
    expect([raced.status, raced.body.type]).toEqual([409, '/problems/conflict']);
    expect((await post('/auth/refresh', { refreshToken: second.body.refreshToken })).status).toBe(200);
  });

  it('that comes back after it was used ends the session, for both who have it', async () => {
    const email = newAddress();
    const { id } = await createPerson(app, email);
    const stolen = await signIn(app, email);
    const other = await signIn(app, email);
    const { body: owner } = await post('/auth/refresh', { refreshToken: stolen.refreshToken });
    await app.request('GET', '/auth/me', { key: owner.accessToken });
    await app.database.query(
      `UPDATE plinth.sessions SET rotated_at = now() - interval '1 minute' WHERE rotated_at IS NOT NULL`,
    );
    expect((await post('/auth/refresh', { refreshToken: stolen.refreshToken })).status).toBe(401);
    expect((await post('/auth/refresh', { refreshToken: owner.refreshToken })).status).toBe(401);
    expect(await statusOf(app, owner.accessToken)).toBe(401);
    expect(await statusOf(app, other.accessToken)).toBe(200);
    const { body } = await app.admin('GET', `/system/sign-in-events?user=${id}&kind=refresh.reused`);
    expect(body.data).toHaveLength(1);
  });

  it('that was made up ends nothing, even with the id of a session', async () => {
    const email = newAddress();
    await createPerson(app, email);
    const { accessToken, refreshToken } = await signIn(app, email);
    for (const made of [
      refreshToken.slice(0, 40) + 'A'.repeat(77),
      refreshToken.slice(0, -1),
      'plinth_rt_',
      accessToken.slice(0, 117),
    ]) {
      expect((await post('/auth/refresh', { refreshToken: made })).status).toBe(401);
    }
    expect((await post('/auth/refresh', { refreshToken })).status).toBe(200);
  });

  it('goes on where the access token that comes along has expired', async () => {
    const email = newAddress();
    await createPerson(app, email);
    const { refreshToken } = await signIn(app, email);
    const headers = { authorization: 'Bearer eyJ.no.more' };
    const answer = await fetch(`${app.url}/auth/refresh`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ refreshToken }),
    });
    expect(answer.status).toBe(200);
  });
});

describe('users', () => {
  it('see and change what is theirs, and nothing that gives them rights', async () => {
    const email = newAddress();
    await createPerson(app, email);
    const { accessToken: key } = await signIn(app, email);
    const patch = (body: unknown): Promise<TestResponse> => app.request('PATCH', '/auth/me', { key, body });
    expect((await patch({ username: 'Grace.H', profile: { city: 'Arlington' } })).body).toMatchObject({
      username: 'Grace.H',
      profile: { city: 'Arlington' },
    });
    expect((await app.request('GET', '/auth/me', { key })).body).toMatchObject({ username: 'Grace.H' });
    expect((await patch({ username: null })).body).toMatchObject({ username: null });
    for (const body of [{ username: 'a' }, { username: 'über' }, { username: 7 }, { profile: null }])
      expect((await patch(body)).status).toBe(400);
    for (const field of ['email', 'roles', 'claims', 'status', 'id', 'emailVerified', 'password']) {
      const answer = await patch({ [field]: ['admin'] });
      expect([field, answer.status, answer.body.type]).toEqual([field, 400, '/problems/unknown-field']);
    }
    await createPerson(app, newAddress(), { username: 'taken' });
    const taken = await patch({ username: 'TAKEN' });
    expect([taken.status, taken.body.errors[0].pointer]).toEqual([409, '/username']);
  });

  it('change their password, which ends every session and begins one', async () => {
    const email = newAddress();
    await createPerson(app, email);
    const phone = await signIn(app, email);
    const laptop = await signIn(app, email);
    const change = (currentPassword: string, newPassword: string): Promise<TestResponse> =>
      app.request('POST', '/auth/password/change', {
        key: laptop.accessToken,
        body: { currentPassword, newPassword },
      });
    const next = 'granite otter ballad 77';
    expect((await change('not the password', next)).body.errors).toMatchObject([
      { pointer: '/currentPassword', code: 'wrong' },
    ]);
    expect((await change(PASSWORD, 'password')).body.errors).toMatchObject([{ pointer: '/newPassword' }]);
    const changed = await change(PASSWORD, next);
    expect(changed.status).toBe(200);
    for (const { accessToken, refreshToken } of [phone, laptop]) {
      expect(await statusOf(app, accessToken)).toBe(401);
      expect((await post('/auth/refresh', { refreshToken })).status).toBe(401);
    }
    expect(await statusOf(app, changed.body.accessToken)).toBe(200);
    expect((await trySignIn(app, email)).status).toBe(401);
    expect((await trySignIn(app, email, next)).status).toBe(200);
  });

  it('see their sessions with device and use, and end one or their own', async () => {
    const email = newAddress();
    await createPerson(app, email);
    const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
    const phone = await trySignIn(app, email, PASSWORD, { 'user-agent': firefox });
    const { accessToken: key } = await signIn(app, email);
    const { body } = await app.request('GET', '/auth/sessions', { key });
    expect(body.data).toMatchObject([
      { isCurrent: true, kind: 'token' },
      { isCurrent: false, device: 'Firefox on Linux', address: '127.0.0.1' },
    ]);
    const paged = await app.request('GET', '/auth/sessions?limit=1', { key });
    const cursor = encodeURIComponent(paged.body.page.next);
    const rest = await app.request('GET', `/auth/sessions?limit=1&cursor=${cursor}`, { key });
    expect(rest.body).toMatchObject({ data: [{ id: body.data[1].id }], page: { next: null } });

    const other = newAddress();
    await createPerson(app, other);
    const stranger = await signIn(app, other);
    const end = (as: string, id: string): Promise<TestResponse> =>
      app.request('DELETE', `/auth/sessions/${id}`, { key: as });
    expect((await end(stranger.accessToken, body.data[1].id)).status).toBe(404);
    expect(await statusOf(app, phone.body.accessToken)).toBe(200);
    expect((await end(key, body.data[1].id)).status).toBe(204);
    expect(await statusOf(app, phone.body.accessToken)).toBe(401);
    expect((await app.request('POST', '/auth/sign-out', { key })).status).toBe(204);
    expect(await statusOf(app, key)).toBe(401);
    expect(await statusOf(app, stranger.accessToken)).toBe(200);
  });

  it('have an account, which keys have not', async () => {
    for (const [method, path] of [
      ['GET', '/auth/me'],
      ['GET', '/auth/sessions'],
      ['POST', '/auth/sign-out'],
    ] as const)
      expect((await app.admin(method, path)).status).toBe(403);
    expect((await app.request('GET', '/auth/me')).status).toBe(401);
  });
});

describe('a browser', () => {
  it('has its session in a cookie that scripts cannot read, and no tokens', async () => {
    const email = newAddress();
    await createPerson(app, email);
    const answer = await post('/auth/sign-in', { email, password: PASSWORD, session: 'cookie' });
    expect(answer.headers.get('set-cookie')).toMatch(
      /^plinth=[\w-]{64}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax$/,
    );
    expect(Object.keys(answer.body).toSorted()).toEqual(['expiresIn', 'user']);
    const [cookie = ''] = answer.headers.get('set-cookie')?.split(';') ?? [];
    const me = await app.request('GET', '/auth/me', { headers: { cookie: `a=1; ${cookie}; b=2` } });
    expect([me.status, me.body.email]).toEqual([200, email]);
    for (const wrong of [cookie.slice(0, -2) + 'AA', cookie.slice(0, 20), `${cookie}; ${cookie}`])
      expect((await app.request('GET', '/auth/me', { headers: { cookie: wrong } })).status).toBe(401);
    // What the cookie holds is no bearer token, and a bearer token is no cookie.
    const value = cookie.slice('plinth='.length);
    expect((await app.request('GET', '/auth/me', { key: value })).status).toBe(401);
  });

  it('does nothing with its cookie that another site makes it send', async () => {
    const email = newAddress();
    await createPerson(app, email);
    const cookie = await signInWithCookie(app, email);
    const rename = (headers: Record<string, string>): Promise<TestResponse> =>
      app.request('PATCH', '/auth/me', { body: { profile: {} }, headers: { cookie, ...headers } });
    const { origin, host } = new URL(app.url);
    const foreign: readonly Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
      { 'sec-fetch-site': 'same-site', origin: `http://evil.${host}` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'cross-site', origin },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `${origin}.evil.example` },
    ];
    for (const headers of foreign) {
      const answer = await rename(headers);
      expect([headers, answer.status, answer.body.type]).toEqual([headers, 403, '/problems/forbidden']);
      const session = { email, password: PASSWORD, session: 'cookie' };
      expect((await post('/auth/sign-in', session, headers)).status).toBe(403);
    }
    const own: readonly Record<string, string>[] = [
      { 'sec-fetch-site': 'same-origin', origin },
      { 'sec-fetch-site': 'none' },
      { origin },
      {},
    ];
    for (const headers of own) expect([headers, (await rename(headers)).status]).toEqual([headers, 200]);
    const read = await app.request('GET', '/auth/me', {
      headers: { cookie, 'sec-fetch-site': 'cross-site' },
    });
    expect(read.status).toBe(200);
  });

  it('loses a cookie whose session is over, and signs in again past it', async () => {
    const email = newAddress();
    await createPerson(app, email);
    const cookie = await signInWithCookie(app, email);
    const out = await app.request('POST', '/auth/sign-out', { headers: { cookie } });
    expect([out.status, out.headers.get('set-cookie')]).toEqual([204, expect.stringContaining('Max-Age=0')]);
    const after = await app.request('GET', '/api/posts', { headers: { cookie } });
    expect([after.status, after.headers.get('set-cookie')]).toEqual([
      401,
      expect.stringContaining('plinth=; Path=/; Max-Age=0'),
    ]);
    expect((await trySignIn(app, email, PASSWORD, { cookie })).status).toBe(200);
  });
});

it('signs tokens that say which key signed them', async () => {
  const email = newAddress();
  await createPerson(app, email);
  const { accessToken } = await signIn(app, email);
  const { body } = await app.request('GET', '/.well-known/jwks.json');
  const [key] = body.keys as { kid: string; d?: string }[];
  expect(decodeProtectedHeader(accessToken)).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: key?.kid });
  expect(key?.d).toBeUndefined();
  const [stored] = await app.database.query<{ private_key: Buffer }>(
    'SELECT private_key FROM plinth.signing_keys',
  );
  expect(stored?.private_key.toString('latin1')).not.toContain('"d"');
});
