import { createHmac, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import { exportJWK, type JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SigningKeys } from '../../../src/auth/tokens/signing-keys.service.js';
import { startTestApp, type TestApp } from '../../kit/app.js';
import { createPerson, signIn } from '../../kit/people.js';

type Json = Readonly<Record<string, unknown>>;

let app: TestApp;
/** One that holds, and its parts. */
let token: string;
let header: Json;
let payload: Json;
/** The server's own public key, which everybody has. */
let published: JWK & { readonly kid: string };
/** Keys of the attacker. */
const own = generateKeyPairSync('ed25519');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let ownJwk: JWK;

beforeAll(async () => {
  app = await startTestApp({ sql: 'CREATE TABLE notes (id int PRIMARY KEY)' });
  await createPerson(app, 'admin@example.org', { roles: ['admin'] });
  token = (await signIn(app, 'admin@example.org')).accessToken;
  [header, payload] = token
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Json) as [Json, Json];
  published = (await app.request('GET', '/.well-known/jwks.json')).body.keys[0];
  ownJwk = await exportJWK(own.publicKey);
});
afterAll(() => app?.close());

const encode = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
const signedBy = (key: KeyObject, head: unknown, body: unknown): string => {
  const input = `${encode(head)}.${encode(body)}`;
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`;
};
const mine = (head: Json = {}, body: Json = {}): string =>
  signedBy(own.privateKey, { ...header, ...head }, { ...payload, ...body });
const hmac = (
  algorithm: 'sha256' | 'sha384' | 'sha512',
  secret: string | Buffer,
  head: Json = {},
): string => {
  const input = `${encode({ ...header, alg: `HS${algorithm.slice(3)}`, ...head })}.${encode(payload)}`;
  return `${input}.${createHmac(algorithm, secret).update(input).digest('base64url')}`;
};
/** The token with another header or payload, and the signature that it had. */
const altered = (head: Json, body: Json): string =>
  `${encode({ ...header, ...head })}.${encode({ ...payload, ...body })}.${signature()}`;
const signature = (): string => token.split('.')[2] ?? '';
const unsigned = (alg: unknown, rest = ''): string =>
  `${encode({ ...header, alg })}.${encode(payload)}.${rest}`;

const publicPem = (): string => {
  const der = Buffer.concat([
    Buffer.from('302a300506032b6570032100', 'hex'),
    Buffer.from(published.x ?? '', 'base64url'),
  ]);
  return `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`;
};

/** Made without the server's private key. */
const FORGED: Readonly<Record<string, () => readonly string[]>> = {
  'with no algorithm': () =>
    ['none', 'None', 'NONE', 'nOnE', '', null, [], ['none'], {}, 0, undefined].flatMap((alg) => [
      unsigned(alg),
      unsigned(alg, signature()),
    ]),
  'without their signature': () => [
    `${token.slice(0, token.lastIndexOf('.'))}.`,
    token.slice(0, token.lastIndexOf('.')),
    `${token.slice(0, token.lastIndexOf('.'))}.AA`,
    `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(86)}`,
    `${token}.`,
    `.${token}`,
    `${token}.${signature()}`,
  ],
  'with the public key as a secret': () =>
    (['sha256', 'sha384', 'sha512'] as const).flatMap((algorithm) => [
      hmac(algorithm, publicPem()),
      hmac(algorithm, publicPem().trim()),
      hmac(algorithm, Buffer.from(published.x ?? '', 'base64url')),
      hmac(algorithm, published.x ?? ''),
      hmac(algorithm, JSON.stringify(published)),
      hmac(algorithm, published.kid),
      hmac(algorithm, ''),
      hmac(algorithm, Buffer.alloc(32)),
    ]),
  'with a key of their own': () => [
    mine(),
    mine({ jwk: ownJwk }),
    mine({ jwk: { ...ownJwk, kid: published.kid } }),
    mine({ kid: 'mine', jwk: { ...ownJwk, kid: 'mine' } }),
    mine({ kid: undefined, jwk: ownJwk }),
    mine({ jku: 'https://evil.example/jwks.json' }),
    mine({ jku: 'http://127.0.0.1:1/jwks.json', kid: 'mine' }),
    mine({ x5u: 'https://evil.example/cert.pem' }),
    mine({ x5c: [own.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] }),
    mine({ alg: 'Ed25519' }),
    mine({ crit: ['exp'], exp: 1 }),
    mine({ crit: ['b64'], b64: false }),
    mine({ zip: 'DEF' }),
  ],
  'with a key that is named in odd ways': () =>
    [
      '',
      null,
      0,
      [],
      [published.kid],
      { kid: published.kid },
      '../../../../dev/null',
      '/dev/null',
      'file:///dev/null',
      `${published.kid}\0`,
      ` ${published.kid}`,
      published.kid.toLowerCase(),
      "' UNION SELECT 'x' --",
      '__proto__',
      'constructor',
      'toString',
      'https://evil.example/key',
    ].map((kid) => mine({ kid })),
  'with another kind of key': () =>
    (
      [
        ['RS256', rsa.privateKey, 'sha256'],
        ['PS256', rsa.privateKey, 'sha256'],
        ['ES256', ec.privateKey, 'sha256'],
        ['EdDSA', rsa.privateKey, 'sha256'],
        ['EdDSA', ec.privateKey, 'sha256'],
      ] as const
    ).map(([alg, key, digest]) => {
      const input = `${encode({ ...header, alg })}.${encode(payload)}`;
      return `${input}.${sign(digest, Buffer.from(input), key).toString('base64url')}`;
    }),
  'of which a part was changed': () => [
    altered({}, { sub: randomUUID() }),
    altered({}, { roles: ['admin'], extra: true }),
    altered({}, { exp: 4_102_444_800 }),
    altered({}, { sid: randomUUID() }),
    altered({}, { iss: 'evil' }),
    altered({ typ: 'JWT' }, {}),
    altered({ kid: 'x' }, {}),
    `${token.split('.')[0]}.${encode(JSON.stringify(payload).replace('{', '{ '))}.${signature()}`,
  ],
  'that are no tokens': () => [
    'eyJ',
    'eyJ.eyJ.eyJ',
    '..',
    '...',
    'e30.e30.',
    'e30.e30.e30',
    `${encode('not json')}.${encode(payload)}.${signature()}`,
    `${encode('null')}.${encode('null')}.${signature()}`,
    `${encode('[]')}.${encode('[]')}.${signature()}`,
    `${encode(header)}.${encode('"text"')}.${signature()}`,
    'x'.repeat(8000),
    `${encode(header)}.${'A'.repeat(9000)}.${signature()}`,
    encodeURIComponent(token.replaceAll('.', '%2e')),
    Array.from(token).toReversed().join(''),
  ],
};

const ask = async (credential: string): Promise<readonly [number, string | null]> => {
  const response = await fetch(`${app.url}/system/users`, {
    headers: { authorization: `Bearer ${credential}` },
  });
  await response.arrayBuffer();
  return [response.status, response.headers.get('www-authenticate')];
};
const REFUSED = [401, 'Bearer realm="plinth", error="invalid_token"'];

describe('[row 14] tokens', () => {
  it.each(Object.keys(FORGED))('[row 14] %s are refused', async (what) => {
    const forged = FORGED[what]?.() ?? [];
    for (const credential of forged)
      expect([credential, await ask(credential)]).toEqual([credential, REFUSED]);
    // And leave nothing behind that would let them in the second time, or keep out the right one.
    for (const credential of forged.slice(0, 3)) expect(await ask(credential)).toEqual(REFUSED);
    expect((await ask(token))[0]).toBe(200);
  });

  it('[row 14] are sixty and more, each another one', () => {
    const all = Object.values(FORGED).flatMap((make) => make());
    expect(new Set(all).size).toBeGreaterThanOrEqual(60);
  });

  it('[row 14] are refused in every place where a credential can be', async () => {
    const credential = mine({ jwk: ownJwk });
    const places: readonly Record<string, string>[] = [
      { authorization: `Bearer ${credential}` },
      { authorization: `JWT ${credential}` },
      { authorization: `Bearer ${token}, Bearer ${credential}` },
      { 'x-api-key': credential },
      { 'x-api-key': credential, authorization: `Bearer ${token}` },
      { cookie: `plinth=${token}` },
    ];
    for (const headers of places)
      expect((await fetch(`${app.url}/system/users`, { headers })).status).toBe(401);
    expect((await fetch(`${app.url}/system/users?access_token=${token}`)).status).toBe(401);
  });

  it('[row 14] signed by the server itself are refused where they are not access tokens of it that hold', async () => {
    const { signing } = app.server.app.get(SigningKeys, { strict: false });
    const { SignJWT } = await import('jose');
    const now = Math.floor(Date.now() / 1000);
    const issue = (body: Json, head: Json = {}): Promise<string> =>
      new SignJWT({ ...payload, ...body })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: signing.id, ...head })
        .sign(signing.key);
    expect((await ask(await issue({})))[0]).toBe(200);
    const wrong: readonly (readonly [Json, Json?])[] = [
      [{ exp: now - 1 }],
      [{ exp: undefined }],
      [{ exp: 'never' }],
      [{ nbf: now + 3600 }],
      [{ iss: 'evil' }],
      [{ iss: undefined }],
      [{ aud: 'another-service' }],
      [{ aud: undefined }],
      [{ aud: [] }],
      [{ sub: undefined }],
      [{ sub: randomUUID() }],
      [{ sid: undefined }],
      [{ sid: randomUUID() }],
      [{ sid: 7 }],
      [{ sid: 'x' }],
      [{ iat: undefined }],
      [{ jti: undefined }],
      [{}, { typ: 'JWT' }],
      [{}, { typ: undefined }],
      [{}, { kid: 'other' }],
    ];
    for (const [body, head] of wrong) {
      expect([body, head, await ask(await issue(body, head))]).toEqual([body, head, REFUSED]);
    }
  });
});
