import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp, type TestResponse } from '../kit/app.js';
import { BLOG_SQL } from '../kit/blog.js';

const NOBODY = '00000000-0000-4000-8000-000000000000';

describe('/system', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({ sql: BLOG_SQL });
  });
  afterAll(() => app?.close());

  /** What a problem says without what differs from request to request. */
  const problem = ({ status, body }: TestResponse): unknown[] => [
    status,
    body.type,
    (body.errors ?? []).map(({ pointer, code }: { pointer: string; code: string }) => [pointer, code]),
  ];

  describe('roles', () => {
    it('lists the reserved ones', async () => {
      const { body } = await app.admin('GET', '/system/roles');
      expect(
        body.data.map(({ name, isReserved }: { name: string; isReserved: boolean }) => [name, isReserved]),
      ).toEqual([
        ['admin', true],
        ['anonymous', true],
        ['authenticated', true],
        ['public', true],
      ]);
    });

    it('are created, read, changed and deleted', async () => {
      const created = await app.admin('POST', '/system/roles', { name: 'writer', description: 'Writes.' });
      expect([created.status, created.body]).toEqual([
        201,
        { name: 'writer', description: 'Writes.', isReserved: false, createdAt: expect.any(String) },
      ]);
      expect((await app.admin('GET', '/system/roles/writer')).body).toEqual(created.body);
      const changed = await app.admin('PATCH', '/system/roles/writer', { description: 'Writes well.' });
      expect([changed.status, changed.body.description]).toEqual([200, 'Writes well.']);
      expect((await app.admin('PATCH', '/system/roles/writer', {})).body).toEqual(changed.body);
      const deleted = await app.admin('DELETE', '/system/roles/writer');
      expect([deleted.status, deleted.text]).toEqual([204, '']);
      expect((await app.admin('GET', '/system/roles/writer')).status).toBe(404);
      expect((await app.admin('DELETE', '/system/roles/writer')).status).toBe(404);
    });

    it('have names that one of many can take', async () => {
      const create = (): Promise<TestResponse> => app.admin('POST', '/system/roles', { name: 'racer' });
      const statuses = (await Promise.all(Array.from({ length: 8 }, create))).map(({ status }) => status);
      expect(statuses.sort((a, b) => a - b)).toEqual([201, 409, 409, 409, 409, 409, 409, 409]);
      expect(problem(await create())).toEqual([409, '/problems/unique-violation', [['/name', 'unique']]]);
    });

    it('that are reserved cannot be deleted, through the API or by hand', async () => {
      for (const name of ['public', 'authenticated', 'admin']) {
        expect(problem(await app.admin('DELETE', `/system/roles/${name}`))).toEqual([
          409,
          '/problems/conflict',
          [],
        ]);
        await expect(app.database.query(`DELETE FROM plinth.roles WHERE name = '${name}'`)).rejects.toThrow(
          /reserved/,
        );
      }
      await expect(
        app.database.query(`UPDATE plinth.roles SET name = 'x' WHERE name = 'admin'`),
      ).rejects.toThrow(/reserved/);
    });

    it('are listed page by page', async () => {
      for (let number = 0; number < 5; number += 1) {
        await app.admin('POST', '/system/roles', { name: `page-${number}` });
      }
      const names: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const path: string = `/system/roles?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`;
        const { body } = await app.admin('GET', path);
        expect(body.data.length).toBeLessThanOrEqual(2);
        names.push(...body.data.map(({ name }: { name: string }) => name));
        cursor = body.page.next;
      }
      expect(names).toEqual([...names].sort());
      expect(new Set(names).size).toBe(names.length);
      expect(names.filter((name) => name.startsWith('page-'))).toHaveLength(5);
    });
  });

  describe('mistakes in a request', () => {
    const cases: readonly [string, string, string, unknown, unknown[]][] = [
      [
        'a name that is none',
        'POST',
        '/system/roles',
        { name: '1 role' },
        [400, '/problems/invalid-request', [['/name', 'matches']]],
      ],
      ['no name', 'POST', '/system/roles', {}, [400, '/problems/invalid-request', [['/name', 'matches']]]],
      [
        'no body',
        'POST',
        '/system/roles',
        undefined,
        [400, '/problems/invalid-request', [['/name', 'matches']]],
      ],
      [
        'a list for a body',
        'POST',
        '/system/roles',
        [{ name: 'x' }],
        [400, '/problems/invalid-request', expect.anything()],
      ],
      [
        'null for a description',
        'POST',
        '/system/roles',
        { name: 'x', description: null },
        [400, '/problems/invalid-request', expect.anything()],
      ],
      [
        'an unknown member',
        'POST',
        '/system/roles',
        { name: 'x', isReserved: true },
        [400, '/problems/unknown-field', [['/isReserved', 'unknown-field']]],
      ],
      [
        'a new name for a role',
        'PATCH',
        '/system/roles/public',
        { name: 'x' },
        [400, '/problems/unknown-field', [['/name', 'unknown-field']]],
      ],
      [
        'an unknown parameter of a list',
        'GET',
        '/system/roles?limitt=1',
        undefined,
        [400, '/problems/unknown-parameter', [['?limitt', 'unknown-parameter']]],
      ],
      [
        'an unknown parameter of a record',
        'GET',
        '/system/roles/public?fields=name',
        undefined,
        [400, '/problems/unknown-parameter', [['?fields', 'unknown-parameter']]],
      ],
      [
        'an unknown parameter of a write',
        'POST',
        '/system/roles?dry=1',
        { name: 'y' },
        [400, '/problems/unknown-parameter', [['?dry', 'unknown-parameter']]],
      ],
      [
        'a limit of 0',
        'GET',
        '/system/roles?limit=0',
        undefined,
        [400, '/problems/invalid-parameter', [['?limit', 'min']]],
      ],
      [
        'a limit that is too large',
        'GET',
        '/system/keys?limit=1001',
        undefined,
        [400, '/problems/invalid-parameter', [['?limit', 'max']]],
      ],
      [
        'a limit in hexadecimal',
        'GET',
        '/system/keys?limit=0x10',
        undefined,
        [400, '/problems/invalid-parameter', expect.anything()],
      ],
      [
        'a limit twice',
        'GET',
        '/system/keys?limit=1&limit=2',
        undefined,
        [400, '/problems/invalid-parameter', expect.anything()],
      ],
      [
        'a cursor of another list',
        'GET',
        '/system/keys?cursor=WyJhZG1pbiJd',
        undefined,
        [400, '/problems/invalid-cursor', []],
      ],
      [
        'a cursor that is none',
        'GET',
        '/system/policies?cursor=%00',
        undefined,
        [400, '/problems/invalid-cursor', []],
      ],
      ['an id that is none', 'GET', '/system/policies/x', undefined, [404, '/problems/not-found', []]],
      ['an id of nothing', 'GET', `/system/keys/${NOBODY}`, undefined, [404, '/problems/not-found', []]],
      [
        'deleting nothing',
        'DELETE',
        `/system/policies/${NOBODY}`,
        undefined,
        [404, '/problems/not-found', []],
      ],
      ['revoking nothing', 'DELETE', `/system/keys/${NOBODY}`, undefined, [404, '/problems/not-found', []]],
      [
        'a key without roles',
        'POST',
        '/system/keys',
        { name: 'x' },
        [400, '/problems/invalid-request', expect.anything()],
      ],
      [
        'a key for an unknown role',
        'POST',
        '/system/keys',
        { name: 'x', roles: ['public', 'ghost'] },
        [400, '/problems/invalid-request', [['/roles/1', 'unknown-role']]],
      ],
      [
        'a key that ended before it began',
        'POST',
        '/system/keys',
        { name: 'x', roles: [], expiresAt: '2020-01-01T00:00:00Z' },
        [400, '/problems/invalid-request', [['/expiresAt', 'format']]],
      ],
      [
        'a key that ends on no day',
        'POST',
        '/system/keys',
        { name: 'x', roles: [], expiresAt: 'tomorrow' },
        [400, '/problems/invalid-request', [['/expiresAt', 'format']]],
      ],
      [
        'claims that are a list',
        'POST',
        '/system/keys',
        { name: 'x', roles: [], claims: [] },
        [400, '/problems/invalid-request', expect.anything()],
      ],
      [
        'a prototype among the claims',
        'POST',
        '/system/keys',
        '{"name":"x","roles":[],"claims":{"__proto__":1}}',
        [400, '/problems/invalid-request', [['/__proto__', 'unknown-field']]],
      ],
      [
        'an unknown collection',
        'GET',
        '/system/collections/post',
        undefined,
        [404, '/problems/not-found', []],
      ],
    ];
    for (const [what, method, path, body, expected] of cases) {
      it(`tells of ${what}`, async () => {
        expect(problem(await app.admin(method, path, body))).toEqual(expected);
      });
    }
  });

  describe('policies', () => {
    beforeAll(async () => {
      await app.admin('POST', '/system/roles', { name: 'editor' });
    });

    it('are created, read, changed, filtered and deleted', async () => {
      const definition = {
        role: 'editor',
        collection: 'posts',
        action: 'update',
        condition: 'status == "draft"',
        fields: ['title', 'meta'],
        check: 'title != old.title',
        presets: { views: 0 },
        description: 'Drafts only.',
      };
      const created = await app.admin('POST', '/system/policies', definition);
      expect([created.status, created.body]).toEqual([
        201,
        {
          ...definition,
          id: expect.any(String),
          problem: null,
          createdAt: expect.any(String),
          updatedAt: expect.any(String),
        },
      ]);
      const path = `/system/policies/${created.body.id}`;
      expect((await app.admin('GET', path)).body).toEqual(created.body);
      const changed = await app.admin('PATCH', path, { fields: null, presets: null, condition: 'views < 5' });
      expect(changed.body).toEqual({
        ...created.body,
        fields: null,
        presets: null,
        condition: 'views < 5',
        updatedAt: expect.any(String),
      });
      for (const [query, count] of [
        ['role=editor', 1],
        ['role=public', 0],
        ['collection=posts', 1],
        ['collection=authors', 0],
        ['action=update&collection=posts&role=editor', 1],
        ['action=read', 0],
      ] as const) {
        expect((await app.admin('GET', `/system/policies?${query}`)).body.data).toHaveLength(count);
      }
      expect((await app.admin('DELETE', path)).status).toBe(204);
      expect((await app.admin('GET', path)).status).toBe(404);
    });

    const refusals: readonly [string, object, [string, string][]][] = [
      ['an unknown role', { role: 'ghost' }, [['/role', 'unknown-role']]],
      ['an unknown collection', { collection: 'postz' }, [['/collection', 'unknown-collection']]],
      ['an unknown action', { action: 'destroy' }, [['/action', 'is-in']]],
      ['an unknown field', { fields: ['id', 'titel'] }, [['/fields/1', 'unknown-field']]],
      ['no fields at all', { fields: [] }, [['/fields', 'required']]],
      ['a condition that is no CEL', { condition: 'views >' }, [['/condition', 'syntax']]],
      ['a condition over nothing', { condition: 'viewz > 1' }, [['/condition', 'unknown-name']]],
      ['a condition that is no condition', { condition: 'views + 1' }, [['/condition', 'type']]],
      ['a comparison of apples and pears', { condition: 'views == "many"' }, [['/condition', 'type']]],
      [
        'the old record where there is none',
        { condition: 'old.views == 1' },
        [['/condition', 'unknown-name']],
      ],
      ['a check on reading', { check: 'true' }, [['/check', 'not-for-action']]],
      ['a preset on reading', { presets: { views: 1 } }, [['/presets', 'not-for-action']]],
      [
        'a condition on creating',
        { action: 'create', condition: 'true' },
        [['/condition', 'not-for-action']],
      ],
      [
        'the old record on creating',
        { action: 'create', check: 'old.views == 1' },
        [['/check', 'unknown-name']],
      ],
      ['fields on deleting', { action: 'delete', fields: ['id'] }, [['/fields', 'not-for-action']]],
      [
        'a preset of nothing',
        { action: 'create', presets: { viewz: 1 } },
        [['/presets/viewz', 'unknown-field']],
      ],
      [
        'a preset of a generated field',
        { action: 'create', presets: { slug: '"x"' } },
        [['/presets/slug', 'read-only']],
      ],
      [
        'a preset of another type',
        { action: 'create', presets: { views: '"many"' } },
        [['/presets/views', 'type']],
      ],
      [
        'a constant of another type',
        { action: 'create', presets: { views: true } },
        [['/presets/views', 'type']],
      ],
      [
        'a constant out of range',
        { action: 'create', presets: { views: 3e9 } },
        [['/presets/views', 'type']],
      ],
      [
        'null where there is none',
        { action: 'create', presets: { title: null } },
        [['/presets/title', 'not-null']],
      ],
      [
        'no label of the enum',
        { action: 'create', presets: { status: '"gone"' } },
        [['/presets/status', 'type']],
      ],
      [
        'a preset of a field that is sent',
        { action: 'create', fields: ['views'], presets: { views: 1 } },
        [['/presets/views', 'contradiction']],
      ],
      [
        'a preset through a relation of a new record',
        { action: 'create', presets: { title: 'author.name' } },
        [['/presets/title', 'unsupported']],
      ],
      [
        'many mistakes at once',
        { action: 'update', condition: 'a == 1', check: 'b == 2', fields: ['c'], presets: { d: 1 } },
        [
          ['/condition', 'unknown-name'],
          ['/check', 'unknown-name'],
          ['/fields/0', 'unknown-field'],
          ['/presets/d', 'unknown-field'],
        ],
      ],
    ];
    for (const [what, change, errors] of refusals) {
      it(`refuse ${what}`, async () => {
        const body = { role: 'editor', collection: 'posts', action: 'read', ...change };
        expect(problem(await app.admin('POST', '/system/policies', body))).toEqual([
          400,
          '/problems/invalid-request',
          errors,
        ]);
        const { body: list } = await app.admin('GET', '/system/policies');
        expect(list.data).toEqual([]);
      });
    }

    it('tell where in an expression the mistake is, and what may have been meant', async () => {
      const { body } = await app.admin('POST', '/system/policies', {
        role: 'editor',
        collection: 'posts',
        action: 'read',
        condition: 'status == "draft" && viewz > 1',
      });
      expect(body.errors[0].position).toEqual({ start: 21, end: 26 });
      expect(body.errors[0].message).toContain('"views"');
    });

    it('stay right when two change them at once', async () => {
      const { body } = await app.admin('POST', '/system/policies', {
        role: 'editor',
        collection: 'posts',
        action: 'update',
        fields: ['title'],
      });
      const path = `/system/policies/${body.id}`;
      // Each of these is right by itself; together they would be a contradiction.
      const answers = await Promise.all([
        app.admin('PATCH', path, { fields: ['title', 'views'] }),
        app.admin('PATCH', path, { presets: { views: 0 } }),
      ]);
      expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 400]);
      await app.admin('DELETE', path);
    });

    it('go with their role', async () => {
      await app.admin('POST', '/system/roles', { name: 'temporary' });
      const { body } = await app.admin('POST', '/system/policies', {
        role: 'temporary',
        collection: 'posts',
        action: 'read',
      });
      const key = await app.admin('POST', '/system/keys', { name: 'k', roles: ['temporary', 'editor'] });
      await app.admin('DELETE', '/system/roles/temporary');
      expect((await app.admin('GET', `/system/policies/${body.id}`)).status).toBe(404);
      expect((await app.admin('GET', `/system/keys/${key.body.id}`)).body.roles).toEqual(['editor']);
    });
  });

  describe('keys', () => {
    it('are shown once, and kept as a hash', async () => {
      const created = await app.admin('POST', '/system/keys', {
        name: 'shop',
        roles: ['editor', 'public', 'editor'],
        claims: { shop_id: 7 },
        expiresAt: '2099-01-01T00:00:00+01:00',
      });
      expect(created.status).toBe(201);
      const { key, ...record } = created.body;
      expect(key).toMatch(/^plinth_[0-9A-Za-z]{10}_[0-9A-Za-z]{38}$/);
      expect(record).toEqual({
        id: expect.any(String),
        name: 'shop',
        prefix: key.slice(7, 17),
        roles: ['editor', 'public'],
        claims: { shop_id: 7 },
        expiresAt: '2098-12-31T23:00:00.000Z',
        lastUsedAt: null,
        createdAt: expect.any(String),
      });
      expect((await app.admin('GET', `/system/keys/${record.id}`)).body).toEqual(record);
      const { text } = await app.admin('GET', '/system/keys?limit=1000');
      expect(text).toContain(record.prefix);
      expect(text).not.toContain(key.slice(18));
      const rows = await app.database.query('SELECT * FROM plinth.api_keys');
      const secret = key.slice(18);
      expect(JSON.stringify(rows)).not.toContain(secret);
      expect(JSON.stringify(rows)).not.toContain(Buffer.from(secret).toString('hex'));
    });

    it('change in every part, and refuse null where there is none', async () => {
      const { body } = await app.admin('POST', '/system/keys', { name: 'a', roles: ['editor'] });
      const path = `/system/keys/${body.id}`;
      const changes = {
        name: 'b',
        roles: ['public'],
        claims: { x: [1, { y: null }] },
        expiresAt: '2099-01-01T00:00:00Z',
      };
      const changed = await app.admin('PATCH', path, changes);
      expect(changed.body).toMatchObject({ ...changes, expiresAt: '2099-01-01T00:00:00.000Z' });
      expect((await app.admin('PATCH', path, { expiresAt: null })).body.expiresAt).toBeNull();
      for (const name of ['name', 'roles', 'claims']) {
        expect((await app.admin('PATCH', path, { [name]: null })).status).toBe(400);
      }
      expect((await app.admin('PATCH', path, { hash: 'x' })).status).toBe(400);
      expect((await app.admin('GET', path)).body).toMatchObject({ name: 'b', roles: ['public'] });
    });

    it('never keep a role that goes away at the same time', async () => {
      for (let round = 0; round < 10; round += 1) {
        const role = `brief-${round}`;
        await app.admin('POST', '/system/roles', { name: role });
        await Promise.all([
          app.admin('POST', '/system/keys', { name: role, roles: [role] }),
          app.admin('POST', '/system/policies', { role, collection: 'posts', action: 'read' }),
          app.admin('DELETE', `/system/roles/${role}`),
        ]);
      }
      expect(
        await app.database.query(`SELECT name FROM plinth.api_keys WHERE EXISTS (
          SELECT FROM unnest(roles) r WHERE r NOT IN (SELECT name FROM plinth.roles))`),
      ).toEqual([]);
    });

    it('cannot be given an unknown role by hand, and follow one that is renamed', async () => {
      await expect(
        app.database.query(`UPDATE plinth.api_keys SET roles = '{nonsense}' WHERE name = 'shop'`),
      ).rejects.toThrow(/no role 'nonsense'/);
      await app.database.query(`UPDATE plinth.roles SET name = 'lector' WHERE name = 'editor'`);
      expect(await app.database.query(`SELECT roles FROM plinth.api_keys WHERE name = 'shop'`)).toEqual([
        { roles: ['lector', 'public'] },
      ]);
      await app.database.query(`UPDATE plinth.roles SET name = 'editor' WHERE name = 'lector'`);
    });
  });

  describe('collections', () => {
    it('show the catalog', async () => {
      const { body } = await app.admin('GET', '/system/collections/posts');
      expect(body).toMatchObject({ name: 'posts', kind: 'table', primaryKey: ['id'], insertable: true });
      expect(body.fields.map(({ name }: { name: string }) => name)).toEqual([
        'id',
        'author_id',
        'title',
        'status',
        'views',
        'secret',
        'meta',
        'slug',
      ]);
      expect(body.fields[3]).toMatchObject({ values: ['draft', 'published'], nullable: false });
      expect(body.relations).toEqual([
        { name: 'author', kind: 'many-to-one', isList: false, target: 'authors', nullable: false },
      ]);
      const list = await app.admin('GET', '/system/collections');
      expect(list.body.data.map(({ name }: { name: string }) => name)).toEqual([
        'authors',
        'plinth.users',
        'posts',
        'titles',
      ]);
      expect(list.body.data[2]).toEqual(body);
    });

    it('are listed page by page', async () => {
      const first = await app.admin('GET', '/system/collections?limit=2');
      const second = await app.admin('GET', `/system/collections?limit=2&cursor=${first.body.page.next}`);
      expect([first.body.data.length, second.body.data.length, second.body.page.next]).toEqual([2, 2, null]);
    });
  });
});
