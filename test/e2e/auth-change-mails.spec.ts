import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ParsedMail } from 'mailparser';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/common/config/index.js';
import { startTestApp, type TestApp, type TestResponse } from '../kit/app.js';
import { CookieBrowser } from '../kit/cookie-browser.js';
import { findFreePort } from '../kit/free-port.js';
import { addressesOf, linkIn, openMailbox, type Mailbox } from '../kit/mailbox.js';
import {
  CLIENT_ID,
  CLIENT_SECRET,
  passThrough,
  startOpenidProvider,
  type RunningProvider,
} from '../kit/openid-provider.js';
import { createPerson, forgetAttempts, PASSWORD, signIn } from '../kit/people.js';
import { addApp, addPasskey, finish, ticketFor, wrongCodeOf } from '../kit/second-factors.js';
import { SOON } from '../kit/soon.js';

const RETURN = 'https://app.example.com/signed-in';

let mailbox: Mailbox;
let provider: RunningProvider;
let app: TestApp;
beforeAll(async () => {
  const port = await findFreePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  mailbox = await openMailbox();
  provider = await startOpenidProvider([`${publicUrl}/auth/oidc/acme/callback`]);
  const mailTemplates = await mkdtemp(join(tmpdir(), 'plinth-mail-'));
  const text = 'Subject: Une clé de plus\n\n{{name}} ouvre le compte de {{email}}: {{link}}\n';
  await writeFile(join(mailTemplates, 'passkey-added.fr.txt'), text);
  const { providers, returnUrls } = parseConfig({
    PLINTH_PUBLIC_URL: publicUrl,
    PLINTH_OIDC_PROVIDERS: 'acme',
    PLINTH_OIDC_ACME_LABEL: 'Acme & Söhne',
    PLINTH_OIDC_ACME_ISSUER: provider.issuer,
    PLINTH_OIDC_ACME_CLIENT_ID: CLIENT_ID,
    PLINTH_OIDC_ACME_CLIENT_SECRET: CLIENT_SECRET,
    PLINTH_RETURN_URLS: RETURN,
  });
  app = await startTestApp({
    config: {
      port,
      publicUrl,
      providers,
      returnUrls,
      mailTemplates,
      // Passkeys of the software authenticator are of localhost.
      passkeyDomain: 'localhost',
      passkeyOrigins: ['http://localhost:8055'],
      allowsAnonymous: true,
      jobConcurrency: 4,
      smtpUrl: mailbox.url,
      mailFrom: 'accounts@plinth.example',
    },
  });
});
afterAll(async () => {
  await app?.close();
  await Promise.all([provider?.close(), mailbox?.close()]);
});
beforeEach(() => forgetAttempts(app));
afterEach(() => void mailbox.mails.splice(0));

interface Someone {
  readonly id: string;
  readonly email: string;
  readonly key: string;
}

let count = 0;
async function newPerson(fields: object = {}): Promise<Someone> {
  const { id, email } = await createPerson(app, `changes${(count += 1)}@example.org`, {
    emailVerified: true,
    ...fields,
  });
  return { id, email, key: (await signIn(app, email)).accessToken };
}

const asked = (method: string, path: string, key: string, body?: object): Promise<TestResponse> =>
  app.request(method, path, { key, body });

/** What came to an address, once every job is done. */
async function mailsTo(address: string): Promise<readonly ParsedMail[]> {
  await expect
    .poll(
      () => app.database.query('SELECT id FROM plinth_jobs._private_jobs WHERE attempts < max_attempts'),
      SOON,
    )
    .toEqual([]);
  return mailbox.mails.filter((mail) => addressesOf(mail).includes(address));
}

/** Begins to sign in at the provider; gives what an application gives for tokens or a link. */
async function codeOf(login: string, query: Record<string, string> = {}): Promise<object> {
  provider.accounts.set(login, { email: `${login}@example.org`, email_verified: true, name: login });
  const codeVerifier = randomBytes(32).toString('base64url');
  const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');
  const search = new URLSearchParams({ returnTo: RETURN, codeChallenge, ...query });
  const start = `${app.url}/auth/oidc/acme?${search.toString()}`;
  const end = await passThrough(new CookieBrowser(), start, login, (url) => url.startsWith(RETURN));
  return { codeVerifier, code: new URL(end).searchParams.get('code') };
}

/** Changes of which each is told by one mail, and a part of what it says. */
const changes: readonly {
  readonly change: string;
  readonly before?: (someone: Someone) => Promise<unknown>;
  readonly make: (someone: Someone) => Promise<unknown>;
  readonly subject: string;
  readonly says: string;
}[] = [
  {
    change: 'an authenticator app that is added',
    make: ({ key, id }) => addApp(app, key, id),
    subject: 'An authenticator app was added at',
    says: 'has a new authenticator app',
  },
  {
    change: 'an authenticator app that is removed',
    before: ({ key, id }) => addApp(app, key, id),
    make: ({ key }) => asked('POST', '/auth/totp/remove', key),
    subject: 'Your authenticator app was removed at',
    says: 'was removed',
  },
  {
    change: 'a passkey that is added',
    make: ({ key }) => addPasskey(app, key),
    subject: 'A passkey was added at',
    says: 'has a new passkey, "',
  },
  {
    change: 'a passkey that is removed',
    before: ({ key }) => addPasskey(app, key),
    make: async ({ key }) => {
      const { body } = await asked('GET', '/auth/passkeys', key);
      const { id } = (body as { data: { id: string }[] }).data[0] as { id: string };
      await asked('PATCH', `/auth/passkeys/${id}`, key, { name: 'Old <b>phone</b>' });
      return asked('DELETE', `/auth/passkeys/${id}`, key);
    },
    subject: 'A passkey was removed at',
    says: 'The passkey "Old <b>phone</b>" of your account',
  },
  {
    change: 'recovery codes that are new',
    before: ({ key, id }) => addApp(app, key, id),
    make: ({ key }) => asked('POST', '/auth/recovery-codes', key),
    subject: 'You have new recovery codes at',
    says: 'Those of before are good no more',
  },
  {
    change: 'an identity that is linked',
    make: async ({ key, id }) =>
      asked('POST', '/auth/identities', key, await codeOf(`link-${id}`, { intent: 'link' })),
    subject: 'Sign-in with Acme & Söhne was added at',
    says: 'signed in to with Acme & Söhne now',
  },
  {
    change: 'an identity that is unlinked',
    before: async ({ key, id }) =>
      asked('POST', '/auth/identities', key, await codeOf(`unlink-${id}`, { intent: 'link' })),
    make: async ({ key }) => {
      const { body } = await asked('GET', '/auth/identities', key);
      const [linked] = (body as { data: { id: string }[] }).data;
      return asked('DELETE', `/auth/identities/${linked?.id}`, key);
    },
    subject: 'Sign-in with Acme & Söhne was removed at',
    says: 'signed in to with Acme & Söhne no more',
  },
  {
    change: 'an identity that a sign-in links by the address',
    make: async ({ email }) =>
      app.request('POST', '/auth/oidc/token', { body: await codeOf(email.slice(0, email.indexOf('@'))) }),
    subject: 'Sign-in with Acme & Söhne was added at',
    says: 'signed in to with Acme & Söhne now',
  },
  {
    change: 'second factors that an administrator takes away',
    before: ({ key, id }) => addApp(app, key, id),
    make: ({ id }) => app.admin('POST', `/system/users/${id}/reset-second-factor`),
    subject: 'Your second factor at',
    says: 'have taken all second factors from your account',
  },
];

describe('a user is told by mail of', () => {
  it.each(changes)('$change', async ({ before, make, subject, says }) => {
    const someone = await newPerson();
    await before?.(someone);
    const told = (await mailsTo(someone.email)).length;
    await make(someone);
    const [mail, ...others] = (await mailsTo(someone.email)).slice(told);
    expect([mail?.subject, mail?.text]).toEqual([
      expect.stringContaining(subject),
      expect.stringContaining(says),
    ]);
    expect(others).toEqual([]);
    expect(linkIn(mail as ParsedMail).pathname).toBe('/auth/pages/reset');
    expect(mail?.html).not.toContain('<b>phone');
    expect(`${mail?.text}${mail?.html as string}`).not.toMatch(/\{\{|undefined|null/);
  });

  it.each(changes)('$change, in their language', async ({ before, make }) => {
    const someone = await newPerson({ profile: { locale: 'de' } });
    await before?.(someone);
    const told = (await mailsTo(someone.email)).length;
    await make(someone);
    const [mail] = (await mailsTo(someone.email)).slice(told);
    expect([mail?.text, mail?.html]).toEqual([
      expect.stringMatching(/Ihr|Konto/),
      expect.stringContaining('lang="de"'),
    ]);
  });

  it('a change in the words of the operator', async () => {
    const { email, key } = await newPerson({ profile: { locale: 'fr' } });
    await addPasskey(app, key);
    const [mail] = await mailsTo(email);
    expect([mail?.subject, mail?.text]).toEqual([
      'Une clé de plus',
      expect.stringContaining(`ouvre le compte de ${email}: http`),
    ]);
  });
});

describe('a user is not told of', () => {
  // A sign-in that links by the address has shown just that.
  it.each(changes.filter(({ change }) => !change.endsWith('by the address')))(
    '$change, at an address that nobody has shown to be theirs',
    async ({ before, make }) => {
      const someone = await newPerson({ emailVerified: false });
      await before?.(someone);
      await make(someone);
      expect(await mailsTo(someone.email)).toEqual([]);
    },
  );

  it('what was refused, or has changed nothing', async () => {
    const { id, email, key } = await newPerson();
    const { secret } = (await asked('POST', '/auth/totp/enroll', key)).body as { secret: string };
    const nothing: readonly [number, Promise<TestResponse>][] = [
      [403, asked('POST', '/auth/totp/confirm', key, { code: wrongCodeOf(secret) })],
      [404, asked('POST', '/auth/totp/remove', key)],
      [409, asked('POST', '/auth/recovery-codes', key)],
      [404, asked('DELETE', `/auth/passkeys/${id}`, key)],
      [404, asked('DELETE', `/auth/identities/${id}`, key)],
      [204, app.admin('POST', `/system/users/${id}/reset-second-factor`)],
    ];
    for (const [status, answer] of nothing) expect((await answer).status).toBe(status);
    expect(await mailsTo(email)).toEqual([]);
  });

  it('a sign-in with what is there already', async () => {
    const { id, email, key } = await newPerson();
    const totp = await addApp(app, key, id);
    await asked('POST', '/auth/identities', key, await codeOf(`there-${id}`, { intent: 'link' }));
    expect(await mailsTo(email)).toHaveLength(2);
    await finish(app, await ticketFor(app, email), { code: await totp.freshCode() });
    await app.request('POST', '/auth/oidc/token', { body: await codeOf(`there-${id}`) });
    await asked('POST', '/auth/identities', key, await codeOf(`there-${id}`, { intent: 'link' }));
    expect(await mailsTo(email)).toHaveLength(2);
  });

  it('the identity that an account begins with', async () => {
    await app.request('POST', '/auth/oidc/token', { body: await codeOf('beginner') });
    expect(await mailsTo('beginner@example.org')).toEqual([]);
    const begun = await app.request('POST', '/auth/anonymous', { body: {} });
    const { accessToken: key } = begun.body as { accessToken: string };
    const linked = await asked('POST', '/auth/identities', key, await codeOf('upgrader', { intent: 'link' }));
    expect(linked.status).toBe(201);
    expect(await mailsTo('upgrader@example.org')).toEqual([]);
  });

  it('a second factor of somebody without an account, who has no address', async () => {
    const begun = await app.request('POST', '/auth/anonymous', { body: {} });
    await addPasskey(app, (begun.body as { accessToken: string }).accessToken);
    await mailsTo('');
    expect(mailbox.mails).toEqual([]);
  });

  it('a reset before they have accepted their invitation', async () => {
    const email = 'invited@example.org';
    const made = await app.admin('POST', '/system/users', { email, invite: true, emailVerified: true });
    const { id } = made.body as { id: string };
    await app.admin('POST', `/system/users/${id}/reset-second-factor`);
    expect((await mailsTo(email)).map(({ subject }) => subject)).toEqual([
      expect.stringContaining('invitation'),
    ]);
  });
});

it('who is told of a change that was not theirs signs everybody out with a new password', async () => {
  const { email, key } = await newPerson();
  await addPasskey(app, key);
  const [mail] = await mailsTo(email);
  expect((await fetch(linkIn(mail as ParsedMail))).status).toBe(200);
  await app.request('POST', '/auth/password/forgot', { body: { email } });
  const [, reset] = await mailsTo(email);
  const token = new URLSearchParams(linkIn(reset as ParsedMail).hash.slice(1)).get('token');
  await app.request('POST', '/auth/password/reset', { body: { token, password: `new ${PASSWORD}` } });
  expect((await fetch(`${app.url}/auth/me`, { headers: { authorization: `Bearer ${key}` } })).status).toBe(
    401,
  );
});
