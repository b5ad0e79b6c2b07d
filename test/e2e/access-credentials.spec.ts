import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AccessService } from '../../src/access/index.js';
import { generateKey } from '../../src/access/keys/key-format.js';
import { startTestApp, type TestApp, type TestResponse } from '../kit/app.js';
import { BLOG_SQL } from '../kit/blog.js';
import { SOON } from '../kit/soon.js';

describe('credentials', () => {
  let app: TestApp;
  let reader: string;
  beforeAll(async () => {
    app = await startTestApp({ sql: BLOG_SQL });
    reader = await app.keyFor('reader', [{ collection: 'posts', action: 'read' }]);
  });
  afterAll(() => app?.close());

  const ask = (headers: Record<string, string>, path = '/api/posts'): Promise<TestResponse> =>
    app.request('GET', path, { headers });

  it('let nobody without one into management, and say how to get in', async () => {
    for (const path of ['roles', 'policies', 'keys', 'collections']) {
      const { status, body, headers } = await ask({}, `/system/${path}`);
      expect([status, body.type]).toEqual([401, '/problems/unauthenticated']);
      expect(headers.get('www-authenticate')).toBe('Bearer realm="plinth"');
    }
    const explain = await app.request('POST', '/system/access/explain', { body: {} });
    expect(explain.status).toBe(401);
  });

  it('without the role admin do not lead into management', async () => {
    for (const [method, path] of [
      ['GET', 'roles'],
      ['GET', 'roles/admin'],
      ['POST', 'roles'],
      ['PATCH', 'roles/admin'],
      ['DELETE', 'roles/reader'],
      ['GET', 'policies'],
      ['POST', 'policies'],
      ['GET', 'keys'],
      ['POST', 'keys'],
      ['GET', 'collections'],
      ['GET', 'collections/posts'],
      ['POST', 'access/explain'],
    ] as const) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : {};
      const answer = await app.request(method, `/system/${path}`, { key: reader, body });
      expect([path, answer.status, answer.body.type]).toEqual([path, 403, '/problems/forbidden']);
    }
  });

  it('come in either header, or in both alike', async () => {
    const ways: readonly Record<string, string>[] = [
      { authorization: `Bearer ${reader}` },
      { authorization: `bearer ${reader}` },
      { 'x-api-key': reader },
      { authorization: `Bearer ${reader}`, 'x-api-key': reader },
    ];
    for (const headers of ways) {
      expect((await ask(headers)).status).toBe(200);
    }
  });

  it('that differ in the two headers are refused, even if each holds', async () => {
    const answer = await ask({ authorization: `Bearer ${reader}`, 'x-api-key': app.adminKey });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('invalid_request');
  });

  it('that do not hold are all refused alike, also where none is needed', async () => {
    const { body: expired } = await app.admin('POST', '/system/keys', { name: 'old', roles: ['reader'] });
    const { body: revoked } = await app.admin('POST', '/system/keys', { name: 'gone', roles: ['reader'] });
    expect((await ask({ 'x-api-key': expired.key })).status).toBe(200);
    expect((await ask({ 'x-api-key': revoked.key })).status).toBe(200);
    await app.database.query(
      `UPDATE plinth.api_keys SET expires_at = now() - interval '1 second' WHERE name = 'old'`,
    );
    await app.admin('DELETE', `/system/keys/${revoked.id}`);
    await vi.waitFor(async () => expect((await ask({ 'x-api-key': expired.key })).status).toBe(401), SOON);
    // From here on the key is known in memory, so a guess at its secret gets as far as a guess can.
    expect((await ask({ 'x-api-key': reader })).status).toBe(200);
    const other = generateKey().key;
    const flipped = reader.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    const corpus: Record<string, string>[] = [
      ...[
        expired.key,
        revoked.key,
        other,
        flipped,
        // The prefix of a key that holds, and a secret that is well-formed.
        generateKey(reader.slice(7, 17)).key,
        `${reader.slice(0, 18)}${other.slice(18)}`,
        reader.slice(0, -1),
        `${reader}A`,
        reader.toUpperCase(),
        reader.toLowerCase(),
        'plinth_',
        'plinth_x_y',
        `plinth_${'x'.repeat(5000)}`,
        '%00',
        `${reader},${reader}`,
        `${reader} ${reader}`,
        '',
      ].flatMap((key): Record<string, string>[] => [
        { 'x-api-key': key },
        { authorization: `Bearer ${key}` },
      ]),
      { authorization: reader },
      { authorization: 'Bearer' },
      { authorization: `Basic ${Buffer.from(`x:${reader}`).toString('base64')}` },
      { authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ.' },
    ];
    const answers = new Set<string>();
    for (const headers of corpus) {
      for (const path of ['/api/posts', '/health/live', '/system/roles']) {
        const { status, body, headers: answer } = await ask(headers, path);
        expect([headers, status]).toEqual([headers, 401]);
        const { requestId: _requestId, ...rest } = body;
        answers.add(JSON.stringify([rest, answer.get('www-authenticate')]));
      }
    }
    expect([...answers]).toHaveLength(1);
  });

  it('that were seen before are recognised without asking the database', async () => {
    const client = await app.database.pool.connect();
    try {
      expect((await ask({ 'x-api-key': reader })).status).toBe(200);
      await client.query('BEGIN; LOCK plinth.api_keys IN ACCESS EXCLUSIVE MODE');
      for (let count = 0; count < 5; count += 1) {
        expect((await ask({ 'x-api-key': reader })).status).toBe(200);
      }
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  });

  it('that are invented by the hundred cost one connection, and push out none that is known', async () => {
    const client = await app.database.pool.connect();
    const invented = Array.from({ length: 300 }, () => generateKey().key);
    try {
      expect((await ask({ 'x-api-key': reader })).status).toBe(200);
      await client.query('BEGIN; LOCK plinth.api_keys IN ACCESS EXCLUSIVE MODE');
      const asked = invented.map((key) => ask({ 'x-api-key': key }));
      const waiting = async (): Promise<number> => {
        const { rows } = await client.query(`SELECT count(*)::int FROM pg_locks WHERE NOT granted
          AND relation = 'plinth.api_keys'::regclass`);
        return rows[0].count;
      };
      await vi.waitFor(async () => expect(await waiting()).toBeGreaterThan(0), SOON);
      expect((await ask({ 'x-api-key': reader })).status).toBe(200);
      expect(await waiting()).toBe(1);
      await client.query('ROLLBACK');
      const statuses = (await Promise.all(asked)).map(({ status }) => status);
      expect(new Set(statuses)).toEqual(new Set([401]));
    } finally {
      client.release();
    }
  });

  it('have their last use noted, coarsely', async () => {
    const { body } = await app.admin('POST', '/system/keys', { name: 'used', roles: ['reader'] });
    const noted = async (): Promise<unknown> =>
      (await app.admin('GET', `/system/keys/${body.id}`)).body.lastUsedAt;
    expect(await noted()).toBeNull();
    await ask({ 'x-api-key': body.key });
    await vi.waitFor(async () => expect(await noted()).not.toBeNull(), SOON);
    const first = await noted();
    await ask({ 'x-api-key': body.key });
    await ask({ 'x-api-key': body.key });
    expect(await noted()).toBe(first);
  });
});

describe('a change of access', () => {
  let one: TestApp;
  let two: TestApp;
  beforeAll(async () => {
    one = await startTestApp({ sql: BLOG_SQL });
    two = await startTestApp({ database: one.database });
  });
  afterAll(async () => {
    await two?.close();
    await one?.close();
  });

  const status = async (app: TestApp, key: string | null, path = '/api/posts'): Promise<number> =>
    (await app.request('GET', path, { key })).status;
  /** On the instance that made it at once, on the other one within a second. */
  const expectSoon = async (key: string | null, expected: number): Promise<void> => {
    expect(await status(one, key)).toBe(expected);
    await vi.waitFor(async () => expect(await status(two, key)).toBe(expected), SOON);
  };

  it('holds on every instance within a second: policies, roles, keys', async () => {
    const key = await one.keyFor('clerk', []);
    await expectSoon(key, 404);
    const { body: policy } = await one.admin('POST', '/system/policies', {
      role: 'clerk',
      collection: 'posts',
      action: 'read',
    });
    await expectSoon(key, 200);
    await one.admin('PATCH', `/system/policies/${policy.id}`, { collection: 'authors' });
    await expectSoon(key, 404);
    await one.admin('PATCH', `/system/policies/${policy.id}`, { collection: 'posts' });
    await expectSoon(key, 200);
    await one.admin('DELETE', '/system/roles/clerk');
    await expectSoon(key, 404);
    const { body: keys } = await one.admin('GET', '/system/keys?limit=1000');
    const { id } = keys.data.find(({ name }: { name: string }) => name === 'clerk');
    await one.admin('DELETE', `/system/keys/${id}`);
    await expectSoon(key, 401);
  });

  it('is told to the other instances, and not only found by looking', async () => {
    const told = await startTestApp({ database: one.database });
    // From here on it does not look.
    Object.assign(told.server.app.get(AccessService, { strict: false }), { poll: async () => {} });
    const key = await one.keyFor('herald', []);
    for (const action of ['POST', 'DELETE', 'POST', 'DELETE', 'POST', 'DELETE', 'POST'] as const) {
      const { body } = await one.admin('GET', '/system/policies?role=herald');
      const policy = { role: 'herald', collection: 'posts', action: 'read' };
      await (action === 'POST'
        ? one.admin('POST', '/system/policies', policy)
        : one.admin('DELETE', `/system/policies/${body.data[0].id}`));
      const expected = action === 'POST' ? 200 : 404;
      await vi.waitFor(async () => expect(await status(told, key)).toBe(expected), SOON);
    }
    await told.close();
  });

  it('holds as soon when it is made by hand', async () => {
    const key = await one.keyFor('typist', [{ collection: 'posts', action: 'read' }]);
    const eventually = async (expected: number): Promise<void> => {
      for (const app of [one, two]) {
        await vi.waitFor(async () => expect(await status(app, key)).toBe(expected), SOON);
      }
    };
    await eventually(200);
    await one.database.query(`UPDATE plinth.policies SET collection = 'authors' WHERE role = 'typist'`);
    await eventually(404);
    await one.database.query(
      `INSERT INTO plinth.policies (role, collection, action) VALUES ('public', 'posts', 'read')`,
    );
    await eventually(200);
    await one.database.query(`DELETE FROM plinth.api_keys WHERE name = 'typist'`);
    await eventually(401);
    await one.database.query(`TRUNCATE plinth.policies`);
    await vi.waitFor(async () => expect(await status(two, null)).toBe(404), SOON);
  });

  it('holds within a second also when no notification comes', async () => {
    const key = await one.keyFor('deaf', [{ collection: 'posts', action: 'read' }]);
    await expectSoon(key, 200);
    const [{ definition } = {}] = await one.database.query(
      `SELECT pg_get_functiondef('plinth.bump_access_version'::regproc) AS definition`,
    );
    await one.database.query(String(definition).replace(/PERFORM pg_notify[^;]*;/, ''));
    try {
      await one.database.query(`DELETE FROM plinth.api_keys WHERE name = 'deaf'`);
      await vi.waitFor(async () => expect(await status(two, key)).toBe(401), { timeout: 1200, interval: 10 });
    } finally {
      await one.database.query(String(definition));
    }
  });

  it('is not lost when the database goes away for a moment', async () => {
    const key = await one.keyFor('survivor', [{ collection: 'posts', action: 'read' }]);
    await expectSoon(key, 200);
    await one.database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    await one.database.query(`DELETE FROM plinth.api_keys WHERE name = 'survivor'`);
    for (const app of [one, two]) {
      await vi.waitFor(async () => expect(await status(app, key)).toBe(401), { timeout: 5000, interval: 20 });
    }
  });
});

describe('a policy that a change of the schema broke', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({ sql: BLOG_SQL });
  });
  afterAll(() => app?.close());

  it('gives nothing, says so, harms no other, and heals with the schema', async () => {
    const key = await app.keyFor('reader', [
      { collection: 'posts', action: 'read', condition: 'secret == "a"' },
      { collection: 'posts', action: 'read', condition: 'id == 3' },
      { collection: 'authors', action: 'read' },
    ]);
    const ids = async (): Promise<unknown> => {
      const { body } = await app.request('GET', '/api/posts?fields=id', { key });
      return body.data?.map(({ id }: { id: number }) => id);
    };
    const problems = async (): Promise<unknown[]> =>
      (await app.admin('GET', '/system/policies?role=reader')).body.data.map(
        ({ problem }: { problem: string | null }) => problem,
      );
    expect(await ids()).toEqual([1, 3]);
    expect(await problems()).toEqual([null, null, null]);
    await app.database.query('ALTER TABLE posts RENAME secret TO hidden');
    await vi.waitFor(async () => expect(await ids()).toEqual([3]), SOON);
    const [broken, ...rest] = await problems();
    expect(broken).toContain('secret');
    expect(rest).toEqual([null, null]);
    const explained = await app.admin('POST', '/system/access/explain', {
      actor: { roles: ['reader'] },
      action: 'read',
      collection: 'posts',
      key: '1',
    });
    expect([explained.body.allowed, explained.body.inactive.length]).toEqual([false, 1]);
    await app.database.query('ALTER TABLE posts RENAME hidden TO secret');
    await vi.waitFor(async () => expect(await ids()).toEqual([1, 3]), SOON);
    expect(await problems()).toEqual([null, null, null]);
  });

  it('that was never right, put there by hand, gives nothing either', async () => {
    await app.database
      .query(`INSERT INTO plinth.policies (role, collection, action, condition, presets) VALUES
      ('public', 'posts', 'read', '((((', NULL), ('public', 'nowhere', 'read', NULL, NULL),
      ('public', 'authors', 'create', NULL, '{"0": {}}'), ('public', 'authors', 'read', NULL, NULL)`);
    await vi.waitFor(async () => expect((await app.request('GET', '/api/authors')).status).toBe(200), SOON);
    expect((await app.request('GET', '/api/posts')).status).toBe(404);
    expect(
      (await app.request('POST', '/api/authors', { body: { id: 9, name: 'x' } })).status,
    ).toBeGreaterThan(399);
  });
});
