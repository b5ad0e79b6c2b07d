import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { PlinthConfig } from '../../src/common/config/index.js';
import { startTestApp, type TestApp, type TestResponse } from '../kit/app.js';
import { codeIn, openMailbox, tokenIn, type Mailbox } from '../kit/mailbox.js';
import { createPerson, forgetAttempts, PASSWORD, signIn, trySignIn } from '../kit/people.js';
import { addPasskey, codeOf } from '../kit/second-factors.js';
import { SoftwareAuthenticator } from '../kit/software-authenticator.js';

const NEW_PASSWORD = 'granite lantern orbit 93';

let mailbox: Mailbox;
let config: Partial<PlinthConfig>;
let app: TestApp;
beforeAll(async () => {
  mailbox = await openMailbox();
  config = {
    jobConcurrency: 2,
    smtpUrl: mailbox.url,
    mailFrom: 'accounts@plinth.example',
    publicUrl: 'https://plinth.example',
    passkeyDomain: 'localhost',
    passkeyOrigins: ['http://localhost:8055'],
    allowsAnonymous: true,
  };
  app = await startTestApp({ config });
});
beforeEach(() => forgetAttempts(app));
afterAll(async () => {
  await app?.close();
  await mailbox?.close();
});

let count = 0;
const newAddress = (): string => `switched${(count += 1)}@example.org`;

/** The same database behind a server that has something switched off. */
async function startOff(off: Partial<PlinthConfig>): Promise<TestApp> {
  const server = await startTestApp({ database: app.database, config: { ...config, ...off } });
  onTestFinished(() => server.close());
  return server;
}

/** The last mail to an address that has had so many. */
const mailTo = async (address: string, so = 1): Promise<Awaited<ReturnType<Mailbox['to']>>[number]> =>
  (await mailbox.to(address, so)).at(-1) as never;

interface Ask {
  readonly path: string;
  readonly body?: object;
  readonly key?: string;
}

const ask = (at: TestApp, { path, body, key }: Ask): Promise<TestResponse> =>
  at.request('POST', path, { body, key });

/** What works where a method is on, made ready there; the answer there comes last. */
const METHODS: readonly {
  readonly variable: string;
  readonly off: Partial<PlinthConfig>;
  readonly prepare: () => Promise<readonly Ask[]>;
}[] = [
  {
    variable: 'PLINTH_SIGN_UP',
    off: { signUp: 'closed' },
    prepare: async () => [
      { path: '/auth/sign-up', body: { email: newAddress(), password: PASSWORD } },
      {
        path: '/auth/upgrade',
        key: await beginAnonymously(),
        body: { email: newAddress(), password: PASSWORD },
      },
    ],
  },
  {
    variable: 'PLINTH_SIGN_UP=invite',
    off: { signUp: 'invite' },
    prepare: () =>
      Promise.resolve([{ path: '/auth/sign-up', body: { email: newAddress(), password: PASSWORD } }]),
  },
  {
    variable: 'PLINTH_ANONYMOUS',
    off: { allowsAnonymous: false },
    prepare: () => Promise.resolve([{ path: '/auth/anonymous', body: {} }]),
  },
  {
    variable: 'PLINTH_EMAIL_CODES',
    off: { isEmailCodeOn: false },
    prepare: async () => {
      const [email, other] = [await newPerson(), await newPerson()];
      for (const address of [email, other]) await ask(app, { path: '/auth/code', body: { email: address } });
      return [
        { path: '/auth/code', body: { email } },
        { path: '/auth/code/verify', body: { email, code: codeIn(await mailTo(email)) } },
        { path: '/auth/code/verify', body: { token: tokenIn(await mailTo(other)) } },
      ];
    },
  },
  {
    variable: 'PLINTH_PASSWORD_RESET',
    off: { isPasswordResetOn: false },
    prepare: async () => {
      const email = await newPerson();
      await ask(app, { path: '/auth/password/forgot', body: { email } });
      const token = tokenIn(await mailTo(email));
      return [
        { path: '/auth/password/forgot', body: { email } },
        { path: '/auth/password/reset', body: { token, password: NEW_PASSWORD } },
      ];
    },
  },
  {
    variable: 'PLINTH_TOTP',
    off: { hasTotp: false },
    prepare: async () => {
      const { accessToken: key } = await signIn(app, await newPerson());
      const { accessToken: other } = await signIn(app, await newPerson());
      const { body } = await ask(app, { path: '/auth/totp/enroll', key });
      const { secret } = body as { secret: string };
      return [
        { path: '/auth/totp/enroll', key: other },
        { path: '/auth/totp/confirm', key, body: { code: codeOf(secret) } },
      ];
    },
  },
  {
    variable: 'PLINTH_PASSKEYS',
    off: { hasPasskeys: false },
    prepare: async () => {
      const { accessToken: key } = await signIn(app, await newPerson());
      const { accessToken: other } = await signIn(app, await newPerson());
      const authenticator = new SoftwareAuthenticator();
      const second = new SoftwareAuthenticator();
      const optionsFor = async (of: string): Promise<never> =>
        (await ask(app, { path: '/auth/passkeys/register/options', key: of })).body as never;
      await addPasskey(app, other, second);
      const { body: options } = await ask(app, { path: '/auth/passkeys/sign-in/options', body: {} });
      return [
        { path: '/auth/passkeys/register/options', key },
        {
          path: '/auth/passkeys/register/verify',
          key,
          body: { credential: authenticator.create(await optionsFor(key)) },
        },
        { path: '/auth/passkeys/sign-in/options', body: {} },
        { path: '/auth/passkeys/sign-in/verify', body: { credential: second.get(options) } },
      ];
    },
  },
];

const newPerson = async (): Promise<string> =>
  (await createPerson(app, newAddress(), { emailVerified: true })).email;

async function beginAnonymously(): Promise<string> {
  const { body } = await ask(app, { path: '/auth/anonymous', body: {} });
  return (body as { accessToken: string }).accessToken;
}

describe('a way in that is switched off', () => {
  it.each(METHODS)(
    'by $variable is refused at each of its addresses, as the document says, and works where it is on',
    async ({ off, prepare }) => {
      const asks = await prepare();
      const server = await startOff(off);
      for (const one of asks) {
        const { status, body } = await ask(server, one);
        expect([one.path, status, body.type]).toEqual([one.path, 403, '/problems/forbidden']);
        const document = await server.request('GET', '/openapi.json', { key: one.key });
        expect(document.body.paths[one.path].post.responses).toHaveProperty('403');
      }
      // What was refused was good, and was not used up by it.
      for (const one of asks)
        expect([one.path, (await ask(app, one)).status]).toEqual([
          one.path,
          expect.toSatisfy((status: number) => status < 300),
        ]);
    },
  );

  it('leaves the password', async () => {
    const email = await newPerson();
    const server = await startOff(
      Object.assign({}, ...METHODS.map(({ off }) => off)) as Partial<PlinthConfig>,
    );
    expect((await trySignIn(server, email)).status).toBe(200);
  });

  it('by PLINTH_SIGN_UP makes no account by mail either, and is answered alike', async () => {
    const server = await startOff({ signUp: 'closed' });
    const [known, unknown] = [await newPerson(), newAddress()];
    const answers = [];
    for (const email of [known, unknown])
      answers.push(await ask(server, { path: '/auth/code', body: { email } }));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(new Set(['202 ']));
    await mailTo(known);
    expect(mailbox.mails.filter(({ text }) => text?.includes(unknown))).toEqual([]);
    const answer = await ask(server, { path: '/auth/code/verify', body: { email: unknown, code: '123456' } });
    expect(answer.status).toBe(401);
  });

  it('by PLINTH_OIDC_PROVIDERS is no provider', async () => {
    expect((await app.request('GET', '/auth/providers')).body).toEqual({ data: [] });
    expect((await app.request('GET', '/auth/oidc/acme?returnTo=https://app.example')).status).toBe(404);
  });
});
