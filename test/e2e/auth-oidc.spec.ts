import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { CREDENTIAL_TABLES } from '../../src/auth/account/remove-credentials.js';
import { parseConfig, type PlinthConfig } from '../../src/common/config/index.js';
import { startTestApp, type LogLine, type TestApp, type TestResponse } from '../kit/app.js';
import { CookieBrowser, locationOf } from '../kit/cookie-browser.js';
import { startForgingProvider, type ForgingProvider, type Forgery } from '../kit/forging-provider.js';
import { findFreePort } from '../kit/free-port.js';
import {
  CLIENT_ID,
  CLIENT_SECRET,
  passThrough,
  startOpenidProvider,
  type Account,
  type RunningProvider,
} from '../kit/openid-provider.js';
import { createPerson, forgetAttempts, PASSWORD, signIn, statusOf, trySignIn } from '../kit/people.js';
import { SOON } from '../kit/soon.js';

const APP = 'https://app.example.com';
const RETURN = `${APP}/signed-in`;

let real: RunningProvider;
let forging: ForgingProvider;
let github: Github;
let app: TestApp;
let invited: TestApp;
const lines: LogLine[] = [];

beforeAll(async () => {
  const port = await findFreePort();
  const closedPort = await findFreePort();
  const [url, closedUrl] = [port, closedPort].map((free) => `http://127.0.0.1:${free}`) as [string, string];
  const deadPort = await findFreePort();
  real = await startOpenidProvider([url, closedUrl].map((base) => `${base}/auth/oidc/acme/callback`));
  forging = await startForgingProvider();
  github = await startGithub();
  const environment = {
    PLINTH_OIDC_PROVIDERS: 'acme,forger,dead,git-hub',
    PLINTH_OIDC_ACME_LABEL: 'Acme',
    PLINTH_OIDC_ACME_ISSUER: real.issuer,
    PLINTH_OIDC_ACME_CLIENT_ID: CLIENT_ID,
    PLINTH_OIDC_ACME_CLIENT_SECRET: CLIENT_SECRET,
    PLINTH_OIDC_ACME_SCOPES: 'openid email profile groups',
    PLINTH_OIDC_ACME_ROLE_MAP: 'staff=editor,chiefs=admin,ghosts=ghost',
    PLINTH_OIDC_FORGER_ISSUER: forging.issuer,
    PLINTH_OIDC_FORGER_CLIENT_ID: CLIENT_ID,
    PLINTH_OIDC_FORGER_CLIENT_SECRET: CLIENT_SECRET,
    PLINTH_OIDC_DEAD_ISSUER: `http://127.0.0.1:${deadPort}`,
    PLINTH_OIDC_DEAD_CLIENT_ID: CLIENT_ID,
    PLINTH_OIDC_GIT_HUB_CLIENT_ID: CLIENT_ID,
    PLINTH_OIDC_GIT_HUB_CLIENT_SECRET: CLIENT_SECRET,
    PLINTH_OIDC_GIT_HUB_AUTHORIZATION_URL: `${github.url}/authorize`,
    PLINTH_OIDC_GIT_HUB_TOKEN_URL: `${github.url}/token`,
    PLINTH_OIDC_GIT_HUB_USERINFO_URL: `${github.url}/user`,
    PLINTH_OIDC_GIT_HUB_EMAILS_URL: `${github.url}/user/emails`,
    PLINTH_RETURN_URLS: `${APP},https://shop.example.com/account/`,
  };
  const { providers, returnUrls } = parseConfig({ ...environment, PLINTH_PUBLIC_URL: url });
  const config: Partial<PlinthConfig> = { providers, returnUrls };
  app = await startTestApp({
    config: { ...config, port, publicUrl: url, logLevel: 'info' },
    log: (line) => lines.push(line),
  });
  invited = await startTestApp({
    config: { ...config, port: closedPort, publicUrl: closedUrl, signUp: 'invite' },
  });
  await app.admin('POST', '/system/roles', { name: 'editor' });
}, 120_000);
beforeEach(() => {
  forging.forgery = {};
  return forgetAttempts(app);
});
afterAll(async () => {
  await app?.close();
  await invited?.close();
  await Promise.all([real?.close(), forging?.close(), github?.close()]);
});

let count = 0;
const newLogin = (account: Account = {}): string => {
  const login = `person${(count += 1)}`;
  real.accounts.set(login, { email: `${login}@example.org`, email_verified: true, name: login, ...account });
  return login;
};

interface Verifier {
  readonly codeVerifier: string;
  readonly codeChallenge: string;
}

function newVerifier(): Verifier {
  const codeVerifier = randomBytes(32).toString('base64url');
  return { codeVerifier, codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url') };
}

const startUrl = (provider: string, query: Readonly<Record<string, string>>, at: TestApp = app): string =>
  `${at.url}/auth/oidc/${provider}?${new URLSearchParams({ returnTo: RETURN, ...query }).toString()}`;

const isReturn = (url: string): boolean => url.startsWith(APP);

const post = (path: string, body: unknown, headers?: Record<string, string>): Promise<TestResponse> =>
  app.request('POST', path, { body, headers });

/** Goes to the provider and back; gives what the return address has. */
async function goThrough(
  login: string | null,
  query: Readonly<Record<string, string>>,
  { browser = new CookieBrowser(), at = app } = {},
): Promise<URLSearchParams> {
  const end = await passThrough(browser, startUrl('acme', query, at), login, isReturn);
  return new URL(end).searchParams;
}

/** Signs in at the provider as an application does that keeps tokens. */
async function signInAt(login: string): Promise<{ accessToken: string; user: Record<string, unknown> }> {
  const { codeVerifier, codeChallenge } = newVerifier();
  const returned = await goThrough(login, { codeChallenge });
  const answer = await post('/auth/oidc/token', { code: returned.get('code'), codeVerifier });
  if (answer.status !== 200) throw new Error(`No sign-in: ${answer.text}, ${returned.toString()}`);
  return answer.body as { accessToken: string; user: Record<string, unknown> };
}

/** Comes back from the forging provider; gives what the return address has, or the refusal. */
async function comeBack(
  forgery: Forgery,
  change: (callback: URLSearchParams) => void = () => {},
  provider = 'forger',
): Promise<{ status: number; returned: URLSearchParams }> {
  const browser = new CookieBrowser();
  const started = await browser.open(startUrl('forger', { codeChallenge: newVerifier().codeChallenge }));
  const search = forging.grant(locationOf(started, app.url));
  forging.forgery = forgery;
  change(search);
  const response = await browser.open(`${app.url}/auth/oidc/${provider}/callback?${search.toString()}`);
  await response.text();
  const location = response.headers.get('location');
  return { status: response.status, returned: new URL(location ?? APP).searchParams };
}

async function eventsOf(kind: string, user: string): Promise<readonly Record<string, unknown>[]> {
  const { body } = await app.admin('GET', `/system/sign-in-events?kind=${kind}&user=${user}`);
  return body.data as Record<string, unknown>[];
}

describe('sign-in with an OpenID provider', () => {
  it('lists the providers for sign-in pages', async () => {
    const { status, body } = await app.request('GET', '/auth/providers');
    expect([status, body.data]).toEqual([
      200,
      [
        { name: 'acme', label: 'Acme' },
        { name: 'forger', label: 'forger' },
        { name: 'dead', label: 'dead' },
        { name: 'git-hub', label: 'git-hub' },
      ],
    ]);
  });

  it('goes there with PKCE, state and nonce, and holds this browser to it by a cookie', async () => {
    const answer = await app.request('GET', `/auth/oidc/acme?returnTo=${encodeURIComponent(RETURN)}`);
    expect(answer.status).toBe(302);
    const to = new URL(answer.headers.get('location') ?? '');
    expect(to.origin).toBe(real.issuer);
    expect(Object.fromEntries(to.searchParams)).toEqual({
      client_id: CLIENT_ID,
      response_type: 'code',
      redirect_uri: `${app.url}/auth/oidc/acme/callback`,
      scope: 'openid email profile groups',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(answer.headers.get('set-cookie')).toMatch(
      /^plinth-flow=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/,
    );
    const kept = JSON.stringify(await app.database.query('SELECT * FROM plinth.one_time_tokens'));
    expect(kept).not.toContain(to.searchParams.get('nonce') ?? '');
    expect(kept).not.toContain(to.searchParams.get('state') ?? '');
  });

  it('makes an account, gives tokens for the code, and finds the account again', async () => {
    const login = newLogin();
    const first = await signInAt(login);
    expect(first.user).toMatchObject({
      email: `${login}@example.org`,
      emailVerifiedAt: expect.any(String),
      profile: { name: login },
      isAnonymous: false,
    });
    expect((await app.request('GET', '/auth/me', { key: first.accessToken })).body.id).toBe(first.user['id']);
    real.accounts.set(login, { email: 'moved@example.org', email_verified: true });
    expect((await signInAt(login)).user['id']).toBe(first.user['id']);
    expect(await eventsOf('identity.linked', String(first.user['id']))).toHaveLength(1);
    expect(await eventsOf('signed-in', String(first.user['id']))).toHaveLength(2);
  });

  it('begins a cookie session for pages that ask for one', async () => {
    const browser = new CookieBrowser();
    const returned = await goThrough(newLogin(), { session: 'cookie' }, { browser });
    expect([...returned]).toEqual([]);
    const cookie = browser.cookiesOf(app.url);
    expect((await app.request('GET', '/auth/me', { headers: { cookie } })).status).toBe(200);
  });

  it('gives the code to nobody but the application that began, or the same browser', async () => {
    const { codeChallenge } = newVerifier();
    const login = newLogin();
    for (const codeVerifier of [undefined, newVerifier().codeVerifier]) {
      const code = (await goThrough(login, { codeChallenge })).get('code');
      expect((await post('/auth/oidc/token', { code, codeVerifier })).status).toBe(403);
    }
    const browser = new CookieBrowser();
    const code = (await goThrough(login, {}, { browser })).get('code');
    expect((await post('/auth/oidc/token', { code })).status).toBe(403);
    const own = (await goThrough(login, {}, { browser })).get('code');
    const headers = { cookie: browser.cookiesOf(app.url) };
    expect((await post('/auth/oidc/token', { code: own }, headers)).status).toBe(200);
  });

  it('tells the application when the user does not want to', async () => {
    const returned = await goThrough(null, {});
    expect(Object.fromEntries(returned)).toEqual({ error: 'access_denied' });
  });

  it('makes no account where sign-up is not open, and lets in who has one', async () => {
    const login = newLogin();
    expect((await goThrough(login, {}, { at: invited })).get('error')).toBe('sign_up_closed');
    await invited.admin('POST', '/system/users', { email: `${login}@example.org`, status: 'invited' });
    expect((await goThrough(login, {}, { at: invited })).get('code')).not.toBeNull();
  });

  it('lets in nobody who is blocked', async () => {
    const login = newLogin();
    const { user } = await signInAt(login);
    await app.admin('POST', `/system/users/${String(user['id'])}/block`);
    expect((await goThrough(login, {})).get('error')).toBe('account_inactive');
  });
});

describe('what comes back from a provider', () => {
  it('is taken where it is right', async () => {
    const { status, returned } = await comeBack({});
    expect([status, returned.get('error'), returned.has('code')]).toEqual([302, null, true]);
  });

  it.each<readonly [string, Forgery]>([
    ['is not signed', { key: 'none' }],
    ['is signed with another key', { key: 'foreign' }],
    ['is for another application', { claims: { aud: 'somebody else' } }],
    [
      'is for several, and not given out for this one',
      { claims: { aud: [CLIENT_ID, 'other'], azp: 'other' } },
    ],
    ['has expired', { claims: { exp: Math.floor(Date.now() / 1000) - 600 } }],
    ['is of another issuer', { claims: { iss: 'https://id.example.com' } }],
    ['has another nonce', { claims: { nonce: 'another' } }],
    ['has no nonce', { claims: { nonce: undefined } }],
    ['says of nobody who it is', { claims: { sub: undefined } }],
  ])('is refused where the ID token %s', async (_what, forgery) => {
    const { status, returned } = await comeBack(forgery);
    expect([status, Object.fromEntries(returned)]).toEqual([302, { error: 'provider_refused' }]);
  });

  it.each<readonly [string, (callback: URLSearchParams) => void]>([
    ['iss of another provider', (callback) => callback.set('iss', real.issuer)],
    ['no iss although there should be one', (callback) => callback.delete('iss')],
    ['a code that the provider has forgotten', (callback) => callback.set('code', 'expired')],
    ['two codes', (callback) => callback.append('code', 'second')],
    ['no code', (callback) => callback.delete('code')],
  ])('is refused with %s', async (_what, change) => {
    const { returned } = await comeBack({}, change);
    expect(Object.fromEntries(returned)).toEqual({ error: 'provider_refused' });
  });

  it('[row 15] is refused at the address of another provider, and from the issuer of another one', async () => {
    expect((await comeBack({}, undefined, 'acme')).status).toBe(403);
    const swapped = await comeBack({ claims: { iss: real.issuer } });
    expect(swapped.returned.get('error')).toBe('provider_refused');
    // Both know somebody by the same name: two people.
    const login = newLogin();
    const { user } = await signInAt(login);
    const { returned } = await comeBack({ claims: { sub: login, email: 'other@example.org' } });
    expect(returned.has('code')).toBe(true);
    const rows = await app.database.query<{ user_id: string }>(
      'SELECT user_id FROM plinth.user_identities WHERE subject = $1 AND issuer = $2',
      [login, forging.issuer],
    );
    expect(rows.map(({ user_id }) => user_id)).not.toContain(user['id']);
    expect(rows).toHaveLength(1);
  });

  it.each<readonly [string, Forgery]>([
    ['fails', { status: 500 }],
    ['answers without end', { isHuge: true }],
  ])('is told as an outage where the provider %s', async (_what, forgery) => {
    const { returned } = await comeBack(forgery);
    expect(Object.fromEntries(returned)).toEqual({ error: 'provider_unavailable' });
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'auth.provider-failed', provider: 'forger', failure: 'unavailable' }),
    );
  });

  it('is told as an outage where the provider is silent', async () => {
    const { returned } = await comeBack({ isSilent: true });
    expect(Object.fromEntries(returned)).toEqual({ error: 'provider_unavailable' });
  });

  it('counts only in the browser that went, once, and with a state of ours', async () => {
    const [victim, attacker] = [new CookieBrowser(), new CookieBrowser()];
    const started = await attacker.open(startUrl('forger', {}));
    const search = forging.grant(locationOf(started, app.url));
    const callback = `${app.url}/auth/oidc/forger/callback?${search.toString()}`;
    // With a cookie of its own, too.
    await victim.open(startUrl('forger', {}));
    expect((await victim.open(callback)).status).toBe(403);
    expect((await attacker.open(callback)).status).toBe(403);
    for (const state of ['', 'x', randomBytes(32).toString('base64url')]) {
      search.set('state', state);
      const answer = await attacker.open(`${app.url}/auth/oidc/forger/callback?${search.toString()}`);
      expect(answer.status).toBe(403);
    }
  });

  it('[row 13] counts once of 50 at once, and so does the code of the return address', async () => {
    const browser = new CookieBrowser();
    const { codeVerifier, codeChallenge } = newVerifier();
    const started = await browser.open(startUrl('forger', { codeChallenge }));
    const callback = `${app.url}/auth/oidc/forger/callback?${forging.grant(locationOf(started, app.url)).toString()}`;
    const answers = await Promise.all(Array.from({ length: 50 }, () => browser.open(callback)));
    const done = answers.filter(({ status }) => status === 302);
    expect([done.length, answers.filter(({ status }) => status === 403).length]).toEqual([1, 49]);
    const code = new URL(done[0]?.headers.get('location') ?? APP).searchParams.get('code');
    const exchanged = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const answer = await fetch(`${app.url}/auth/oidc/token`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ code, codeVerifier }),
        });
        await answer.text();
        return answer.status;
      }),
    );
    expect(exchanged.filter((status) => status === 200)).toHaveLength(1);
    expect(exchanged.filter((status) => status === 403)).toHaveLength(49);
  });

  it('holds for a minute', async () => {
    const { codeVerifier, codeChallenge } = newVerifier();
    const code = (await goThrough(newLogin(), { codeChallenge })).get('code');
    await app.database.query(`UPDATE plinth.one_time_tokens SET expires_at = now()`);
    expect((await post('/auth/oidc/token', { code, codeVerifier })).status).toBe(403);
  });
});

describe('a provider that is down', () => {
  it('is answered with 503, and not asked by everybody who comes', async () => {
    const answer = await app.request('GET', `/auth/oidc/dead?returnTo=${encodeURIComponent(RETURN)}`);
    expect([answer.status, answer.body.type]).toEqual([503, '/problems/provider-unavailable']);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect((await app.request('GET', '/auth/oidc/none')).status).toBe(404);
  });
});

describe('the return address', () => {
  it.each([
    'https://evil.example',
    'https://app.example.com.evil.example/',
    'https://app.example.com@evil.example/',
    'https://evil.example\\@app.example.com',
    'https://user@app.example.com/',
    'http://app.example.com/',
    'https://app.example.com:8443/',
    'https://shop.example.com/',
    'https://shop.example.com/accounts',
    'https://shop.example.com/account/../evil',
    'https://shop.example.com/account/%2e%2e/evil',
    '//evil.example',
    '/evil',
    'javascript:alert(1)//https://app.example.com',
    'https:evil.example',
    '',
  ])('is refused where nobody allowed it: %s', async (returnTo) => {
    const { status, body } = await app.request(
      'GET',
      `/auth/oidc/acme?${new URLSearchParams({ returnTo }).toString()}`,
    );
    expect([status, body.errors[0].pointer]).toEqual([400, '?returnTo']);
  });

  it.each([
    'https://app.example.com/',
    'https://APP.example.com:443/a?b=c#d',
    'https://shop.example.com/account/x',
  ])('is taken where somebody did: %s', async (returnTo) => {
    const { status } = await app.request(
      'GET',
      `/auth/oidc/acme?${new URLSearchParams({ returnTo }).toString()}`,
    );
    expect(status).toBe(302);
  });

  it('has neither tokens nor anything that another browser could use', async () => {
    const end = await passThrough(new CookieBrowser(), startUrl('acme', {}), newLogin(), isReturn);
    expect([...new URL(end).searchParams.keys()]).toEqual(['code']);
    expect(new URL(end).hash).toBe('');
  });
});

describe('an account with the same address', () => {
  it('is signed in to where both sides know the address to be theirs', async () => {
    const login = newLogin();
    const { id } = await createPerson(app, `${login}@example.org`, { emailVerified: true });
    const { accessToken } = await signIn(app, `${login}@example.org`);
    expect((await signInAt(login)).user['id']).toBe(id);
    expect(await statusOf(app, accessToken)).toBe(200);
    expect((await trySignIn(app, `${login}@example.org`)).status).toBe(200);
  });

  it('[row 16] that was registered before by a stranger is taken from the stranger', async () => {
    const login = newLogin();
    const email = `${login}@example.org`;
    await post('/auth/sign-up', { email, password: PASSWORD, profile: { name: 'Stranger' } });
    const { accessToken, refreshToken } = await signIn(app, email);
    const { user } = await signInAt(login);
    expect(user).toMatchObject({ email, profile: { name: login }, username: null });
    await vi.waitFor(async () => expect(await statusOf(app, accessToken)).toBe(401), SOON);
    expect((await post('/auth/refresh', { refreshToken })).status).toBe(401);
    expect((await trySignIn(app, email)).status).toBe(401);
    expect(await eventsOf('account.reclaimed', String(user['id']))).toHaveLength(1);
  });

  it('[row 16] takes nothing over where the provider does not know the address to be theirs', async () => {
    const login = newLogin({ email_verified: false });
    const email = `${login}@example.org`;
    const { id } = await createPerson(app, email, { emailVerified: true });
    const { user } = await signInAt(login);
    expect(user['id']).not.toBe(id);
    expect(user['email']).toBeNull();
    // Nor is an address taken in advance from its owner.
    const other = newLogin({ email: 'owner@example.org', email_verified: false });
    await signInAt(other);
    expect((await createPerson(app, 'owner@example.org')).id).toMatch(/-/);
  });

  it('[row 16] loses every way in that is known', async () => {
    const rows = await app.database.query<{ name: string }>(
      `SELECT DISTINCT c.conrelid::regclass::text AS name FROM pg_constraint c
       WHERE c.contype = 'f' AND c.confrelid = 'plinth.users'::regclass`,
    );
    const kept = ['plinth.user_roles'];
    const known = [...CREDENTIAL_TABLES.map((table) => `plinth.${table}`), ...kept];
    expect(rows.map(({ name }) => name).toSorted()).toEqual(known.toSorted());
  });

  it('is made once where somebody comes from two devices at once', async () => {
    const login = newLogin();
    const codes = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const { codeVerifier, codeChallenge } = newVerifier();
        return { codeVerifier, code: (await goThrough(login, { codeChallenge })).get('code') };
      }),
    );
    const answers = await Promise.all(codes.map((proof) => post('/auth/oidc/token', proof)));
    expect(new Set(answers.map(({ body }) => body.user.id as string)).size).toBe(1);
  });
});

describe('groups of a provider', () => {
  it('give the roles of the map, at each sign-in anew, and leave those alone that were given by hand', async () => {
    const login = newLogin({ groups: ['staff', 'ghosts', 'others', 'admin'] });
    const { user, accessToken } = await signInAt(login);
    expect(user['roles']).toEqual(['editor']);
    expect(decodeJwt(accessToken)['roles']).toContain('editor');
    await app.admin('POST', '/system/roles', { name: 'helper' });
    await app.admin('PATCH', `/system/users/${String(user['id'])}`, { roles: ['helper'] });
    real.accounts.set(login, { groups: ['chiefs'] });
    expect((await signInAt(login)).user['roles']).toEqual(['admin', 'helper']);
    real.accounts.set(login, {});
    expect((await signInAt(login)).user['roles']).toEqual(['helper']);
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'auth.mapped-role-missing', provider: 'acme', role: 'ghost' }),
    );
  });

  it('do not take a role that was given by hand as well', async () => {
    const login = newLogin({ groups: ['staff'] });
    const { user } = await signInAt(login);
    await app.admin('PATCH', `/system/users/${String(user['id'])}`, { roles: ['editor'] });
    real.accounts.set(login, {});
    expect((await signInAt(login)).user['roles']).toEqual(['editor']);
  });
});

describe('linking', () => {
  async function codeFor(login: string): Promise<Record<string, unknown>> {
    const { codeVerifier, codeChallenge } = newVerifier();
    const returned = await goThrough(login, { codeChallenge, intent: 'link' });
    return { codeVerifier, code: returned.get('code') };
  }

  it('adds a way in, which can be taken away again, but not the last one', async () => {
    const { id, email } = await createPerson(app, 'linker@example.org');
    const { accessToken: key } = await signIn(app, email);
    const login = newLogin();
    const linked = await app.request('POST', '/auth/identities', { key, body: await codeFor(login) });
    expect([linked.status, linked.body]).toMatchObject([201, { provider: 'acme', subject: login }]);
    expect((await signInAt(login)).user['id']).toBe(id);
    const { body } = await app.request('GET', '/auth/identities', { key });
    expect(body.data).toMatchObject([{ id: linked.body.id, issuer: real.issuer }]);
    expect(
      (await app.request('DELETE', `/auth/identities/${linked.body.id as string}`, { key })).status,
    ).toBe(204);
    const own = await signInAt(login);
    expect(own.user['id']).not.toBe(id);
    const [only] = (await app.request('GET', '/auth/identities', { key: own.accessToken })).body.data as {
      id: string;
    }[];
    const last = await app.request('DELETE', `/auth/identities/${only?.id}`, { key: own.accessToken });
    expect(last.status).toBe(409);
    const foreign = await app.request('DELETE', `/auth/identities/${only?.id}`, { key });
    expect(foreign.status).toBe(404);
  });

  it('needs a recent sign-in, and an identity that is nobody else’s', async () => {
    const { email } = await createPerson(app, 'late@example.org');
    const { accessToken: key } = await signIn(app, email);
    const taken = newLogin();
    await signInAt(taken);
    expect((await app.request('POST', '/auth/identities', { key, body: await codeFor(taken) })).status).toBe(
      409,
    );
    await app.database.query(`UPDATE plinth.sessions SET authenticated_at = now() - interval '1 hour'`);
    await app.database.query(`UPDATE plinth.users SET username = 'late' WHERE email = 'late@example.org'`);
    await vi.waitFor(async () => {
      const answer = await app.request('POST', '/auth/identities', { key, body: await codeFor(newLogin()) });
      expect([answer.status, answer.body.type]).toEqual([401, '/problems/reauthentication-required']);
    }, SOON);
  });

  it('does not take a code of a sign-in, nor a sign-in one of a link', async () => {
    const { email } = await createPerson(app, 'mixed@example.org');
    const { accessToken: key } = await signIn(app, email);
    const { codeVerifier, codeChallenge } = newVerifier();
    const code = (await goThrough(newLogin(), { codeChallenge })).get('code');
    expect(
      (await app.request('POST', '/auth/identities', { key, body: { code, codeVerifier } })).status,
    ).toBe(403);
    expect((await post('/auth/oidc/token', await codeFor(newLogin()))).status).toBe(403);
  });
});

describe('a provider of plain OAuth 2', () => {
  it('says who somebody is by its userinfo, with the address that it has verified', async () => {
    const browser = new CookieBrowser();
    const { codeVerifier, codeChallenge } = newVerifier();
    const started = await browser.open(startUrl('git-hub', { codeChallenge }));
    const asked = new URL(locationOf(started, app.url));
    expect(asked.searchParams.get('code_challenge_method')).toBe('S256');
    const search = new URLSearchParams({ code: 'right', state: asked.searchParams.get('state') ?? '' });
    const back = await browser.open(`${app.url}/auth/oidc/git-hub/callback?${search.toString()}`);
    const code = new URL(locationOf(back, app.url)).searchParams.get('code');
    const { status, body } = await post('/auth/oidc/token', { code, codeVerifier });
    expect([status, body.user]).toMatchObject([
      200,
      { email: 'octo@example.org', emailVerifiedAt: expect.any(String), profile: { name: 'Octo' } },
    ]);
    const challenge = createHash('sha256').update(github.lastVerifier).digest('base64url');
    expect(challenge).toBe(asked.searchParams.get('code_challenge'));
  });
});

describe('endpoints that a provider names', () => {
  it.each([
    ['at a private address', 'https://10.0.0.1/token'],
    ['at a name of a private address', 'https://localhost/token'],
    ['without HTTPS elsewhere', 'http://id.example.com/token'],
  ])('are not asked where they are %s', async (_where, endpoint) => {
    const forged = await startForgingProvider();
    onTestFinished(() => forged.close());
    forged.forgery = { metadata: { token_endpoint: endpoint } };
    const environment = {
      PLINTH_PUBLIC_URL: 'http://127.0.0.1:1',
      PLINTH_OIDC_PROVIDERS: 'forger',
      PLINTH_OIDC_FORGER_ISSUER: forged.issuer,
      PLINTH_OIDC_FORGER_CLIENT_ID: CLIENT_ID,
      PLINTH_RETURN_URLS: APP,
    };
    const said: LogLine[] = [];
    const { providers, returnUrls, publicUrl } = parseConfig(environment);
    const other = await startTestApp({
      config: { providers, returnUrls, publicUrl, logLevel: 'info' },
      log: (line) => said.push(line),
    });
    onTestFinished(() => other.close());
    const browser = new CookieBrowser();
    const started = await browser.open(startUrl('forger', {}, other));
    const search = forged.grant(locationOf(started, other.url));
    const back = await browser.open(`${other.url}/auth/oidc/forger/callback?${search.toString()}`);
    expect(new URL(locationOf(back, other.url)).searchParams.get('error')).toBe('provider_unavailable');
    expect(JSON.stringify(said)).toMatch(/is not asked/);
  });
});

interface Github {
  readonly url: string;
  lastVerifier: string;
  close(): Promise<void>;
}

/** The part of GitHub's interface that a sign-in needs. */
async function startGithub(): Promise<Github> {
  const answers: Readonly<Record<string, unknown>> = {
    '/token': { access_token: 'gh', token_type: 'bearer', scope: '' },
    '/user': { id: 583231, login: 'octo', name: 'Octo', email: null },
    '/user/emails': [
      { email: 'noise@example.org', primary: false, verified: true },
      { email: 'octo@example.org', primary: true, verified: true },
    ],
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const path = request.url ?? '';
    const form = new URLSearchParams(text);
    if (path === '/token') running.lastVerifier = form.get('code_verifier') ?? '';
    const isAllowed =
      path === '/token'
        ? form.get('code') === 'right' && form.get('client_secret') === CLIENT_SECRET
        : request.headers.authorization?.toLowerCase() === 'bearer gh';
    response.writeHead(isAllowed ? 200 : 401, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isAllowed ? answers[path] : { error: 'bad' }));
  };
  const server = createServer((request, response) => void serve(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const running: Github = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lastVerifier: '',
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return running;
}
