import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp, type TestResponse } from '../kit/app.js';
import { createPerson, forgetAttempts, signIn, statusOf, trySignIn } from '../kit/people.js';
import { addApp, addPasskey, age, changeSessions, finish, ticketFor } from '../kit/second-factors.js';
import { SoftwareAuthenticator, type AskedOptions, type Faults } from '../kit/software-authenticator.js';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
beforeEach(() => forgetAttempts(app));
afterAll(() => app?.close());

let count = 0;
interface Owner {
  readonly id: string;
  readonly email: string;
  readonly key: string;
}

async function newPerson(): Promise<Owner> {
  const { id, email } = await createPerson(app, `passkey${(count += 1)}@example.org`);
  const { accessToken: key } = await signIn(app, email);
  return { id, email, key };
}

const post = (path: string, body: object, key: string | null = null): Promise<TestResponse> =>
  app.request('POST', path, { key, body });
const optionsFor = async (body: object = {}): Promise<AskedOptions> =>
  (await post('/auth/passkeys/sign-in/options', body)).body as AskedOptions;
const verify = (credential: object, rest: object = {}): Promise<TestResponse> =>
  post('/auth/passkeys/sign-in/verify', { credential, ...rest });
const registration = async (key: string): Promise<AskedOptions> =>
  (await app.request('POST', '/auth/passkeys/register/options', { key })).body as AskedOptions;
const register = (key: string, credential: object, rest: object = {}): Promise<TestResponse> =>
  post('/auth/passkeys/register/verify', { credential, ...rest }, key);
const kindsOf = async (id: string): Promise<string[]> =>
  ((await app.admin('GET', `/system/sign-in-events?user=${id}`)).body.data as { kind: string }[]).map(
    ({ kind }) => kind,
  );

describe('a passkey', () => {
  it('is registered, named, listed, renamed and removed', async () => {
    const { id, email, key } = await newPerson();
    const options = await registration(key);
    expect(options).toMatchObject({
      rp: { id: 'localhost', name: 'Plinth' },
      user: { id: Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url'), name: email },
      attestation: 'none',
    });
    const made = await register(key, new SoftwareAuthenticator().create(options), { name: 'My phone' });
    expect(made.body).toMatchObject({ passkey: { name: 'My phone', isSynced: false, lastUsedAt: null } });
    expect(made.body.recoveryCodes).toHaveLength(10);
    const other = await register(key, new SoftwareAuthenticator().create(await registration(key)));
    expect(other.body.recoveryCodes).toBeNull();
    const list = (): Promise<TestResponse> => app.request('GET', '/auth/passkeys', { key });
    expect((await list()).body.data).toEqual([made.body.passkey, other.body.passkey]);
    const path = `/auth/passkeys/${other.body.passkey.id}`;
    const renamed = await app.request('PATCH', path, { key, body: { name: 'Laptop' } });
    expect([renamed.status, renamed.body.name]).toEqual([200, 'Laptop']);
    for (const name of ['', '  ', 'x'.repeat(101), 'a\nb', 7]) {
      expect((await app.request('PATCH', path, { key, body: { name } })).status).toBe(400);
    }
    expect((await app.request('DELETE', path, { key })).status).toBe(204);
    expect((await list()).body.data).toHaveLength(1);
    expect((await app.request('DELETE', path, { key })).status).toBe(404);
    await app.request('DELETE', `/auth/passkeys/${made.body.passkey.id}`, { key });
    expect((await trySignIn(app, email)).body.user.email).toBe(email);
    expect(await kindsOf(id)).toEqual(expect.arrayContaining(['passkey.added', 'passkey.removed']));
  });

  it('signs in without an address, and counts as two factors', async () => {
    const { id, email, key } = await newPerson();
    const passkey = await addPasskey(app, key);
    const options = await optionsFor();
    expect(options).toMatchObject({ rpId: 'localhost', allowCredentials: [], userVerification: 'required' });
    const { status, body, headers } = await verify(passkey.get(options));
    expect([status, body.user.id, headers.get('cache-control')]).toEqual([200, id, 'no-store']);
    expect(decodeJwt(body.accessToken)).toMatchObject({ amr: ['hwk', 'user', 'mfa'], acr: 'aal2' });
    const list = await app.request('GET', '/auth/passkeys', { key: body.accessToken });
    expect(list.body.data[0].lastUsedAt).not.toBeNull();
    const cookie = await verify(passkey.get(await optionsFor({ email })), { session: 'cookie' });
    expect(cookie.headers.get('set-cookie')).toContain('plinth=');
    const foreign = await app.request('POST', '/auth/passkeys/sign-in/verify', {
      body: { credential: passkey.get(await optionsFor()), session: 'cookie' },
      headers: { origin: 'https://evil.example' },
    });
    expect(foreign.status).toBe(403);
  });

  it('is a second factor after a password, also where it does not verify its owner', async () => {
    const { id, email, key } = await newPerson();
    const passkey = await addPasskey(app, key);
    const first = await trySignIn(app, email);
    expect(first.body.methods).toEqual(['passkey', 'recovery-code']);
    const { ticket } = first.body;
    const asked = await post('/auth/second-factor/passkey/options', { ticket });
    expect(asked.body.allowCredentials).toMatchObject([{ id: passkey.credentialId, type: 'public-key' }]);
    const answer = await finish(app, ticket, {
      credential: passkey.get(asked.body, { isUserVerified: false }),
    });
    expect([answer.status, answer.body.user?.id]).toEqual([200, id]);
    expect(decodeJwt(answer.body.accessToken)).toMatchObject({
      amr: ['pwd', 'hwk', 'user', 'mfa'],
      acr: 'aal2',
    });
    expect((await post('/auth/second-factor/passkey/options', { ticket })).status).toBe(401);
  });

  it('answers alike for addresses with and without an account', async () => {
    const { email, key } = await newPerson();
    await addPasskey(app, key);
    const { email: plain } = await newPerson();
    const shapes = [];
    for (const address of [email, plain, 'nobody@example.org', undefined]) {
      const { status, body } = await post('/auth/passkeys/sign-in/options', { email: address });
      shapes.push([status, { ...body, challenge: body.challenge.length }]);
    }
    for (const shape of shapes) expect(shape).toEqual(shapes[0]);
  });

  it('of another account does not answer for an address', async () => {
    const [one, two] = [await newPerson(), await newPerson()];
    const passkey = await addPasskey(app, one.key);
    expect((await verify(passkey.get(await optionsFor({ email: two.email })))).status).toBe(401);
    expect((await verify(passkey.get(await optionsFor({ email: one.email.toUpperCase() })))).status).toBe(
      200,
    );
  });

  it.each<[string, Faults]>([
    ['of a page of another origin', { origin: 'http://localhost.evil.example:8055' }],
    ['of a page over another scheme', { origin: 'https://localhost:8055' }],
    ['for another domain', { rpId: 'evil.example' }],
    ['of the wrong type', { type: 'webauthn.create' }],
    ['without its owner', { isUserPresent: false }],
    ['without verification of its owner', { isUserVerified: false }],
    ['signed with another key', { hasForeignKey: true }],
    ['to a challenge that was made up', { challenge: 'A'.repeat(51) }],
    ['to no challenge', { challenge: '' }],
    ['of another user', { userHandle: Buffer.alloc(16).toString('base64url') }],
    ['in a frame of another page', { crossOrigin: true }],
    ['whose counter goes back', { counter: 1 }],
  ])('gives no sign-in for an answer %s', async (_what, faults) => {
    const { id, key } = await newPerson();
    const passkey = await addPasskey(app, key);
    expect((await verify(passkey.get(await optionsFor()))).status).toBe(200);
    const { status, body } = await verify(passkey.get(await optionsFor(), faults));
    expect([status, body.type, body.detail]).toEqual([
      401,
      '/problems/unauthenticated',
      'The passkey is not known here, or its answer is not right.',
    ]);
    const kinds = await kindsOf(id);
    expect(kinds[0]).toBe('sign-in.refused');
    expect(kinds.includes('passkey.suspected')).toBe('counter' in faults);
    expect((await verify(passkey.get(await optionsFor()))).status).toBe(200);
  });

  it('that counts nothing stays good, and one that has counted may not stop', async () => {
    const synced = new SoftwareAuthenticator();
    synced.counter = 0;
    const { key } = await newPerson();
    await addPasskey(app, key, synced);
    for (let times = 0; times < 2; times += 1)
      expect((await verify(synced.get(await optionsFor()))).status).toBe(200);
    const { key: other } = await newPerson();
    const counting = await addPasskey(app, other);
    expect((await verify(counting.get(await optionsFor(), { counter: 0 }))).status).toBe(401);
  });

  it('[row 13] answers a challenge once, also 50 times at once', async () => {
    const { id, key } = await newPerson();
    const passkey = await addPasskey(app, key);
    passkey.counter = 0;
    await app.database.query('UPDATE plinth.passkeys SET counter = 0 WHERE user_id = $1', [id]);
    const credential = passkey.get(await optionsFor());
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        fetch(`${app.url}/auth/passkeys/sign-in/verify`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ credential }),
        }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    await forgetAttempts(app);
    expect((await verify(credential)).status).toBe(401);
    expect(await kindsOf(id)).not.toContain('passkey.suspected');
  });

  it('[row 26] takes no challenge for another purpose, session or ticket', async () => {
    const { email, key } = await newPerson();
    const passkey = await addPasskey(app, key);
    const { accessToken: laptop } = await verify(passkey.get(await optionsFor())).then(({ body }) => body);
    const stepUpOptions = async (as: string): Promise<AskedOptions> =>
      (await app.request('POST', '/auth/step-up/passkey/options', { key: as })).body as AskedOptions;
    const [ticket, otherTicket] = [await ticketFor(app, email), await ticketFor(app, email)];
    const { body: ticketOptions } = await post('/auth/second-factor/passkey/options', { ticket });
    const stepUp = (as: string, credential: object): Promise<TestResponse> =>
      post('/auth/step-up', { credential }, as);
    expect((await verify(passkey.get({ ...ticketOptions }))).status).toBe(401);
    expect((await verify(passkey.get(await stepUpOptions(key)))).status).toBe(401);
    await forgetAttempts(app);
    expect((await finish(app, otherTicket, { credential: passkey.get(ticketOptions) })).status).toBe(401);
    expect((await finish(app, ticket, { credential: passkey.get(await optionsFor()) })).status).toBe(401);
    expect((await stepUp(key, passkey.get(await optionsFor()))).status).toBe(403);
    expect((await stepUp(key, passkey.get(await stepUpOptions(laptop)))).status).toBe(403);
    expect((await stepUp(key, passkey.get(await registration(key)))).status).toBe(403);
    await forgetAttempts(app);
    expect((await stepUp(key, passkey.get(await stepUpOptions(key)))).status).toBe(200);
    expect((await finish(app, ticket, { credential: passkey.get(ticketOptions) })).status).toBe(200);
    const begun = await registration(laptop);
    expect((await register(key, new SoftwareAuthenticator().create(begun))).status).toBe(400);
    const signInOptions = { ...begun, ...(await optionsFor()) };
    expect((await register(laptop, new SoftwareAuthenticator().create(signInOptions))).status).toBe(400);
  });

  it("of one user is not another user's to see, change, remove or step up with", async () => {
    const [one, two] = [await newPerson(), await newPerson()];
    const passkey = await addPasskey(app, one.key);
    const { body } = await app.request('GET', '/auth/passkeys', { key: one.key });
    const path = `/auth/passkeys/${body.data[0].id}`;
    expect((await app.request('GET', '/auth/passkeys', { key: two.key })).body.data).toEqual([]);
    expect((await app.request('PATCH', path, { key: two.key, body: { name: 'mine' } })).status).toBe(404);
    expect((await app.request('DELETE', path, { key: two.key })).status).toBe(404);
    expect((await app.request('DELETE', '/auth/passkeys/none', { key: two.key })).status).toBe(404);
    const { body: options } = await app.request('POST', '/auth/step-up/passkey/options', { key: two.key });
    expect((await post('/auth/step-up', { credential: passkey.get(options) }, two.key)).status).toBe(403);
    const taken = await register(two.key, passkey.create(await registration(two.key)));
    expect([taken.status, taken.body.type]).toEqual([409, '/problems/unique-violation']);
  });

  it.each<[string, Faults]>([
    ['on a page of another origin', { origin: 'https://evil.example' }],
    ['for another domain', { rpId: 'evil.example' }],
    ['of the wrong type', { type: 'webauthn.get' }],
    ['to a challenge that was made up', { challenge: 'A'.repeat(51) }],
    ['without its owner', { isUserPresent: false }],
  ])('is not registered where it was made %s', async (_what, faults) => {
    const { email, key } = await newPerson();
    const credential = new SoftwareAuthenticator().create(await registration(key), faults);
    const { status, body } = await register(key, credential);
    expect([status, body.errors?.[0].pointer]).toEqual([400, '/credential']);
    expect((await trySignIn(app, email)).body.step).toBeUndefined();
  });

  it('is registered once for a challenge, and by a recent sign-in', async () => {
    const { id, key } = await newPerson();
    const options = await registration(key);
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => register(key, new SoftwareAuthenticator().create(options))),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 400, 400, 400, 400]);
    await age(app, id, 10);
    const late = await app.request('POST', '/auth/passkeys/register/options', { key });
    expect([late.status, late.body.type]).toEqual([401, '/problems/reauthentication-required']);
    expect((await app.admin('POST', '/auth/passkeys/register/options')).status).toBe(403);
  });

  it('is one of at most twenty', async () => {
    const { id, key } = await newPerson();
    const options = await registration(key);
    await app.database.query(
      `INSERT INTO plinth.passkeys (user_id, credential_id, public_key, counter, transports, is_synced, name)
       SELECT $1::uuid, sha256(($1::text || n)::bytea), '\\x00', 0, '{}', false, 'x' FROM generate_series(1, 20) n`,
      [id],
    );
    expect((await register(key, new SoftwareAuthenticator().create(options))).status).toBe(409);
    await changeSessions(app, id, 'second_factor_at = now()');
    expect((await app.request('POST', '/auth/passkeys/register/options', { key })).status).toBe(409);
  });

  it('lets nobody in whose account is blocked, and none that is unknown', async () => {
    const { id, key } = await newPerson();
    const passkey = await addPasskey(app, key);
    const stranger = new SoftwareAuthenticator();
    expect((await verify(stranger.get(await optionsFor()))).status).toBe(401);
    await app.admin('POST', `/system/users/${id}/block`);
    expect((await verify(passkey.get(await optionsFor()))).status).toBe(401);
    await app.admin('POST', `/system/users/${id}/unblock`);
    expect((await verify(passkey.get(await optionsFor()))).status).toBe(200);
  });

  it('refuses what is no credential with its place, never with a failure', async () => {
    const { key } = await newPerson();
    const passkey = await addPasskey(app, key);
    const good = passkey.get(await optionsFor());
    const { response } = good;
    for (const [credential, status] of [
      [{}, 400],
      [{ ...good, id: 7 }, 400],
      [{ ...good, rawId: 'AAAA' }, 400],
      [{ ...good, response: null }, 400],
      [{ ...good, response: { ...response, signature: '!' } }, 400],
      [{ ...good, response: { ...response, clientDataJSON: { a: 1 } } }, 400],
      [{ ...good, response: { ...response, clientDataJSON: 'AAAA' } }, 401],
      [{ ...good, response: { ...response, authenticatorData: 'AAAA' } }, 401],
      [{ ...good, response: { ...response, signature: 'AAAA' } }, 401],
    ] as const) {
      const answer = await verify(credential);
      expect([JSON.stringify(credential).slice(0, 40), answer.status]).toEqual([expect.anything(), status]);
    }
    const made = new SoftwareAuthenticator().create(await registration(key));
    for (const attestationObject of ['AAAA', 'oA', '_____w']) {
      const answer = await register(key, { ...made, response: { ...made.response, attestationObject } });
      expect(answer.status).toBe(400);
    }
  });

  it('is slowed down at the address of who makes many up', async () => {
    const statuses = new Set<number>();
    for (let tries = 0; tries < 104; tries += 1) {
      const stranger = new SoftwareAuthenticator();
      statuses.add((await verify(stranger.get({ challenge: 'x', rpId: 'localhost' }))).status);
    }
    expect([...statuses]).toEqual([401, 429]);
  });
});

describe('a server with an address', () => {
  it('takes passkeys of its own domain and pages, whatever the Host header says', async () => {
    const named = await startTestApp({
      database: app.database,
      config: {
        publicUrl: 'https://api.example.com',
        passkeyDomain: 'example.com',
        passkeyOrigins: ['https://app.example.com'],
      },
    });
    try {
      const { email } = await newPerson();
      const { accessToken: key } = await signIn(named, email);
      const { body: options } = await named.request('POST', '/auth/passkeys/register/options', {
        key,
        headers: { 'x-forwarded-host': 'evil.example' },
      });
      expect(options.rp).toEqual({ id: 'example.com', name: 'api.example.com' });
      const local = new SoftwareAuthenticator();
      const refused = await named.request('POST', '/auth/passkeys/register/verify', {
        key,
        body: { credential: local.create(options) },
      });
      expect(refused.status).toBe(400);
      await addPasskey(named, key, new SoftwareAuthenticator('https://app.example.com'));
    } finally {
      await named.close();
    }
  });

  it('that has passkeys switched off adds none, and asks for those that are there', async () => {
    const { email, key } = await newPerson();
    const passkey = await addPasskey(app, key);
    const off = await startTestApp({ database: app.database, config: { hasPasskeys: false } });
    try {
      expect((await off.request('POST', '/auth/passkeys/register/options', { key })).status).toBe(403);
      expect((await off.request('POST', '/auth/passkeys/sign-in/options', { body: {} })).status).toBe(403);
      const credential = passkey.get(await optionsFor());
      const answer = await off.request('POST', '/auth/passkeys/sign-in/verify', { body: { credential } });
      expect(answer.status).toBe(403);
      const ticket = await ticketFor(off, email);
      const asked = await off.request('POST', '/auth/second-factor/passkey/options', { body: { ticket } });
      expect((await finish(off, ticket, { credential: passkey.get(asked.body) })).status).toBe(200);
    } finally {
      await off.close();
    }
  });
});

it('a passkey and an app are each enough, and removing one leaves the other', async () => {
  const { id, email, key } = await newPerson();
  const passkey = await addPasskey(app, key);
  const totp = await addApp(app, key, id);
  expect((await trySignIn(app, email)).body.methods).toEqual(['passkey', 'totp', 'recovery-code']);
  const { body } = await app.request('GET', '/auth/passkeys', { key });
  await app.request('DELETE', `/auth/passkeys/${body.data[0].id}`, { key });
  expect((await trySignIn(app, email)).body.methods).toEqual(['totp', 'recovery-code']);
  expect((await verify(passkey.get(await optionsFor()))).status).toBe(401);
  const { body: signedIn } = await finish(app, await ticketFor(app, email), { code: await totp.freshCode() });
  expect(await statusOf(app, signedIn.accessToken)).toBe(200);
});
