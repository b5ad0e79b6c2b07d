import { Controller, Get, Module } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Access, RequireRecentAuth } from '../../src/index.js';
import { startTestApp, type TestApp, type TestResponse } from '../kit/app.js';
import { createPerson, forgetAttempts, PASSWORD, signIn, statusOf, trySignIn } from '../kit/people.js';
import {
  addApp,
  addPasskey,
  age,
  codeOf,
  finish,
  ticketFor,
  wrongCodeOf,
  type AuthenticatorApp,
} from '../kit/second-factors.js';
import { SOON } from '../kit/soon.js';

const SCHEMA = { schema: { type: 'object' } } as const;

@Access('authenticated')
@Controller('vault')
class VaultController {
  @Get('open')
  @ApiOkResponse(SCHEMA)
  @RequireRecentAuth(300, { secondFactor: true })
  open(): object {
    return { isOpen: true };
  }

  @Get('look')
  @ApiOkResponse(SCHEMA)
  @RequireRecentAuth(300, { secondFactor: 'if-enrolled' })
  look(): object {
    return { isOpen: false };
  }
}

@Module({ controllers: [VaultController] })
class VaultModule {}

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({
    imports: [VaultModule],
    sql: `CREATE TABLE notes (id int PRIMARY KEY, body text); INSERT INTO notes VALUES (1, 'secret')`,
  });
});
beforeEach(() => forgetAttempts(app));
afterAll(() => app?.close());

let count = 0;
interface Protected {
  readonly id: string;
  readonly email: string;
  readonly key: string;
  readonly totp: AuthenticatorApp;
}

/** Somebody with an authenticator app, signed in since before it was added. */
async function newProtected(): Promise<Protected> {
  const { id, email } = await createPerson(app, `factor${(count += 1)}@example.org`);
  const { accessToken: key } = await signIn(app, email);
  return { id, email, key, totp: await addApp(app, key, id) };
}

const get = (path: string, key: string): Promise<TestResponse> => app.request('GET', path, { key });
const stepUp = (key: string, body: object): Promise<TestResponse> =>
  app.request('POST', '/auth/step-up', { key, body });
const eventsOf = async (id: string): Promise<string[]> => {
  const { body } = await app.admin('GET', `/system/sign-in-events?user=${id}`);
  return (body.data as { kind: string }[]).map(({ kind }) => kind);
};

describe('a sign-in with a second factor', () => {
  it('takes two steps, and tells afterwards how it was proved', async () => {
    const { id, email, totp } = await newProtected();
    const first = await trySignIn(app, email);
    expect([first.status, first.body]).toEqual([
      200,
      {
        step: 'second-factor',
        ticket: expect.stringMatching(/^[\w-]{43}$/),
        methods: ['totp', 'recovery-code'],
        expiresIn: 300,
      },
    ]);
    expect(first.headers.get('cache-control')).toBe('no-store');
    const second = await finish(app, first.body.ticket, { code: await totp.freshCode() });
    expect([second.status, second.body.user.email]).toEqual([200, email]);
    expect(second.headers.get('cache-control')).toBe('no-store');
    const claims = decodeJwt(second.body.accessToken);
    expect(claims).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' });
    expect(Math.abs((claims['auth_time'] as number) - Date.now() / 1000)).toBeLessThan(60);
    expect(await eventsOf(id)).toEqual([
      'signed-in',
      'second-factor.asked',
      'totp.added',
      'signed-in',
      'user.created',
    ]);
    const refreshed = await app.request('POST', '/auth/refresh', {
      body: { refreshToken: second.body.refreshToken },
    });
    expect(decodeJwt(refreshed.body.accessToken)).toMatchObject({
      acr: 'aal2',
      auth_time: claims['auth_time'],
    });
  });

  it('tells policies how it was proved', async () => {
    await app.admin('POST', '/system/policies', {
      role: 'authenticated',
      collection: 'notes',
      action: 'read',
      condition: 'auth.kind == "user" && "mfa" in auth.claims.amr',
      fields: ['id', 'body'],
    });
    const { email } = await createPerson(app, `factor${(count += 1)}@example.org`);
    const { accessToken } = await signIn(app, email);
    expect((await get('/api/notes', accessToken)).body.data).toEqual([]);
    const person = await newProtected();
    const { body } = await finish(app, await ticketFor(app, person.email), {
      code: await person.totp.freshCode(),
    });
    expect((await get('/api/notes', body.accessToken)).body.data).toEqual([{ id: 1, body: 'secret' }]);
  });

  it('gives the cookie that the first step has asked for, and to no page of another site', async () => {
    const { email, totp } = await newProtected();
    const first = await app.request('POST', '/auth/sign-in', {
      body: { email, password: PASSWORD, session: 'cookie' },
    });
    expect(first.headers.get('set-cookie')).toBeNull();
    const send = (headers: Record<string, string>, code: string): Promise<TestResponse> =>
      app.request('POST', '/auth/second-factor', { body: { ticket: first.body.ticket, code }, headers });
    const code = await totp.freshCode();
    expect((await send({ origin: 'https://evil.example' }, code)).status).toBe(403);
    const second = await send({}, code);
    expect(second.status).toBe(200);
    expect(Object.keys(second.body).toSorted()).toEqual(['expiresIn', 'user']);
    const cookie = second.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
    const me = await app.request('GET', '/auth/me', { headers: { cookie } });
    expect(me.body.email).toBe(email);
  });

  it('answers a wrong password alike, whether or not there is a second factor', async () => {
    const { email } = await newProtected();
    const { email: plain } = await createPerson(app, `factor${(count += 1)}@example.org`);
    const answers = [];
    for (const address of [email, plain, 'nobody@example.org']) {
      const { status, body, headers } = await trySignIn(app, address, 'quite another one 99');
      answers.push([status, { ...body, requestId: '' }, headers.get('www-authenticate')]);
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });

  it('lets a ticket survive a few wrong codes, and no more', async () => {
    const { id, email, totp } = await newProtected();
    const ticket = await ticketFor(app, email);
    const wrong = wrongCodeOf(totp.secret);
    for (let tries = 0; tries < 4; tries += 1) {
      const { status, body } = await finish(app, ticket, { code: wrong });
      expect([status, body.type]).toEqual([401, '/problems/unauthenticated']);
    }
    expect((await finish(app, ticket, { code: await totp.freshCode() })).status).toBe(200);
    const other = await ticketFor(app, email);
    for (let tries = 0; tries < 5; tries += 1) await finish(app, other, { code: wrong });
    await forgetAttempts(app);
    expect((await finish(app, other, { code: await totp.freshCode() })).status).toBe(401);
    expect((await eventsOf(id)).filter((kind) => kind === 'second-factor.refused')).toHaveLength(9);
  });

  it('slows down who guesses codes, with however many tickets', async () => {
    const { email, totp } = await newProtected();
    const wrong = wrongCodeOf(totp.secret);
    const statuses = [];
    for (let tries = 0; tries < 7; tries += 1) {
      statuses.push((await finish(app, await ticketFor(app, email), { code: wrong })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
    const answer = await finish(app, await ticketFor(app, email), { code: await totp.freshCode() });
    expect([answer.status, Number(answer.headers.get('retry-after'))]).toEqual([429, expect.any(Number)]);
  });

  it('[row 13] lets one of 50 uses of a ticket at once through', async () => {
    const { id, email, totp } = await newProtected();
    const ticket = await ticketFor(app, email);
    const code = await totp.freshCode();
    const before = await app.database.query('SELECT FROM plinth.sessions WHERE user_id = $1', [id]);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        fetch(`${app.url}/auth/second-factor`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ ticket, code }),
        }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.every(({ status }) => [200, 401, 429].includes(status))).toBe(true);
    const after = await app.database.query('SELECT FROM plinth.sessions WHERE user_id = $1', [id]);
    expect(after.length - before.length).toBe(1);
  });

  it('[row 13] lets one recovery code through once, also with 5 tickets at once', async () => {
    const { email, totp } = await newProtected();
    const [code = ''] = totp.recoveryCodes;
    const tickets = await Promise.all(Array.from({ length: 5 }, () => ticketFor(app, email)));
    const answers = await Promise.all(tickets.map((ticket) => finish(app, ticket, { code })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('[row 26] takes no ticket that was made up, is used, too old, or of another kind', async () => {
    const { id, email, totp, key } = await newProtected();
    const ticket = await ticketFor(app, email);
    const used = await ticketFor(app, email);
    expect((await finish(app, used, { code: await totp.freshCode() })).status).toBe(200);
    const { refreshToken } = await signInFully(email, totp);
    for (const made of [
      used,
      'A'.repeat(43),
      ticket.slice(0, -1),
      '',
      key.slice(0, 100),
      refreshToken.slice(0, 100),
    ]) {
      const { status } = await finish(app, made, { code: await totp.freshCode() });
      expect([made, status]).toEqual([made, 401]);
    }
    // A ticket is no credential anywhere else.
    expect(await statusOf(app, ticket)).toBe(401);
    await app.database.query(
      `UPDATE plinth.one_time_tokens SET expires_at = now() - interval '1 second' WHERE user_id = $1`,
      [id],
    );
    expect((await finish(app, ticket, { code: await totp.freshCode() })).status).toBe(401);
  });

  it('keeps tickets and codes only as hashes, and secrets encrypted', async () => {
    const { email, totp } = await newProtected();
    const ticket = await ticketFor(app, email);
    const dump = await app.database.query<{ text: string }>(`
      SELECT row_to_json(t)::text AS text FROM plinth.one_time_tokens t
      UNION ALL SELECT row_to_json(t)::text FROM plinth.user_totp t
      UNION ALL SELECT row_to_json(t)::text FROM plinth.recovery_codes t
      UNION ALL SELECT encode(secret, 'escape') FROM plinth.user_totp
      UNION ALL SELECT encode(hash, 'escape') FROM plinth.recovery_codes`);
    const all = dump.map(({ text }) => text).join('\n');
    for (const secret of [ticket, totp.secret, ...totp.recoveryCodes]) expect(all).not.toContain(secret);
    const raw = Buffer.from(ticket, 'base64url').toString('hex');
    expect(all).not.toContain(raw);
  });

  it("takes no answer for another user's ticket", async () => {
    const [one, two] = [await newProtected(), await newProtected()];
    const ticket = await ticketFor(app, one.email);
    expect((await finish(app, ticket, { code: await two.totp.freshCode() })).status).toBe(401);
    expect((await finish(app, ticket, { code: two.totp.recoveryCodes[0] })).status).toBe(401);
    const passkey = await addPasskey(app, two.key);
    const { body: options } = await app.request('POST', '/auth/second-factor/passkey/options', {
      body: { ticket },
    });
    expect((await finish(app, ticket, { credential: passkey.get(options) })).status).toBe(401);
  });

  it('lets nobody in who was blocked, reset or signed out between the steps', async () => {
    const blocked = await newProtected();
    let ticket = await ticketFor(app, blocked.email);
    await app.admin('POST', `/system/users/${blocked.id}/block`);
    const answer = await finish(app, ticket, { code: await blocked.totp.freshCode() });
    expect([answer.status, answer.body.type]).toEqual([401, '/problems/unauthenticated']);
    await app.admin('POST', `/system/users/${blocked.id}/unblock`);
    expect(await app.database.query('SELECT FROM plinth.sessions WHERE user_id = $1', [blocked.id])).toEqual(
      [],
    );

    const changed = await newProtected();
    ticket = await ticketFor(app, changed.email);
    await app.admin('PATCH', `/system/users/${changed.id}`, { password: 'granite otter ballad 77' });
    expect((await finish(app, ticket, { code: await changed.totp.freshCode() })).status).toBe(401);

    const reset = await newProtected();
    ticket = await ticketFor(app, reset.email);
    await app.admin('POST', `/system/users/${reset.id}/reset-second-factor`);
    expect((await finish(app, ticket, { code: codeOf(reset.totp.secret) })).status).toBe(401);
  });

  it('wants exactly one answer, in its form', async () => {
    const { email } = await newProtected();
    const ticket = await ticketFor(app, email);
    const credential = { id: 'AA', type: 'public-key', response: {} };
    for (const [body, pointer] of [
      [{ ticket }, '/code'],
      [{ ticket, code: '123456', credential }, '/code'],
      [{ ticket, code: 123_456 }, '/code'],
      [{ ticket, code: 'x'.repeat(65) }, '/code'],
      [{ code: '123456' }, '/ticket'],
      [{ ticket, credential: [] }, '/credential'],
      [{ ticket, credential }, '/credential/response/clientDataJSON'],
      [{ ticket, credential: { ...credential, type: 'password' } }, '/credential/type'],
      [{ ticket, credential: { ...credential, id: '\u0000' } }, '/credential/id'],
      [{ ticket, credential: { ...credential, extra: 'x'.repeat(70_000) } }, '/credential'],
    ] as const) {
      const answer = await app.request('POST', '/auth/second-factor', { body });
      expect([pointer, answer.status, answer.body.errors?.[0]?.pointer]).toEqual([pointer, 400, pointer]);
    }
  });
});

async function signInFully(
  email: string,
  totp: AuthenticatorApp,
): Promise<{ accessToken: string; refreshToken: string }> {
  const { body, status, text } = await finish(app, await ticketFor(app, email), {
    code: await totp.freshCode(),
  });
  if (status !== 200) throw new Error(text);
  await app.request('GET', '/auth/me', { key: body.accessToken });
  return body as { accessToken: string; refreshToken: string };
}

describe('an administrator', () => {
  it('takes the second factors from a user who has lost them, which is in the audit', async () => {
    const { id, email, key } = await newProtected();
    await addPasskey(app, key);
    expect((await trySignIn(app, email)).body.methods).toEqual(['passkey', 'totp', 'recovery-code']);
    expect((await app.admin('POST', `/system/users/${id}/reset-second-factor`)).status).toBe(204);
    const { status, body } = await trySignIn(app, email);
    expect([status, body.user.email]).toEqual([200, email]);
    expect((await get('/auth/second-factor', body.accessToken)).body).toEqual({
      methods: [],
      recoveryCodesLeft: 0,
    });
    expect(await eventsOf(id)).toContain('second-factor.reset');
    for (const gone of ['00000000-0000-4000-8000-000000000000', 'nobody'])
      expect((await app.admin('POST', `/system/users/${gone}/reset-second-factor`)).status).toBe(404);
    expect(
      (await app.request('POST', `/system/users/${id}/reset-second-factor`, { key: body.accessToken }))
        .status,
    ).toBe(403);
  });
});

describe('step-up', () => {
  it('is asked for by the challenge of RFC 9470, and renewed in the same session', async () => {
    const { id, totp, key } = await newProtected();
    expect((await get('/vault/open', key)).status).toBe(200);
    await age(app, id, 10);
    await vi.waitFor(async () => expect((await get('/vault/open', key)).status).toBe(401), SOON);
    const refused = await get('/vault/open', key);
    expect(refused.body.type).toBe('/problems/reauthentication-required');
    expect(refused.headers.get('www-authenticate')).toBe(
      'Bearer realm="plinth", error="insufficient_user_authentication", acr_values="aal2", max_age=300',
    );
    // A password is no second factor.
    const first = await stepUp(key, { password: PASSWORD });
    expect(first.status).toBe(200);
    expect((await get('/vault/open', key)).status).toBe(401);
    const second = await stepUp(key, { code: await totp.freshCode() });
    expect(Object.keys(second.body).toSorted()).toEqual(['accessToken', 'expiresIn', 'tokenType']);
    expect(decodeJwt(second.body.accessToken)).toMatchObject({
      sid: decodeJwt(key)['sid'],
      acr: 'aal2',
      amr: ['pwd', 'otp', 'mfa'],
    });
    for (const token of [key, second.body.accessToken])
      expect((await get('/vault/open', token)).status).toBe(200);
    expect(await eventsOf(id)).toContain('stepped-up');
  });

  it('holds on another instance within a second', async () => {
    const { id, totp, key } = await newProtected();
    await age(app, id, 10);
    const other = await startTestApp({ database: app.database, imports: [VaultModule] });
    try {
      const there = (): Promise<TestResponse> => other.request('GET', '/vault/open', { key });
      expect((await there()).status).toBe(401);
      expect((await stepUp(key, { code: await totp.freshCode() })).status).toBe(200);
      await vi.waitFor(async () => expect((await there()).status).toBe(200), SOON);
    } finally {
      await other.close();
    }
  });

  it('by password is enough for who has no second factor, where none is required', async () => {
    const { id, email } = await createPerson(app, `factor${(count += 1)}@example.org`);
    const { accessToken: key } = await signIn(app, email);
    expect((await get('/vault/look', key)).status).toBe(200);
    expect((await get('/vault/open', key)).status).toBe(401);
    await age(app, id, 10);
    await vi.waitFor(async () => expect((await get('/vault/look', key)).status).toBe(401), SOON);
    const refused = await get('/vault/look', key);
    expect(refused.headers.get('www-authenticate')).toBe(
      'Bearer realm="plinth", error="insufficient_user_authentication", max_age=300',
    );
    expect((await stepUp(key, { password: PASSWORD })).status).toBe(200);
    expect((await get('/vault/look', key)).status).toBe(200);
    expect((await get('/vault/open', key)).status).toBe(401);
    expect((await stepUp(key, { code: '123456' })).status).toBe(403);
  });

  it('refuses what is wrong, more and more slowly, and keys at all', async () => {
    const { id, key, totp } = await newProtected();
    const wrong = wrongCodeOf(totp.secret);
    const statuses = [];
    for (let tries = 0; tries < 6; tries += 1) statuses.push((await stepUp(key, { code: wrong })).status);
    expect(statuses).toEqual([403, 403, 403, 403, 403, 429]);
    const answer = await stepUp(key, { password: 'quite another one 99' });
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([403, '/password']);
    expect((await stepUp(key, { password: PASSWORD, code: wrong })).status).toBe(400);
    expect((await stepUp(key, {})).status).toBe(400);
    expect((await app.admin('POST', '/auth/step-up', { password: PASSWORD })).status).toBe(403);
    expect((await app.request('POST', '/auth/step-up', { body: { password: PASSWORD } })).status).toBe(401);
    expect((await eventsOf(id)).filter((kind) => kind === 'step-up.refused')).toHaveLength(6);
  });

  it('is asked of who has a second factor before they change their password or their factors', async () => {
    const { id, key, totp } = await newProtected();
    const passkey = await addPasskey(app, key);
    const { body: list } = await get('/auth/passkeys', key);
    await age(app, id, 10);
    await stepUp(key, { password: PASSWORD });
    const next = 'granite otter ballad 77';
    const asks: readonly (readonly [string, string, unknown])[] = [
      ['POST', '/auth/password/change', { currentPassword: PASSWORD, newPassword: next }],
      ['POST', '/auth/totp/enroll', undefined],
      ['POST', '/auth/totp/remove', undefined],
      ['POST', '/auth/recovery-codes', undefined],
      ['POST', '/auth/passkeys/register/options', undefined],
      ['DELETE', `/auth/passkeys/${list.data[0].id}`, undefined],
    ];
    for (const [method, path, body] of asks) {
      const answer = await app.request(method, path, { key, body });
      expect([path, answer.status, answer.headers.get('www-authenticate')]).toEqual([
        path,
        401,
        expect.stringContaining('acr_values="aal2"'),
      ]);
    }
    const { body: options } = await app.request('POST', '/auth/step-up/passkey/options', { key });
    expect((await stepUp(key, { credential: passkey.get(options) })).status).toBe(200);
    const changed = await app.request('POST', '/auth/password/change', {
      key,
      body: { currentPassword: PASSWORD, newPassword: next },
    });
    expect(changed.status).toBe(200);
    expect(decodeJwt(changed.body.accessToken)).toMatchObject({ acr: 'aal2' });
    // The new session has what the old one had proved.
    const removed = await app.request('POST', '/auth/totp/remove', { key: changed.body.accessToken });
    expect(removed.status).toBe(204);
    expect(totp.recoveryCodes).toHaveLength(10);
  });
});
