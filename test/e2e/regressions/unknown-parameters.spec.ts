import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../kit/app.js';
import { BLOG_SQL } from '../../kit/blog.js';

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

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ sql: BLOG_SQL });
  await app.admin('POST', '/system/roles', { name: 'victim', description: 'As it was' });
});
afterAll(() => app?.close());

const withParameter = (path: string, name: string, value = '1'): string =>
  `${path}${path.includes('?') ? '&' : '?'}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;

/** Everything that a request here could have changed. */
const state = async (): Promise<unknown> =>
  app.database.query(`
    SELECT (SELECT json_agg(p ORDER BY id) FROM posts p) AS posts,
      (SELECT json_agg(r ORDER BY name) FROM plinth.roles r) AS roles,
      (SELECT count(*) FROM plinth.policies) AS policies, (SELECT count(*) FROM plinth.api_keys) AS keys`);

async function refusal(method: string, path: string, body: unknown): Promise<unknown> {
  const response = await app.admin(method, path, body);
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
