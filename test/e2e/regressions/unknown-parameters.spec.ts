import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../kit/app.js';
import { BLOG_SQL } from '../../kit/blog.js';
import { createPerson, signIn } from '../../kit/people.js';

const ID = '00000000-0000-4000-8000-000000000000';

/** Every route there is, with a request that would go through without the parameter, where the route can have one. */
const ROUTES = (
  [
    ['GET', '/api/posts'],
    ['HEAD', '/api/posts'],
    ['GET', '/api/posts/1'],
    ['HEAD', '/api/posts/1'],
    ['GET', '/api/posts/aggregate'],
    ['GET', '/api/titles'],
    ['POST', '/api/posts', { author_id: 1, title: 'New' }],
    ['POST', '/api/posts', [{ author_id: 1, title: 'New' }]],
    ['PATCH', '/api/posts/1', { title: 'Changed' }],
    ['PUT', '/api/posts/1', { author_id: 1, title: 'Changed' }],
    ['DELETE', '/api/posts/1'],
    ['PATCH', '/api/posts?filter=true', { title: 'Changed' }],
    ['DELETE', '/api/posts?filter=true'],
    [
      'POST',
      '/api/batch',
      { operations: [{ method: 'POST', path: '/posts', body: { author_id: 1, title: 'New' } }] },
    ],
    ['GET', '/openapi.json'],
    ['GET', '/docs'],
    ['GET', '/docs/page.css'],
    ['GET', '/docs/swagger-ui.css'],
    ['GET', '/health/live'],
    ['GET', '/health/ready'],
    ['GET', '/metrics'],
    ['GET', '/system/roles'],
    ['POST', '/system/roles', { name: 'new' }],
    ['GET', '/system/roles/admin'],
    ['PATCH', '/system/roles/victim', { description: 'Changed' }],
    ['DELETE', '/system/roles/victim'],
    ['GET', '/system/policies'],
    ['POST', '/system/policies', { role: 'victim', collection: 'posts', action: 'read' }],
    ['GET', `/system/policies/${ID}`],
    ['PATCH', `/system/policies/${ID}`, { condition: null }],
    ['DELETE', `/system/policies/${ID}`],
    ['GET', '/system/keys'],
    ['POST', '/system/keys', { name: 'new', roles: ['admin'] }],
    ['GET', `/system/keys/${ID}`],
    ['PATCH', `/system/keys/${ID}`, { name: 'changed' }],
    ['DELETE', `/system/keys/${ID}`],
    ['GET', '/system/collections'],
    ['GET', '/system/collections/posts'],
    ['GET', '/system/users'],
    ['POST', '/system/users', { email: 'new@example.org' }],
    ['GET', `/system/users/${ID}`],
    ['PATCH', `/system/users/${ID}`, { username: 'changed' }],
    ['POST', `/system/users/${ID}/invite`, {}],
    ['POST', `/system/users/${ID}/block`],
    ['POST', `/system/users/${ID}/unblock`],
    ['POST', `/system/users/${ID}/sign-out`],
    ['DELETE', `/system/users/${ID}`],
    ['GET', '/system/sessions'],
    ['DELETE', `/system/sessions/${ID}`],
    ['GET', '/system/sign-in-events'],
    ['POST', '/auth/sign-up', { email: 'new@example.org', password: 'tundra velvet kiosk 41' }],
    ['POST', '/auth/sign-in', { email: 'new@example.org', password: 'tundra velvet kiosk 41' }],
    ['POST', '/auth/refresh', { refreshToken: 'plinth_rt_x' }],
    ['GET', '/auth/providers'],
    ['POST', '/auth/oidc/token', { code: 'x' }],
    ['GET', '/auth/oidc/acme'],
    ['GET', '/auth/identities'],
    ['POST', '/auth/identities', { code: 'x' }],
    ['DELETE', `/auth/identities/${ID}`],
    ['POST', '/auth/anonymous', {}],
    ['POST', '/auth/upgrade', { email: 'new@example.org', password: 'tundra velvet kiosk 41' }],
    ['POST', `/system/users/${ID}/act-as`],
    ['POST', `/system/users/${ID}/reset-second-factor`],
    ['POST', '/auth/passkeys/sign-in/options', {}],
    ['POST', '/auth/passkeys/sign-in/verify', { credential: {} }],
    ['GET', '/auth/passkeys'],
    ['POST', '/auth/passkeys/register/options'],
    ['POST', '/auth/passkeys/register/verify', { credential: {} }],
    ['PATCH', `/auth/passkeys/${ID}`, { name: 'x' }],
    ['DELETE', `/auth/passkeys/${ID}`],
    ['GET', '/auth/second-factor'],
    ['POST', '/auth/second-factor', { ticket: 'x', code: '123456' }],
    ['POST', '/auth/second-factor/passkey/options', { ticket: 'x' }],
    ['POST', '/auth/recovery-codes'],
    ['POST', '/auth/step-up', { code: '123456' }],
    ['POST', '/auth/step-up/passkey/options'],
    ['POST', '/auth/totp/enroll'],
    ['POST', '/auth/totp/confirm', { code: '123456' }],
    ['POST', '/auth/totp/remove'],
    ['POST', '/auth/sign-out'],
    ['GET', '/auth/me'],
    ['PATCH', '/auth/me', { username: 'changed' }],
    ['GET', '/auth/sessions'],
    ['DELETE', `/auth/sessions/${ID}`],
    ['POST', '/auth/password/change', { currentPassword: 'x', newPassword: 'tundra velvet kiosk 41' }],
    ['POST', '/auth/email/verify', { token: 'x' }],
    ['POST', '/auth/email/verify/send', {}],
    ['POST', '/auth/password/forgot', { email: 'new@example.org' }],
    ['POST', '/auth/password/reset', { token: 'x', password: 'tundra velvet kiosk 41' }],
    ['POST', '/auth/code', { email: 'new@example.org' }],
    ['POST', '/auth/code/verify', { token: 'x' }],
    ['POST', '/auth/invitation/accept', { token: 'x', password: 'tundra velvet kiosk 41' }],
    ['GET', '/auth/pages/verify'],
    ['GET', '/system/jobs'],
    ['GET', '/system/jobs/1'],
    ['POST', '/system/jobs/1/retry'],
    ['DELETE', '/system/jobs/1'],
    ['GET', '/auth/set-up'],
    ['GET', '/auth/set-up/page.js'],
    ['POST', '/auth/set-up', { token: 'x', email: 'new@example.org', password: 'tundra velvet kiosk 41' }],
    ['GET', '/.well-known/jwks.json'],
    ['POST', '/system/access/explain', { actor: { roles: [] }, action: 'read', collection: 'posts' }],
  ] as const satisfies readonly (readonly [method: string, path: string, body?: unknown])[]
).map(([method, path, body]) => ({ method, path, body }));

/** Names that no route knows: near misses, what other systems take, operators, and names that objects have anyway. */
const UNKNOWN = [
  'x',
  '',
  ' ',
  'where',
  'populate',
  'select',
  'include',
  '_q',
  '$where',
  '$or',
  'token',
  'access_token',
  'api_key',
  'apikey',
  'key',
  'debug',
  'Filter',
  'FILTER',
  'filter ',
  ' filter',
  'filter[]',
  'filter[id]',
  'filter[secret][$startsWith]',
  'filter.id',
  'ﬁlter',
  'fılter',
  'filter​',
  'Limit',
  'LIMIT',
  'limit[]',
  'limit[$gt]',
  'limit ',
  'cursor[]',
  'Cursor',
  'fields[]',
  'Fields',
  'field',
  'sort[]',
  'Sort',
  'order',
  'Role',
  'role[]',
  'roles',
  'action[]',
  'collection[]',
  '__proto__',
  '__proto__[admin]',
  'constructor',
  'constructor.prototype',
  'prototype',
  'toString',
  'hasOwnProperty',
  '.limit',
  'x.limit',
  'secret.filter',
  'author.secret',
  'password.sort',
  '__proto__.limit',
  'constructor.filter',
  'a.b.c.d.sort',
] as const;

/** What lists take and other routes do not. */
const LIST_ONLY = ['filter', 'sort', 'limit', 'cursor', 'offset', 'count', 'search', 'measures', 'groupBy'];
const ONE_RECORD = ROUTES.filter(({ path }) => path === '/api/posts/1');

/** What providers add to the address that they lead back to is theirs to say. */
const ANY_PARAMETER = 'GET /auth/oidc/{provider}/callback';
/** Keys do not get as far as the parameters. */
const IN_PERSON = /^\/auth\/(identities|passkeys(?!\/sign-in)|recovery-codes|totp)|\/act-as$/;

let app: TestApp;
let person: string;

beforeAll(async () => {
  app = await startTestApp({ sql: BLOG_SQL });
  await app.admin('POST', '/system/roles', { name: 'victim', description: 'As it was' });
  const { email } = await createPerson(app, 'person@example.org', { roles: ['admin'] });
  person = (await signIn(app, email)).accessToken;
});
afterAll(() => app?.close());

const withParameter = (path: string, name: string, value = '1'): string =>
  `${path}${path.includes('?') ? '&' : '?'}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;

/** Everything that a request here could have changed. */
const state = async (): Promise<unknown> =>
  app.database.query(`
    SELECT (SELECT json_agg(p ORDER BY id) FROM posts p) AS posts,
      (SELECT json_agg(r ORDER BY name) FROM plinth.roles r) AS roles,
      (SELECT count(*) FROM plinth.policies) AS policies, (SELECT count(*) FROM plinth.api_keys) AS keys,
      (SELECT count(*) FROM plinth.users) AS users, (SELECT count(*) FROM plinth.sign_in_events) AS events`);

async function refusal(method: string, path: string, body: unknown): Promise<unknown> {
  const key = IN_PERSON.test(path.split('?', 1)[0] ?? '') ? person : app.adminKey;
  const response = await app.request(method, path, { key, body });
  // The answer to HEAD has no body that could name the problem.
  return method === 'HEAD' ? [response.status] : [response.status, response.body?.type];
}

describe('[row 1] an unknown parameter', () => {
  it('[row 1] is tried on every route that the document knows', async () => {
    const { body } = await app.admin('GET', '/openapi.json');
    const methods = new Set(['get', 'post', 'put', 'patch', 'delete']);
    const untried = Object.entries(body.paths as Record<string, object>)
      // Every collection has the same routes; these are those of posts.
      .filter(([template]) => !/^\/api\/(?!posts|batch)/.test(template))
      .flatMap(([template, item]) =>
        Object.keys(item)
          .filter((method) => methods.has(method))
          .map((method) => `${method.toUpperCase()} ${template}`),
      )
      .filter((operation) => {
        const [wanted, template = ''] = operation.split(' ');
        if (operation === ANY_PARAMETER) return false;
        const pattern = new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/?]+')}(\\?|$)`);
        return !ROUTES.some(({ method, path }) => method === wanted && pattern.test(path));
      });
    expect(untried).toEqual([]);
  });

  it.each(ROUTES)(
    '[row 1] is refused by $method $path, and nothing is done',
    async ({ method, path, body }) => {
      const before = await state();
      const wrong: unknown[] = [];
      for (const name of UNKNOWN) {
        const found = await refusal(method, withParameter(path, name), body);
        const expected = method === 'HEAD' ? [400] : [400, '/problems/unknown-parameter'];
        if (JSON.stringify(found) !== JSON.stringify(expected)) wrong.push([name, found]);
      }
      expect(wrong).toEqual([]);
      expect(await state()).toEqual(before);
    },
  );

  it.each(ONE_RECORD)(
    '[row 1] is any parameter of lists for $method $path',
    async ({ method, path, body }) => {
      for (const name of LIST_ONLY) {
        const [status] = (await refusal(method, withParameter(path, name, '1'), body)) as [number];
        expect([name, status]).toEqual([name, 400]);
      }
    },
  );

  it('[row 1] is refused after known ones, however many, and in whatever place', async () => {
    for (const query of [
      'limit=1&x=1',
      'x=1&limit=1',
      'fields=id&filter=true&sort=id&limit=1&x=1',
      'fields=author(name)&author.filter=true&author.x=1',
      'fields=author(name)&authors.filter=true',
      'fields=id&author.filter=true',
      'limit=1&&&x',
      'limit=1&x[]=1',
      'limit=1;x=1&y=2',
    ]) {
      const response = await app.admin('GET', `/api/posts?${query}`);
      expect([query, response.status]).toEqual([query, 400]);
    }
  });

  it('[row 1] is refused in the query of a batch operation, which then does nothing', async () => {
    const before = await state();
    for (const name of UNKNOWN) {
      for (const operation of [
        { method: 'GET', path: '/posts' },
        { method: 'GET', path: '/posts/1' },
        { method: 'POST', path: '/posts', body: { author_id: 1, title: 'New' } },
        { method: 'PATCH', path: '/posts/1', body: { title: 'Changed' } },
        { method: 'DELETE', path: '/posts/1' },
      ]) {
        // As a literal, `__proto__` would set the prototype instead of a member.
        const query = JSON.parse(`{${JSON.stringify(name)}: "1"}`) as unknown;
        const { status, body } = await app.admin('POST', '/api/batch', {
          operations: [
            { method: 'DELETE', path: '/posts/3' },
            { ...operation, query },
          ],
        });
        expect([name, status, body.type]).toEqual([name, 400, '/problems/unknown-parameter']);
      }
    }
    expect(await state()).toEqual(before);
  });

  it('[row 1] is refused to callers of every kind, before it could tell them anything', async () => {
    const reader = await app.keyFor('reader', [{ collection: 'posts', action: 'read', fields: ['id'] }]);
    for (const name of UNKNOWN) {
      const { status, body } = await app.request('GET', withParameter('/api/posts', name), { key: reader });
      expect([name, status, body.type]).toEqual([name, 400, '/problems/unknown-parameter']);
      for (const field of ['secret', 'title', 'nothing']) expect(body.detail).not.toContain(`"${field}"?`);
    }
  });

  it('[row 1] is what a known one is the second time, when it is given twice', async () => {
    for (const [path, name] of [
      ['/api/posts', 'limit'],
      ['/api/posts', 'filter'],
      ['/api/posts', 'fields'],
      ['/api/posts/1', 'fields'],
      ['/api/posts/aggregate', 'measures'],
      ['/system/roles', 'limit'],
      ['/system/policies', 'role'],
    ] as const) {
      for (const value of ['1', 'id', 'true']) {
        const { status } = await app.admin('GET', `${path}?${name}=${value}&${name}=${value}`);
        expect([path, name, status]).toEqual([path, name, 400]);
      }
    }
  });
});
