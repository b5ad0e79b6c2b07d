import { decodeJwt } from 'jose';
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../kit/app.js';
import { CHROMIUM, launchBrowser } from '../kit/browser.js';
import { createPerson, forgetAttempts, PASSWORD } from '../kit/people.js';

if (CHROMIUM === null) console.warn('SKIPPED: passkeys in a browser; there is no Chromium on this machine.');

interface Answer {
  readonly status: number;
  // What the page got, of every shape.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

/** What an application's page does: asks the server, then the authenticator, then sends what it gave. */
const PAGE_SCRIPT = `
  window.send = async (method, path, body) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await fetch(path, { method, headers, body: JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  };
  window.addPasskey = async (name) => {
    const asked = await send('POST', '/auth/passkeys/register/options');
    if (asked.status !== 200) return asked;
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked.body);
    const credential = await navigator.credentials.create({ publicKey });
    return send('POST', '/auth/passkeys/register/verify', { credential: credential.toJSON(), name });
  };
  window.getPasskey = async (path, body) => {
    const asked = await send('POST', path, body);
    if (asked.status !== 200) return asked;
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.body);
    return (await navigator.credentials.get({ publicKey })).toJSON();
  };`;

describe.skipIf(CHROMIUM === null)('passkeys in a browser', () => {
  let app: TestApp;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let devtools: CDPSession;
  let authenticatorId: string;
  const email = 'browser@example.org';

  /** Runs a call on the page, in the browser's own session with its cookie. */
  const run = (call: string): Promise<Answer> => page.evaluate<Answer>(`(async () => ${call})()`);
  const json = JSON.stringify;
  const me = (): Promise<Answer> => run(`send('GET', '/auth/me')`);
  const signOut = async (): Promise<void> => {
    expect((await run(`send('POST', '/auth/sign-out')`)).status).toBe(204);
    expect((await me()).status).toBe(401);
  };
  const passwordStep = (): Promise<Answer> =>
    run(`send('POST', '/auth/sign-in', ${json({ email, password: PASSWORD, session: 'cookie' })})`);

  beforeAll(async () => {
    app = await startTestApp();
    await createPerson(app, email);
    browser = await launchBrowser();
    context = await browser.newContext();
    page = await context.newPage();
    devtools = await context.newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    const added = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    ({ authenticatorId } = added);
    await page.addInitScript(PAGE_SCRIPT);
    await page.goto(`http://localhost:${new URL(app.url).port}/docs`);
  });

  afterAll(async () => {
    await browser?.close();
    await app?.close();
  });

  it('are added by somebody who is signed in with a cookie', async () => {
    expect((await passwordStep()).body.user.email).toBe(email);
    const { status, body } = await run(`addPasskey('This browser')`);
    expect([status, body.passkey?.name]).toEqual([201, 'This browser']);
    expect(body.recoveryCodes).toHaveLength(10);
    const { credentials } = await devtools.send('WebAuthn.getCredentials', { authenticatorId });
    expect(credentials).toMatchObject([{ isResidentCredential: true, rpId: 'localhost' }]);
    // The same authenticator does not register twice.
    await expect(run(`addPasskey('Again')`)).rejects.toThrow('InvalidStateError');
  });

  it('sign in without an address or a password', async () => {
    await signOut();
    const answer = await run(
      `send('POST', '/auth/passkeys/sign-in/verify', {
         credential: await getPasskey('/auth/passkeys/sign-in/options', {}), session: 'cookie' })`,
    );
    expect([answer.status, answer.body.user?.email]).toEqual([200, email]);
    expect((await me()).body.email).toBe(email);
  });

  it('are a second factor after a password', async () => {
    await signOut();
    const first = await passwordStep();
    expect(first.body).toMatchObject({ step: 'second-factor', methods: ['passkey', 'recovery-code'] });
    expect((await me()).status).toBe(401);
    const ticket = json(first.body.ticket);
    const second = await run(
      `send('POST', '/auth/second-factor', { ticket: ${ticket},
         credential: await getPasskey('/auth/second-factor/passkey/options', { ticket: ${ticket} }) })`,
    );
    expect([second.status, second.body.user?.email]).toEqual([200, email]);
    expect((await me()).status).toBe(200);
  });

  it('renew what a session has proved', async () => {
    await app.database.query(
      `UPDATE plinth.sessions SET authenticated_at = now() - interval '1 hour', second_factor_at = now() - interval '1 hour'`,
    );
    const refused = await run(`addPasskey('Another')`);
    expect([refused.status, refused.body.type]).toEqual([401, '/problems/reauthentication-required']);
    const renewed = await run(
      `send('POST', '/auth/step-up', { credential: await getPasskey('/auth/step-up/passkey/options') })`,
    );
    expect(renewed).toEqual({ status: 200, body: { expiresIn: 2_592_000 } });
    const renewedCodes = await run(`send('POST', '/auth/recovery-codes')`);
    expect(renewedCodes.body.recoveryCodes).toHaveLength(10);
  });

  it('give no sign-in where their owner was not verified', async () => {
    await signOut();
    await forgetAttempts(app);
    await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await expect(run(`getPasskey('/auth/passkeys/sign-in/options', {})`)).rejects.toThrow('NotAllowedError');
    await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
  });

  it('give tokens, too, that say how they were given', async () => {
    const answer = await run(
      `send('POST', '/auth/passkeys/sign-in/verify', {
         credential: await getPasskey('/auth/passkeys/sign-in/options', ${json({ email })}) })`,
    );
    const claims = decodeJwt(String(answer.body.accessToken));
    expect(claims).toMatchObject({ acr: 'aal2', amr: expect.arrayContaining(['user', 'mfa']), email });
  });

  it('are of no use once they were removed', async () => {
    const signIn = `send('POST', '/auth/passkeys/sign-in/verify', {
      credential: await getPasskey('/auth/passkeys/sign-in/options', {}), session: 'cookie' })`;
    expect((await run(signIn)).status).toBe(200);
    const { body } = await run(`send('GET', '/auth/passkeys')`);
    const removed = await run(`send('DELETE', '/auth/passkeys/${String(body.data[0].id)}')`);
    expect(removed.status).toBe(204);
    await signOut();
    expect((await run(signIn)).status).toBe(401);
    expect((await passwordStep()).body.user.email).toBe(email);
  });
});
