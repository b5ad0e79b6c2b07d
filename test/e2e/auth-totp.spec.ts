import { createHmac } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp, type TestResponse } from '../kit/app.js';
import { createPerson, forgetAttempts, signIn, trySignIn } from '../kit/people.js';
import { addApp, age, codeOf, finish, ticketFor, wrongCodeOf } from '../kit/second-factors.js';

let app: TestApp;
const lines: Readonly<Record<string, unknown>>[] = [];
beforeAll(async () => {
  app = await startTestApp({ config: { logLevel: 'debug' }, log: (line) => lines.push(line) });
});
beforeEach(() => forgetAttempts(app));
afterAll(() => app?.close());

let count = 0;
async function newPerson(): Promise<{ id: string; email: string; key: string }> {
  const { id, email } = await createPerson(app, `totp${(count += 1)}@example.org`);
  const { accessToken: key } = await signIn(app, email);
  return { id, email, key };
}

const post = (path: string, key: string | null, body?: object): Promise<TestResponse> =>
  app.request('POST', path, { key, body });
const enroll = async (key: string): Promise<{ secret: string; uri: string }> =>
  (await post('/auth/totp/enroll', key)).body as { secret: string; uri: string };
const confirm = (key: string, code: string): Promise<TestResponse> =>
  post('/auth/totp/confirm', key, { code });

/** RFC 6238 by hand, as any app does it. */
function appCode(secret: string, atMs: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = Array.from(secret, (letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((octet) => Number.parseInt(octet, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(atMs / 30_000)));
  const mac = createHmac('sha1', key).update(step).digest();
  const offset = (mac.at(-1) ?? 0) & 15;
  return String((mac.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
}

describe('an authenticator app', () => {
  it('is on once a code of it was confirmed, and not before', async () => {
    const { email, key, id } = await newPerson();
    const { secret, uri } = await enroll(key);
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(new URL(uri)).toMatchObject({ protocol: 'otpauth:', host: 'totp' });
    expect(new URL(uri).searchParams.get('secret')).toBe(secret);
    expect(decodeURIComponent(uri)).toContain(`Plinth:${email}`);
    expect((await trySignIn(app, email)).body.step).toBeUndefined();
    const wrong = await confirm(key, wrongCodeOf(secret));
    expect([wrong.status, wrong.body.errors[0].pointer]).toEqual([403, '/code']);
    const { status, body } = await confirm(key, appCode(secret, Date.now()));
    expect(status).toBe(200);
    expect(body.recoveryCodes).toHaveLength(10);
    for (const code of body.recoveryCodes)
      expect(code).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/);
    expect((await trySignIn(app, email)).body.methods).toEqual(['totp', 'recovery-code']);
    expect((await app.request('GET', '/auth/second-factor', { key })).body).toEqual({
      methods: ['totp', 'recovery-code'],
      recoveryCodesLeft: 10,
    });
    // The code that turned it on is used.
    const again = await finish(app, await ticketFor(app, email), { code: appCode(secret, Date.now()) });
    expect(again.status).toBe(401);
    expect((await confirm(key, codeOf(secret, 1))).status).toBe(409);
    const said = JSON.stringify(lines.filter((line) => JSON.stringify(line).includes(id)));
    for (const text of [secret, ...body.recoveryCodes]) expect(said).not.toContain(text);
  });

  it('needs a recent sign-in to be added, and a session', async () => {
    const { id, key } = await newPerson();
    await age(app, id, 10);
    const { status, body } = await post('/auth/totp/enroll', key);
    expect([status, body.type]).toEqual([401, '/problems/reauthentication-required']);
    for (const path of ['/auth/totp/enroll', '/auth/totp/remove', '/auth/recovery-codes']) {
      expect((await app.admin('POST', path)).status).toBe(403);
      expect((await post(path, null)).status).toBe(401);
    }
    expect((await app.admin('POST', '/auth/totp/confirm', { code: '123456' })).status).toBe(403);
  });

  it('takes a code of the step before and of the one after, and none further off', async () => {
    const { id, email, key } = await newPerson();
    const totp = await addApp(app, key, id);
    for (const [steps, status] of [
      [-1, 200],
      [0, 200],
      [1, 200],
      [-3, 401],
      [3, 401],
    ] as const) {
      const ticket = await ticketFor(app, email);
      await totp.freshCode();
      const answer = await finish(app, ticket, { code: codeOf(totp.secret, steps) });
      expect([steps, answer.status]).toEqual([steps, status]);
    }
  });

  it('[row 13] takes each code once, also of 50 sessions and sign-ins at once', async () => {
    const { id, email, key } = await newPerson();
    const totp = await addApp(app, key, id);
    const code = await totp.freshCode();
    expect((await finish(app, await ticketFor(app, email), { code })).status).toBe(200);
    expect((await finish(app, await ticketFor(app, email), { code })).status).toBe(401);
    expect((await post('/auth/step-up', key, { code })).status).toBe(403);
    await forgetAttempts(app);
    // None before it is good any more either.
    const earlier = await finish(app, await ticketFor(app, email), { code: codeOf(totp.secret, -1) });
    expect(earlier.status).toBe(401);

    const tickets = await Promise.all(Array.from({ length: 4 }, () => ticketFor(app, email)));
    await forgetAttempts(app);
    const fresh = await totp.freshCode();
    const answers = await Promise.all([
      ...tickets.map((ticket) => finish(app, ticket, { code: fresh })),
      post('/auth/step-up', key, { code: fresh }),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('is confirmed once, however many ask at once', async () => {
    const { key } = await newPerson();
    const { secret } = await enroll(key);
    const code = codeOf(secret);
    const answers = await Promise.all(Array.from({ length: 5 }, () => confirm(key, code)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409, 409]);
  });

  it('lets nobody guess the code that confirms it', async () => {
    const { key } = await newPerson();
    const { secret } = await enroll(key);
    const statuses = [];
    for (let tries = 0; tries < 6; tries += 1)
      statuses.push((await confirm(key, wrongCodeOf(secret))).status);
    expect(statuses).toEqual([403, 403, 403, 403, 403, 429]);
    for (const code of ['12345', '1234567', 'abcdef', '', ' 12345', 123_456, null]) {
      const answer = await post('/auth/totp/confirm', key, { code });
      expect([code, answer.status]).toEqual([code, 400]);
    }
  });

  it('is replaced by another one without a time in between', async () => {
    const { id, email, key } = await newPerson();
    const old = await addApp(app, key, id);
    const { secret } = await enroll(key);
    expect((await finish(app, await ticketFor(app, email), { code: await old.freshCode() })).status).toBe(
      200,
    );
    const { body } = await confirm(key, codeOf(secret));
    // Those of before are good still.
    expect(body).toEqual({ recoveryCodes: null });
    const ticket = await ticketFor(app, email);
    expect((await finish(app, ticket, { code: codeOf(old.secret, 1) })).status).toBe(401);
    expect((await finish(app, ticket, { code: codeOf(secret, 1) })).status).toBe(200);
  });

  it('is removed with its recovery codes', async () => {
    const { id, email, key } = await newPerson();
    await addApp(app, key, id);
    expect((await post('/auth/totp/remove', key)).status).toBe(204);
    const { body } = await trySignIn(app, email);
    expect(decodeJwt(body.accessToken)).toMatchObject({ amr: ['pwd'], acr: 'aal1' });
    expect((await post('/auth/totp/remove', key)).status).toBe(404);
    expect(await app.database.query('SELECT FROM plinth.recovery_codes WHERE user_id = $1', [id])).toEqual(
      [],
    );
    expect((await post('/auth/recovery-codes', key)).status).toBe(409);
  });

  it('is asked for where apps are switched off, and cannot be added', async () => {
    const { id, email, key } = await newPerson();
    const totp = await addApp(app, key, id);
    const { key: other } = await newPerson();
    const off = await startTestApp({ database: app.database, config: { hasTotp: false } });
    try {
      expect((await off.request('POST', '/auth/totp/enroll', { key: other })).status).toBe(403);
      const answer = await finish(off, await ticketFor(off, email), { code: await totp.freshCode() });
      expect(answer.status).toBe(200);
    } finally {
      await off.close();
    }
  });

  it('of a server with another secret opens nothing, and the log says why', async () => {
    const { id, email, key } = await newPerson();
    const totp = await addApp(app, key, id);
    const told: Readonly<Record<string, unknown>>[] = [];
    const other = await startTestApp({
      database: app.database,
      config: { secret: 'quite another secret than the other', logLevel: 'error' },
      log: (line) => told.push(line),
    });
    try {
      const answer = await finish(other, await ticketFor(other, email), { code: await totp.freshCode() });
      expect(answer.status).toBe(401);
      expect(told).toMatchObject([{ event: 'auth.totp-unreadable', user: id }]);
    } finally {
      await other.close();
    }
  });
});

describe('a recovery code', () => {
  it('is good once in place of another second factor, as people type it, and its use is in the audit', async () => {
    const { id, email, key } = await newPerson();
    const { recoveryCodes } = await addApp(app, key, id);
    const [first = '', second = ''] = recoveryCodes;
    const typed = first.toUpperCase().replaceAll('-', ' ').replaceAll('0', 'O').replaceAll('1', 'l');
    const answer = await finish(app, await ticketFor(app, email), { code: typed });
    expect(decodeJwt(answer.body.accessToken)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' });
    expect((await finish(app, await ticketFor(app, email), { code: first })).status).toBe(401);
    expect((await finish(app, await ticketFor(app, email), { code: second.slice(0, -1) })).status).toBe(401);
    const { body } = await app.admin('GET', `/system/sign-in-events?user=${id}&kind=recovery-code.used`);
    expect(body.data).toHaveLength(1);
    expect((await app.request('GET', '/auth/second-factor', { key })).body.recoveryCodesLeft).toBe(9);
    // It is enough to take the lost app off the account.
    await age(app, id, 10);
    expect((await post('/auth/step-up', key, { code: second })).status).toBe(200);
    expect((await post('/auth/totp/remove', key)).status).toBe(204);
  });

  it('is good no more once there are new ones', async () => {
    const { id, email, key } = await newPerson();
    const { recoveryCodes } = await addApp(app, key, id);
    const { body } = await post('/auth/recovery-codes', key);
    expect(new Set([...body.recoveryCodes, ...recoveryCodes]).size).toBe(20);
    const ticket = await ticketFor(app, email);
    expect((await finish(app, ticket, { code: recoveryCodes[0] })).status).toBe(401);
    expect((await finish(app, ticket, { code: body.recoveryCodes[0] })).status).toBe(200);
  });
});
