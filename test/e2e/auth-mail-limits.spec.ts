import type { ParsedMail } from 'mailparser';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp, type TestResponse } from '../kit/app.js';
import { addressesOf, codeIn, openMailbox, tokenIn, type Mailbox } from '../kit/mailbox.js';
import { createPerson, PASSWORD } from '../kit/people.js';
import { SOON } from '../kit/soon.js';

let mailbox: Mailbox;
let app: TestApp;
beforeAll(async () => {
  mailbox = await openMailbox();
  app = await startTestApp({
    config: {
      jobConcurrency: 4,
      smtpUrl: mailbox.url,
      mailFrom: 'accounts@plinth.example',
      publicUrl: 'https://plinth.example',
      // So that many can guess from many addresses.
      trustedProxies: ['loopback'],
    },
  });
});
afterAll(async () => {
  await app?.close();
  await mailbox?.close();
});
afterEach(() => void mailbox.mails.splice(0));

let count = 0;
const newPerson = async (): Promise<string> =>
  (await createPerson(app, `limited${(count += 1)}@example.org`, { emailVerified: true })).email;

let from = 0;
/** Each request comes from an address that was never seen before. */
const post = (path: string, body: object): Promise<TestResponse> => {
  from += 1;
  const headers = { 'x-forwarded-for': `203.${from >> 16}.${(from >> 8) & 255}.${from & 255}` };
  return app.request('POST', path, { body, headers });
};
const enter = (email: string, code: string): Promise<TestResponse> =>
  post('/auth/code/verify', { email, code });
const signInWith = (email: string, password: string): Promise<TestResponse> =>
  post('/auth/sign-in', { email, password });

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

async function askForCode(email: string): Promise<ParsedMail> {
  const before = (await mailsTo(email)).length;
  expect((await post('/auth/code', { email })).status).toBe(202);
  const [mail, ...others] = (await mailsTo(email)).slice(before);
  expect(others).toEqual([]);
  return mail as ParsedMail;
}

const wrong = (mail: ParsedMail): string => (codeIn(mail) === '000000' ? '000001' : '000000');

/** Lets what was mailed to an address be so much older. */
const age = (email: string, time: string): Promise<unknown> =>
  app.database.query(
    `UPDATE plinth.sign_in_codes SET created_at = created_at - $2::interval, expires_at = expires_at - $2::interval
     WHERE email = $1`,
    [email, time],
  );

/** Twenty wrong guesses, at four codes. */
async function spendTheDay(email: string): Promise<void> {
  for (let asked = 0; asked < 4; asked += 1) {
    const mail = await askForCode(email);
    for (let guess = 0; guess < 5; guess += 1) expect((await enter(email, wrong(mail))).status).toBe(401);
  }
}

describe('guesses at codes of mails', () => {
  it('are twenty in a day from all addresses together, and the codes of that day are worth nothing then', async () => {
    const email = await newPerson();
    await spendTheDay(email);
    const mail = await askForCode(email);
    expect((await enter(email, codeIn(mail))).status).toBe(401);
    await age(email, '25 hours');
    const next = await askForCode(email);
    expect((await enter(email, codeIn(next))).status).toBe(200);
  });

  it('are five at one code, also of fifty at once', async () => {
    const email = await newPerson();
    const mail = await askForCode(email);
    const answers = await Promise.all(Array.from({ length: 50 }, () => enter(email, wrong(mail))));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]));
    await app.database.query('UPDATE plinth.sign_in_attempts SET next_at = now()');
    expect((await enter(email, codeIn(mail))).status).toBe(401);
  });

  it('keep nobody out of a sign-in with the password, or with the link of the mail', async () => {
    const email = await newPerson();
    await spendTheDay(email);
    // More than anybody is patient with: who guesses has to wait now.
    const statuses = await Promise.all(Array.from({ length: 40 }, () => enter(email, '123456')));
    const refused = statuses.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect((await signInWith(email, PASSWORD)).status).toBe(200);
    const mail = await askForCode(email);
    expect((await post('/auth/code/verify', { token: tokenIn(mail) })).status).toBe(200);
  });

  it('at passwords keep nobody out of a sign-in by mail', async () => {
    const email = await newPerson();
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => signInWith(email, 'quite another one 99')),
    );
    const refused = answers.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    const mail = await askForCode(email);
    expect((await enter(email, codeIn(mail))).status).toBe(200);
  });
});

describe('mails with codes', () => {
  it.each(['with', 'without'])('are twenty in an hour to an address %s an account', async (kind) => {
    const email = kind === 'with' ? await newPerson() : 'nobody@example.org';
    const answers = await Promise.all(Array.from({ length: 25 }, () => post('/auth/code', { email })));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(new Set(['202 ']));
    expect(await mailsTo(email)).toHaveLength(20);
    await age(email, '61 minutes');
    await post('/auth/code', { email });
    expect(await mailsTo(email)).toHaveLength(21);
  });

  it('that nobody asked for keep nobody out, neither with the password nor with the link of one of them', async () => {
    const email = await newPerson();
    for (let asked = 0; asked < 25; asked += 1) await post('/auth/code', { email });
    const mails = await mailsTo(email);
    expect(mails).toHaveLength(20);
    expect((await signInWith(email, PASSWORD)).status).toBe(200);
    const links = await Promise.all(mails.map((mail) => post('/auth/code/verify', { token: tokenIn(mail) })));
    expect(links.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

describe('mails with links', () => {
  it('for a new password are five at a time, whoever asks, and one of them is used, however many at once', async () => {
    const email = await newPerson();
    await Promise.all(Array.from({ length: 15 }, () => post('/auth/password/forgot', { email })));
    const mails = await mailsTo(email);
    expect(mails).toHaveLength(5);
    expect((await signInWith(email, PASSWORD)).status).toBe(200);
    const password = 'granite lantern orbit 93';
    const answers = await Promise.all(
      mails.map((mail) => post('/auth/password/reset', { token: tokenIn(mail), password })),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 403, 403, 403, 403]);
    expect((await signInWith(email, password)).status).toBe(200);
  });

  it('that tell of an account are five in a day, however often others sign up with its address', async () => {
    const email = await newPerson();
    const signUp = (): Promise<TestResponse> => post('/auth/sign-up', { email, password: PASSWORD });
    const answers = await Promise.all(Array.from({ length: 15 }, signUp));
    // Some are told to wait, as they are with an address that has no account.
    expect(answers.filter(({ status }) => status === 202).length).toBeGreaterThan(5);
    expect(await mailsTo(email)).toHaveLength(5);
    expect((await signInWith(email, PASSWORD)).status).toBe(200);
    await app.database.query(
      `UPDATE plinth.one_time_tokens SET expires_at = expires_at - interval '24 hours' WHERE purpose = 'account-exists'`,
    );
    await app.database.query('DELETE FROM plinth.sign_in_attempts');
    expect((await signUp()).status).toBe(202);
    expect(await mailsTo(email)).toHaveLength(6);
  });

  it('of two kinds at once do not wait for each other in a circle', async () => {
    const email = 'both@example.org';
    await post('/auth/sign-up', { email, password: PASSWORD });
    const [verification] = (await mailsTo(email)).map(tokenIn);
    await post('/auth/password/forgot', { email });
    const reset = (await mailsTo(email)).map(tokenIn).find((token) => token !== verification);
    const waiting = async (): Promise<number> =>
      (
        await app.database.query(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        )
      ).length;
    const other = await app.database.pool.connect();
    try {
      // Both get as far as what every change of a user waits for.
      await other.query('BEGIN; SELECT FROM plinth.identity_state FOR UPDATE');
      const first = post('/auth/password/reset', { token: reset, password: 'granite lantern orbit 93' });
      await expect.poll(waiting, SOON).toBe(1);
      const second = post('/auth/email/verify', { token: verification });
      await expect.poll(waiting, SOON).toBe(2);
      await other.query('COMMIT');
      // A reset ends every other token.
      expect([(await first).status, (await second).status]).toEqual([204, 403]);
    } finally {
      other.release();
    }
  });
});
