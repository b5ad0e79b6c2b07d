import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp, type TestResponse } from '../kit/app.js';
import { BLOG_SQL } from '../kit/blog.js';

const OWN = 'author_id == auth.claims.author_id';
const POLICIES: readonly object[] = [
  {
    collection: 'posts',
    action: 'read',
    condition: 'status == "published"',
    fields: ['id', 'author_id', 'title', 'status'],
  },
  { collection: 'posts', action: 'read', condition: OWN },
  {
    collection: 'posts',
    action: 'create',
    fields: ['title', 'meta'],
    check: `${OWN} && size(title) > 3 && status == "draft"`,
    presets: { author_id: 'auth.claims.author_id' },
  },
  {
    collection: 'posts',
    action: 'update',
    condition: `${OWN} && status == "draft"`,
    fields: ['title', 'status'],
    check: 'title != old.title || author.name == "Ada"',
  },
  { collection: 'posts', action: 'update', condition: OWN, fields: ['meta'] },
  { collection: 'posts', action: 'delete', condition: 'views == 0' },
];
const ADA = { roles: ['writer'], id: 'u1', claims: { author_id: 1 } };

describe('POST /system/access/explain', () => {
  let app: TestApp;
  let key: string;
  beforeAll(async () => {
    app = await startTestApp({ sql: BLOG_SQL });
    key = await app.keyFor('writer', POLICIES, { author_id: 1 });
  });
  afterAll(() => app?.close());

  const ask = (question: object): Promise<TestResponse> =>
    app.admin('POST', '/system/access/explain', { actor: ADA, collection: 'posts', ...question });
  const explain = async (question: object): Promise<TestResponse['body']> => {
    const { status, body, text } = await ask(question);
    if (status !== 200) throw new Error(text);
    return body;
  };

  it('tells of each rule whether it applies to a record, and of each part whether it holds', async () => {
    const answer = await explain({ action: 'read', key: '2' });
    expect(answer).toMatchObject({
      allowed: true,
      readable: true,
      possible: true,
      roles: ['public', 'writer'],
    });
    expect(answer.rules).toEqual([
      {
        policy: expect.any(String),
        role: 'writer',
        fields: ['id', 'author_id', 'title', 'status'],
        presets: [],
        condition: { text: 'status == "published"', value: false, parts: [] },
        check: null,
        applies: false,
      },
      {
        policy: expect.any(String),
        role: 'writer',
        fields: '*',
        presets: [],
        condition: { text: OWN, value: true, parts: [] },
        check: null,
        applies: true,
      },
    ]);
    const { rules } = await explain({ action: 'update', key: '1' });
    expect(rules[0].condition).toEqual({
      text: `${OWN} && status == "draft"`,
      value: false,
      parts: [
        { text: OWN, start: 0, end: 34, value: true },
        { text: 'status == "draft"', start: 38, end: 55, value: false },
      ],
    });
  });

  it('tells the fields that are visible on a record, as a request sees them', async () => {
    for (const id of [1, 2, 3]) {
      const { fields, sometimes, allowed } = await explain({ action: 'read', key: String(id) });
      const { body } = await app.request('GET', `/api/posts/${id}`, { key });
      const [stored] = await app.database.query(`SELECT * FROM posts WHERE id = ${id}`);
      const shown = Object.keys(body).filter((name) => body[name] !== null || stored?.[name] === null);
      expect(shown.includes('secret')).toBe(id !== 3);
      expect([allowed, sometimes]).toEqual([true, []]);
      expect(shown.filter((name) => !fields.includes(name) && stored?.[name] !== null)).toEqual([]);
      expect(fields.filter((name: string) => !shown.includes(name))).toEqual([]);
    }
  });

  it('tells without a record what depends on one', async () => {
    const read = await explain({ action: 'read' });
    expect(read).toMatchObject({ allowed: null, readable: null });
    expect(read.rules.map(({ applies }: { applies: null }) => applies)).toEqual([null, null]);
    expect(read.fields).toContain('secret');
    expect(read.sometimes).toContain('secret');
    const nobody = await explain({ action: 'read', actor: { roles: [] } });
    expect(nobody).toMatchObject({ allowed: false, rules: [], fields: [], sql: null, roles: ['public'] });
    const admin = await explain({ action: 'delete', actor: { roles: ['admin'] } });
    expect(admin).toMatchObject({ allowed: true, rules: [{ policy: null, role: 'admin', applies: true }] });
  });

  it('gives SQL that runs and picks what a request would', async () => {
    const { sql } = await explain({ action: 'read' });
    const rows = await app.database.query(sql.text, sql.parameters);
    const { body } = await app.request('GET', '/api/posts', { key });
    expect(rows.map(({ id, secret }) => [id, secret])).toEqual(
      body.data.map(({ id, secret }: { id: number; secret: string }) => [id, secret]),
    );
    const deletion = (await explain({ action: 'delete' })).sql;
    expect((await app.database.query(deletion.text, deletion.parameters)).map(({ id }) => id)).toEqual([2]);
  });

  const writes: readonly [string, object, boolean][] = [
    ['an own draft with a new title', { action: 'update', key: '2', record: { title: 'Other' } }, true],
    ['an own draft with its old title', { action: 'update', key: '2', record: { title: 'Second' } }, true],
    ['an own published post', { action: 'update', key: '1', record: { title: 'Other' } }, false],
    ['the notes of an own published post', { action: 'update', key: '1', record: { meta: { a: 1 } } }, true],
    [
      'title and notes of an own draft',
      { action: 'update', key: '2', record: { title: 'Other', meta: 1 } },
      true,
    ],
    [
      'title and notes of an own published post',
      { action: 'update', key: '1', record: { title: 'X', meta: 1 } },
      false,
    ],
    ['a field of no rule', { action: 'update', key: '2', record: { views: 1 } }, false],
    ['a post of somebody else', { action: 'update', key: '3', record: { meta: 1 } }, false],
    ['a new draft', { action: 'create', record: { title: 'Fresh' } }, true],
    ['a new draft with too short a title', { action: 'create', record: { title: 'Ab' } }, false],
    ['a new post of another author', { action: 'create', record: { title: 'Fresh', author_id: 2 } }, false],
    ['a generated field', { action: 'create', record: { title: 'Fresh', slug: 'x' } }, false],
  ];
  for (const [what, question, allowed] of writes) {
    it(`decides as the write does: ${what}`, async () => {
      const { action, key: id, record } = question as { action: string; key?: string; record: object };
      expect((await explain(question)).allowed).toBe(allowed);
      const before = await app.database.query('SELECT * FROM posts ORDER BY id');
      const { status } =
        action === 'create'
          ? await app.request('POST', '/api/posts', { key, body: record })
          : await app.request('PATCH', `/api/posts/${id}`, { key, body: record });
      expect(status < 300).toBe(allowed);
      await restore(before);
    });
  }
  const restore = async (rows: readonly Record<string, unknown>[]): Promise<void> => {
    await app.database.query('DELETE FROM posts');
    await app.database.query(
      `INSERT INTO posts (id, author_id, title, status, views, secret, meta)
       SELECT id, author_id, title, status, views, secret, meta FROM json_populate_recordset(NULL::posts, $1)`,
      [JSON.stringify(rows)],
    );
  };

  it('explains a deletion that is refused because the record cannot be read', async () => {
    await app.database.query(`INSERT INTO posts (id, author_id, title) VALUES (50, 2, 'Hidden')`);
    const hidden = await explain({ action: 'delete', key: '50' });
    expect(hidden).toMatchObject({ allowed: false, readable: false, rules: [{ applies: true }] });
    expect((await app.request('DELETE', '/api/posts/50', { key })).status).toBe(404);
    expect(await explain({ action: 'delete', key: '2' })).toMatchObject({ allowed: true, readable: true });
    await app.database.query('DELETE FROM posts WHERE id = 50');
  });

  it('writes nothing, and uses up no numbers', async () => {
    const state = (): Promise<unknown> =>
      app.database.query(
        'SELECT (SELECT last_value FROM posts_id_seq) AS last, (SELECT count(*) FROM posts) AS rows',
      );
    const before = await state();
    await explain({ action: 'create', record: { title: 'Fresh' } });
    await explain({ action: 'update', key: '2', record: { title: 'Fresh' } });
    expect(await state()).toEqual(before);
  });

  it('speaks of a key as of its owner', async () => {
    const { body } = await app.admin('GET', '/system/keys?limit=1000');
    const { id } = body.data.find(({ name }: { name: string }) => name === 'writer');
    const byKey = await explain({ action: 'read', key: '2', actor: { keyId: id } });
    expect(byKey).toEqual(await explain({ action: 'read', key: '2', actor: { ...ADA, id } }));
  });

  it('speaks of records that are not stored', async () => {
    const published = await explain({ action: 'read', record: { status: 'published', author_id: 2 } });
    expect(published).toMatchObject({ allowed: true, fields: ['id', 'author_id', 'title', 'status'] });
    const draft = await explain({ action: 'read', record: { author_id: 2 } });
    expect(draft).toMatchObject({ allowed: false, fields: [] });
  });

  it('knows what PostgreSQL itself refuses', async () => {
    const question = { collection: 'titles', action: 'update', actor: { roles: ['admin'] } };
    expect(await explain(question)).toMatchObject({ allowed: false, possible: false });
    expect(await explain({ ...question, action: 'read' })).toMatchObject({ allowed: true, possible: true });
  });

  it('does not let a claim become SQL', async () => {
    const claims = { author_id: `1) OR true --'; DROP TABLE posts; "` };
    const answer = await explain({ action: 'read', key: '2', actor: { roles: ['writer'], claims } });
    expect(answer.allowed).toBe(false);
    expect(answer.sql.text).not.toContain('DROP');
  });

  const mistakes: readonly [string, object, number, string | null][] = [
    ['an unknown role', { action: 'read', actor: { roles: ['ghost'] } }, 400, '/actor/roles/0'],
    ['no actor', { action: 'read', actor: undefined }, 400, '/actor'],
    ['an actor without roles', { action: 'read', actor: {} }, 400, '/actor'],
    [
      'a key and roles',
      { action: 'read', actor: { ...ADA, keyId: '00000000-0000-4000-8000-000000000000' } },
      400,
      '/actor/keyId',
    ],
    [
      'an unknown key',
      { action: 'read', actor: { keyId: '00000000-0000-4000-8000-000000000000' } },
      404,
      null,
    ],
    [
      'an unknown member of the actor',
      { action: 'read', actor: { roles: [], name: 'x' } },
      400,
      '/actor/name',
    ],
    ['an unknown collection', { action: 'read', collection: 'post' }, 400, '/collection'],
    ['an unknown action', { action: 'list' }, 400, '/action'],
    ['a record that is not there', { action: 'read', key: '999' }, 404, null],
    ['a key of another type', { action: 'read', key: 'x' }, 400, '/key'],
    ['a key of a record that is new', { action: 'create', key: '1' }, 400, '/key'],
    ['a key and a record', { action: 'read', key: '1', record: {} }, 400, '/record'],
    ['an unknown field', { action: 'create', record: { titel: 'x' } }, 400, '/record/titel'],
    ['a value that does not fit', { action: 'create', record: { views: 'many' } }, 422, '/record'],
  ];
  for (const [what, question, status, pointer] of mistakes) {
    it(`refuses ${what}`, async () => {
      const answer = await ask(question);
      expect([answer.status, answer.body.errors?.[0]?.pointer ?? null]).toEqual([status, pointer]);
    });
  }
});
