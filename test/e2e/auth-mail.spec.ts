import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp, type TestResponse } from '../kit/app.js';
import { addressesOf, codeIn, linkIn, openMailbox, tokenIn, type Mailbox } from '../kit/mailbox.js';
import {
  createPerson,
  forgetAttempts,
  PASSWORD,
  signIn,
  signInWithCookie,
  statusOf,
  trySignIn,
} from '../kit/people.js';

const NEW_PASSWORD = 'granite lantern orbit 93';
const PUBLIC_URL = 'https://plinth.example';

let mailbox: Mailbox;
let app: TestApp;
beforeAll(async () => {
  mailbox = await openMailbox();
  app = await startTestApp({
    config: {
      jobConcurrency: 4,
      smtpUrl: mailbox.url,
      mailFrom: 'Example <accounts@plinth.example>',
      publicUrl: PUBLIC_URL,
      returnUrls: ['https://app.example/account/', 'https://app.example/welcome'],
    },
  });
});
afterAll(async () => {
  await app.close();
  await mailbox.close();
});
beforeEach(() => forgetAttempts(app));
afterEach(() => void mailbox.mails.splice(0));

const post = (path: string, body: object, headers?: Record<string, string>): Promise<TestResponse> =>
  app.request('POST', path, { body, headers });
const events = async (kind: string): Promise<object[]> =>
  ((await app.admin('GET', `/system/sign-in-events?kind=${kind}`)).body as { data: object[] }).data;
const me = async (token: string): Promise<{ emailVerifiedAt: string | null }> =>
  (await app.request('GET', '/auth/me', { key: token })).body as { emailVerifiedAt: string | null };
/** Until every job is done: whatever is to be mailed has been. */
const settled = async (): Promise<void> => {
  await expect
    .poll(() => app.database.query('SELECT id FROM plinth_jobs._private_jobs WHERE attempts < max_attempts'))
    .toEqual([]);
};
const only = async (address: string): Promise<Awaited<ReturnType<Mailbox['to']>>[number]> => {
  await settled();
  const mails = await mailbox.to(address);
  expect(mails).toHaveLength(1);
  return mails[0] as (typeof mails)[number];
};
const count = (answers: readonly TestResponse[], status: number): number =>
  answers.filter((answer) => answer.status === status).length;
const fifty = <T>(make: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: 50 }, make));

describe('verification of an address', () => {
  it('is mailed at sign-up, works once of fifty at once, and shows in the account', async () => {
    const email = 'verify@example.org';
    expect((await post('/auth/sign-up', { email, password: PASSWORD })).status).toBe(202);
    const mail = await only(email);
    expect(linkIn(mail).href).toMatch(/^https:\/\/plinth\.example\/auth\/pages\/verify#token=[\w-]{43}$/);
    const { accessToken } = await signIn(app, email);
    expect((await me(accessToken)).emailVerifiedAt).toBeNull();
    const answers = await fifty(() => post('/auth/email/verify', { token: tokenIn(mail) }));
    expect([count(answers, 204), count(answers, 403)]).toEqual([1, 49]);
    expect((await me(accessToken)).emailVerifiedAt).not.toBeNull();
    expect(await events('email.verified')).toHaveLength(1);
  });

  it('is mailed when the user asks, and not any more when it is done', async () => {
    const { email } = await createPerson(app, 'asks@example.org', { profile: { locale: 'de-AT' } });
    const { accessToken } = await signIn(app, email);
    const ask = (): Promise<TestResponse> =>
      app.request('POST', '/auth/email/verify/send', { key: accessToken, body: {} });
    expect((await ask()).status).toBe(202);
    const mail = await only(email);
    expect(mail.subject).toBe('Bestätigen Sie Ihre E-Mail-Adresse für plinth.example');
    expect((await post('/auth/email/verify', { token: tokenIn(mail) })).status).toBe(204);
    expect((await ask()).status).toBe(202);
    await settled();
    expect(mailbox.mails).toHaveLength(1);
    expect((await app.admin('POST', '/auth/email/verify/send', {})).status).toBe(403);
  });

  it('is of one address: the link is good no more after a change, of which both addresses are told', async () => {
    const { id, email } = await createPerson(app, 'before@example.org');
    const { accessToken } = await signIn(app, email);
    await app.request('POST', '/auth/email/verify/send', { key: accessToken, body: {} });
    const first = await only(email);
    await app.admin('PATCH', `/system/users/${id}`, { email: 'after@example.org' });
    expect((await post('/auth/email/verify', { token: tokenIn(first) })).status).toBe(403);
    const second = await only('after@example.org');
    expect((await mailbox.to(email, 2))[1]?.text).toContain('after@example.org');
    expect((await post('/auth/email/verify', { token: tokenIn(second) })).status).toBe(204);
  });

  it('refuses tokens that are expired, unknown or for something else', async () => {
    const { email } = await createPerson(app, 'expired@example.org');
    await post('/auth/password/forgot', { email });
    const reset = tokenIn(await only(email));
    const { accessToken } = await signIn(app, email);
    await app.request('POST', '/auth/email/verify/send', { key: accessToken, body: {} });
    const token = tokenIn((await mailbox.to(email, 2))[1] as never);
    await app.database.query('UPDATE plinth.one_time_tokens SET expires_at = now()');
    for (const bad of [token, reset, 'x', '']) {
      expect((await post('/auth/email/verify', { token: bad })).status).toBe(403);
    }
  });
});

describe('sign-up with an address that has an account', () => {
  it('answers alike and mails that address so', async () => {
    const { email } = await createPerson(app, 'taken@example.org');
    const again = await post('/auth/sign-up', { email, password: NEW_PASSWORD });
    const fresh = await post('/auth/sign-up', { email: 'fresh@example.org', password: NEW_PASSWORD });
    expect([again.status, again.text]).toEqual([fresh.status, fresh.text]);
    expect((await only(email)).subject).toBe('You already have an account at plinth.example');
    expect((await trySignIn(app, email, NEW_PASSWORD)).status).toBe(401);
  });
});

describe('a forgotten password', () => {
  it('[11] is set anew with a link, once of fifty at once, and everything from before is dead', async () => {
    const { email } = await createPerson(app, 'forgot@example.org');
    const { accessToken, refreshToken } = await signIn(app, email);
    const cookie = await signInWithCookie(app, email);
    for (let asked = 0; asked < 2; asked += 1) await post('/auth/password/forgot', { email });
    const [first, second] = await mailbox.to(email, 2);
    const weak = await post('/auth/password/reset', {
      token: tokenIn(first as never),
      password: 'password12',
    });
    expect([weak.status, (weak.body as { errors: object[] }).errors]).toMatchObject([
      400,
      [{ code: 'too-weak' }],
    ]);
    const body = { token: tokenIn(first as never), password: NEW_PASSWORD };
    const answers = await fifty(() => post('/auth/password/reset', body));
    expect([count(answers, 204), count(answers, 403)]).toEqual([1, 49]);
    expect(await statusOf(app, accessToken)).toBe(401);
    expect((await post('/auth/refresh', { refreshToken })).status).toBe(401);
    expect((await fetch(`${app.url}/auth/me`, { headers: { cookie } })).status).toBe(401);
    const other = { token: tokenIn(second as never), password: NEW_PASSWORD };
    expect((await post('/auth/password/reset', other)).status).toBe(403);
    expect((await trySignIn(app, email)).status).toBe(401);
    expect((await trySignIn(app, email, NEW_PASSWORD)).status).toBe(200);
    expect((await mailbox.to(email, 3))[2]?.subject).toBe('Your password at plinth.example was changed');
  });

  it('[18] is answered alike for everybody, and only who has an account gets a mail', async () => {
    const { email } = await createPerson(app, 'known@example.org');
    const blocked = await createPerson(app, 'blocked@example.org');
    await app.admin('POST', `/system/users/${blocked.id}/block`);
    const answers: TestResponse[] = [];
    for (const address of [email, blocked.email, 'unknown@example.org']) {
      answers.push(await post('/auth/password/forgot', { email: address }));
    }
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(new Set(['202 ']));
    await settled();
    expect(mailbox.mails.flatMap(addressesOf)).toEqual([email]);
  });

  it('is slowed down for who asks again and again, and the mailbox is not flooded', async () => {
    const { email } = await createPerson(app, 'flooded@example.org');
    const answers: TestResponse[] = [];
    for (let asked = 0; asked < 8; asked += 1) answers.push(await post('/auth/password/forgot', { email }));
    expect(count(answers, 429)).toBeGreaterThan(0);
    for (let asked = 0; asked < 4; asked += 1) {
      await forgetAttempts(app);
      await post('/auth/password/forgot', { email });
    }
    await settled();
    expect(await mailbox.to(email)).toHaveLength(5);
  });

  it('is told of by mail when the password is changed otherwise, and when a refresh token is stolen', async () => {
    const { email } = await createPerson(app, 'told@example.org');
    const first = await signIn(app, email);
    const changed = await app.request('POST', '/auth/password/change', {
      key: first.accessToken,
      body: { currentPassword: PASSWORD, newPassword: NEW_PASSWORD },
    });
    expect(changed.status).toBe(200);
    expect((await only(email)).subject).toBe('Your password at plinth.example was changed');
    const { refreshToken } = await signIn(app, email, NEW_PASSWORD);
    await post('/auth/refresh', { refreshToken });
    await app.database.query(`UPDATE plinth.sessions SET rotated_at = now() - interval '1 minute'`);
    expect((await post('/auth/refresh', { refreshToken })).status).toBe(401);
    expect((await mailbox.to(email, 2))[1]?.subject).toBe('You were signed out at plinth.example');
  });
});

describe('a code', () => {
  it('[13] signs in once of fifty at once, takes the link along, and verifies the address', async () => {
    const { email } = await createPerson(app, 'code@example.org', { emailVerified: true });
    await post('/auth/code', { email: 'CODE@example.org' });
    const mail = await only(email);
    await app.database.query(`UPDATE plinth.sign_in_attempts SET failures = 0`);
    const answers = await fifty(() => post('/auth/code/verify', { email, code: codeIn(mail) }));
    expect(count(answers, 200)).toBe(1);
    expect(count(answers, 401) + count(answers, 429)).toBe(49);
    expect((await post('/auth/code/verify', { token: tokenIn(mail) })).status).toBe(401);
    const winner = answers.find(({ status }) => status === 200);
    expect(await statusOf(app, String(winner?.body.accessToken))).toBe(200);
  });

  it('[13] or its link does, once of fifty at once, and takes the code along', async () => {
    const { email } = await createPerson(app, 'link@example.org', { emailVerified: true });
    await post('/auth/code', { email });
    const mail = await only(email);
    const answers = await fifty(() => post('/auth/code/verify', { token: tokenIn(mail) }));
    expect([count(answers, 200), count(answers, 401)]).toEqual([1, 49]);
    expect((await post('/auth/code/verify', { email, code: codeIn(mail) })).status).toBe(401);
  });

  it('is worth nothing after five wrong guesses, but the link of the mail is', async () => {
    const { email } = await createPerson(app, 'guessed@example.org');
    await post('/auth/code', { email });
    const mail = await only(email);
    const wrong = codeIn(mail) === '000000' ? '000001' : '000000';
    for (let guess = 0; guess < 5; guess += 1) {
      expect((await post('/auth/code/verify', { email, code: wrong })).status).toBe(401);
    }
    await forgetAttempts(app);
    expect((await post('/auth/code/verify', { email, code: codeIn(mail) })).status).toBe(401);
    expect((await post('/auth/code/verify', { token: tokenIn(mail) })).status).toBe(200);
  });

  it('is not good later, nor for another address', async () => {
    const { email } = await createPerson(app, 'late@example.org');
    const other = await createPerson(app, 'other@example.org');
    await post('/auth/code', { email });
    const code = codeIn(await only(email));
    expect((await post('/auth/code/verify', { email: other.email, code })).status).toBe(401);
    await app.database.query('UPDATE plinth.sign_in_codes SET expires_at = now()');
    expect((await post('/auth/code/verify', { email, code })).status).toBe(401);
    for (const body of [{}, { email }, { code }, { email, code: '12345' }]) {
      expect((await post('/auth/code/verify', body)).status).toBe(400);
    }
  });

  it('makes an account where everybody may sign up, with an address that is verified', async () => {
    const email = 'newcomer@example.org';
    await post('/auth/code', { email });
    const answer = await post('/auth/code/verify', { email, code: codeIn(await only(email)) });
    expect(answer.body).toMatchObject({ user: { email, status: 'active' } });
    expect((answer.body as { user: { emailVerifiedAt: string } }).user.emailVerifiedAt).not.toBeNull();
  });

  it('takes an account back from whoever made it with an address that is not theirs', async () => {
    const email = 'victim@example.org';
    await post('/auth/sign-up', { email, password: PASSWORD });
    const thief = await signIn(app, email);
    await post('/auth/code', { email });
    const [, mail] = await mailbox.to(email, 2);
    expect((await post('/auth/code/verify', { email, code: codeIn(mail as never) })).status).toBe(200);
    expect(await statusOf(app, thief.accessToken)).toBe(401);
    expect((await trySignIn(app, email)).status).toBe(401);
  });

  it('is kept so that who reads the database cannot use it', async () => {
    const { email } = await createPerson(app, 'hashed@example.org');
    await post('/auth/code', { email });
    const mail = await only(email);
    const dump = JSON.stringify(await app.database.query('SELECT * FROM plinth.sign_in_codes'));
    const plain = [codeIn(mail), tokenIn(mail), `${email}\n${codeIn(mail)}`];
    for (const text of [...plain, ...plain.map((one) => createHash('sha256').update(one).digest('hex'))]) {
      expect(dump.replaceAll(/"created_at":"[^"]*"/g, '')).not.toContain(text);
    }
  });
});

describe('an invitation', () => {
  const invite = async (email: string): Promise<string> => {
    const made = await app.admin('POST', '/system/users', { email, invite: true, profile: { locale: 'de' } });
    expect(made.body).toMatchObject({ status: 'invited', emailVerifiedAt: null });
    return (made.body as { id: string }).id;
  };

  it('is mailed, accepted once of fifty at once, and makes the account active', async () => {
    const email = 'invited@example.org';
    await invite(email);
    const mail = await only(email);
    expect(mail.subject).toBe('Ihre Einladung zu plinth.example');
    expect((await trySignIn(app, email)).status).toBe(401);
    const body = { token: tokenIn(mail), password: NEW_PASSWORD };
    const answers = await fifty(() => post('/auth/invitation/accept', body));
    expect([count(answers, 204), count(answers, 403)]).toEqual([1, 49]);
    const { user } = (await trySignIn(app, email, NEW_PASSWORD)).body as { user: object };
    expect(user).toMatchObject({ status: 'active' });
  });

  it('can be sent again, which ends the one before; and not to who has accepted', async () => {
    const email = 'again@example.org';
    const id = await invite(email);
    const first = await only(email);
    expect((await app.admin('POST', `/system/users/${id}/invite`, {})).status).toBe(202);
    const [, second] = await mailbox.to(email, 2);
    const accept = (token: string): Promise<TestResponse> =>
      post('/auth/invitation/accept', { token, password: NEW_PASSWORD });
    expect((await accept(tokenIn(first))).status).toBe(403);
    expect((await accept(tokenIn(second as never))).status).toBe(204);
    expect((await app.admin('POST', `/system/users/${id}/invite`, {})).status).toBe(409);
    const both = { email: 'both@example.org', invite: true, password: PASSWORD };
    expect((await app.admin('POST', '/system/users', both)).status).toBe(400);
  });
});

describe('links', () => {
  it('[17] lead to PLINTH_PUBLIC_URL, whatever the request says of its host', async () => {
    const { email } = await createPerson(app, 'host@example.org');
    const headers = {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      forwarded: 'host=evil.example',
      origin: 'https://evil.example',
      referer: 'https://evil.example/',
    };
    await sendRaw('/auth/password/forgot', { email }, headers);
    await sendRaw('/auth/code', { email }, headers);
    await settled();
    for (const mail of await mailbox.to(email, 2)) {
      expect(linkIn(mail).origin).toBe(PUBLIC_URL);
      expect(JSON.stringify([mail.text, mail.html, [...mail.headers]])).not.toContain('evil');
    }
  });

  it('lead to pages of applications that are allowed, and nowhere else', async () => {
    const { email } = await createPerson(app, 'return@example.org');
    for (const returnTo of ['https://app.example/account/reset', 'https://app.example/welcome']) {
      await post('/auth/password/forgot', { email, returnTo });
    }
    await settled();
    const links = (await mailbox.to(email, 2)).map((mail) => linkIn(mail));
    expect(links.map(({ origin, pathname }) => origin + pathname).toSorted()).toEqual([
      'https://app.example/account/reset',
      'https://app.example/welcome',
    ]);
    await forgetAttempts(app);
    for (const returnTo of [
      'https://evil.example/account/',
      'https://app.example.evil.example/account/',
      'https://app.example@evil.example/account/',
      'https://user@app.example/account/',
      'http://app.example/account/',
      'https://app.example:8443/account/',
      'https://app.example/account',
      'https://app.example/account/../other',
      'https://app.example/account/%2e%2e/other',
      'https://app.example/account/..%2fother',
      'https://app.example/account/..\\other',
      'https://app.example/welcomes',
      'https://app.example/account/?next=https://evil.example',
      'https://app.example/account/#x',
      '//evil.example/account/',
      '/account/',
      'javascript:alert(1)//https://app.example/account/',
      '',
    ]) {
      for (const path of ['/auth/password/forgot', '/auth/code']) {
        expect([returnTo, (await post(path, { email, returnTo })).status]).toEqual([returnTo, 400]);
      }
    }
  });

  it.each(['verify', 'reset', 'sign-in', 'invitation'])(
    'have the page %s, which runs nothing of others',
    async (name) => {
      const response = await fetch(`${app.url}/auth/pages/${name}`, { headers: { 'accept-language': 'de' } });
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(await response.text()).toMatch(/<html lang="de">[^]*page\.js/);
      expect((await fetch(`${app.url}/auth/pages/page.js`)).status).toBe(200);
      expect((await fetch(`${app.url}/auth/pages/other`)).status).toBe(404);
    },
  );
});

describe('the queue', () => {
  it('holds no token that can be read, and shows none', async () => {
    const { email } = await createPerson(app, 'queued@example.org');
    await app.database.query(`
      CREATE TABLE seen AS SELECT payload::text AS payload FROM plinth_jobs._private_jobs LIMIT 0;
      CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO public.seen VALUES (NEW.payload::text); RETURN NULL; END $$;
      CREATE TRIGGER see AFTER INSERT ON plinth_jobs._private_jobs FOR EACH ROW EXECUTE FUNCTION see()`);
    await post('/auth/password/forgot', { email });
    const token = tokenIn(await only(email));
    await app.database.query('DROP TRIGGER see ON plinth_jobs._private_jobs');
    const seen = await app.database.query<{ payload: string }>('SELECT payload FROM seen');
    expect(seen).toHaveLength(2);
    expect(JSON.stringify(seen)).not.toContain(token);
    expect(seen.some(({ payload }) => payload.includes('"sealed"'))).toBe(true);
  });
});

/** `fetch` sets the host itself. */
async function sendRaw(path: string, body: object, headers: Record<string, string>): Promise<void> {
  const { request } = await import('node:http');
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const outgoing = request(
      `${app.url}${path}`,
      { method: 'POST', headers: { ...headers, 'content-type': 'application/json' } },
      (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(body));
  });
  expect(status).toBe(202);
}
