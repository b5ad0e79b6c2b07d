import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../kit/app.js';
import { CHROMIUM, launchBrowser } from '../kit/browser.js';
import { findFreePort } from '../kit/free-port.js';
import { linkIn, openMailbox, type Mailbox } from '../kit/mailbox.js';
import { createPerson, forgetAttempts, PASSWORD, signIn, trySignIn } from '../kit/people.js';

if (CHROMIUM === null)
  console.warn('SKIPPED: the pages behind links in mails; there is no Chromium on this machine.');

const NEW_PASSWORD = 'granite lantern orbit 93';

describe.skipIf(CHROMIUM === null)('the pages behind links in mails, in a browser', () => {
  let mailbox: Mailbox;
  let app: TestApp;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    mailbox = await openMailbox();
    const port = await findFreePort();
    app = await startTestApp({
      config: {
        port,
        publicUrl: `http://127.0.0.1:${port}`,
        jobConcurrency: 2,
        smtpUrl: mailbox.url,
        mailFrom: 'accounts@plinth.example',
      },
    });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await app?.close();
    await mailbox?.close();
  });
  beforeEach(async () => {
    await forgetAttempts(app);
    mailbox.mails.splice(0);
    await context?.close();
    context = await browser.newContext({ locale: 'en-GB' });
    page = await context.newPage();
  });

  const openLink = async (address: string): Promise<void> => {
    const [mail] = await mailbox.to(address);
    if (mail === undefined) throw new Error(`Nothing came to ${address}`);
    await page.goto(linkIn(mail).href);
    // The token does not stay where others look.
    await expect.poll(() => page.url()).not.toContain('token');
  };
  const press = (name: string): Promise<void> => page.getByRole('button', { name }).click();
  const outcome = async (text: string): Promise<void> => {
    await expect.poll(() => page.getByRole('status').textContent()).toBe(text);
  };

  it('verify an address on a click, and not before', async () => {
    const email = 'page-verify@example.org';
    await app.request('POST', '/auth/sign-up', { body: { email, password: PASSWORD } });
    await openLink(email);
    const { accessToken } = await signIn(app, email);
    const isVerified = async (): Promise<boolean> =>
      (await app.request('GET', '/auth/me', { key: accessToken })).body.emailVerifiedAt !== null;
    expect(await isVerified()).toBe(false);
    await press('Confirm the address');
    await outcome('Done: the address is confirmed.');
    expect(await isVerified()).toBe(true);
  });

  it('ask for the mail that sets a new password, say why one is refused, and set it', async () => {
    const { email } = await createPerson(app, 'page-reset@example.org');
    await page.goto(`${app.url}/auth/pages/reset`);
    await page.getByLabel('E-mail address').fill(email);
    await press('Send the mail');
    await outcome('If there is an account with this address, the mail is on its way.');
    await openLink(email);
    await page.getByLabel('Password').fill('password1');
    await press('Set the password');
    await expect.poll(() => page.getByRole('status').textContent()).toContain('password');
    await page.getByLabel('Password').fill(NEW_PASSWORD);
    await press('Set the password');
    await outcome('Done: sign in with the new password.');
    expect((await trySignIn(app, email, NEW_PASSWORD)).status).toBe(200);
    expect((await trySignIn(app, email, PASSWORD)).status).toBe(401);
  });

  it('sign in with a cookie that scripts cannot read', async () => {
    const { email } = await createPerson(app, 'page-link@example.org');
    await app.request('POST', '/auth/code', { body: { email } });
    await openLink(email);
    await press('Sign in');
    await outcome('Done: you are signed in.');
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
    const told = await page.evaluate<string>(`fetch('/auth/me').then((answer) => answer.text())`);
    expect(told).toContain(email);
  });

  it('let whoever was invited choose a password, in their language', async () => {
    const email = 'page-invited@example.org';
    await app.admin('POST', '/system/users', { email, invite: true });
    await context.close();
    context = await browser.newContext({ locale: 'de-DE' });
    page = await context.newPage();
    await openLink(email);
    await page.getByLabel('Passwort').fill(NEW_PASSWORD);
    await press('Annehmen');
    await outcome('Fertig: Melden Sie sich mit Ihrer Adresse und dem Passwort an.');
    expect((await trySignIn(app, email, NEW_PASSWORD)).status).toBe(200);
  });

  it('take the colours that the system has', async () => {
    await page.goto(`${app.url}/auth/pages/reset`);
    const colours = (): Promise<readonly string[]> =>
      page.evaluate(
        `['body', 'main', 'h1', 'input', 'button:not([hidden])'].map((part) => {
          const { color, backgroundColor } = getComputedStyle(document.querySelector(part));
          return color + ' on ' + backgroundColor;
        })`,
      );
    const light = await colours();
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await colours();
    expect(dark.filter((colour, place) => colour === light[place])).toEqual([]);
  });

  it('fit a telephone, and say that a link is used up', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${app.url}/auth/pages/verify#token=${'x'.repeat(43)}`);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    await press('Confirm the address');
    await outcome('The link is unknown, used or expired; ask for another one.');
  });
});
