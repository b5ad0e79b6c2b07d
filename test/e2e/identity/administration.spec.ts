import { Controller, Get, Module } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { FirstAdministrator } from '../../../src/auth/index.js';
import { IdentityRetention } from '../../../src/auth/retention.service.js';
import { CurrentActor, Public, RequireRecentAuth, Roles, type Actor } from '../../../src/index.js';
import { startTestApp, type LogLine, type TestApp, type TestResponse } from '../../kit/app.js';
import { createPerson, forgetAttempts, PASSWORD, signIn, statusOf, trySignIn } from '../../kit/people.js';
import { SOON } from '../../kit/soon.js';

const SQL = `
  CREATE TABLE tasks (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text NOT NULL, owner_id uuid, reviewer_id uuid
  );
`;

/** Routes of a host application, protected as its developers declare. */
@Controller('desk')
class DeskController {
  @Public()
  @Get('open')
  open(@CurrentActor() { kind }: Actor) {
    return { kind };
  }

  @Roles('editor', 'chief')
  @Get('edit')
  edit(@CurrentActor() { roles }: Actor) {
    return { roles };
  }

  @Roles('editor')
  @RequireRecentAuth(60)
  @Get('sign')
  sign() {
    return {};
  }
}

@Module({ controllers: [DeskController] })
class DeskModule {}

let app: TestApp;
const log: LogLine[] = [];
beforeAll(async () => {
  app = await startTestApp({
    sql: SQL,
    imports: [DeskModule],
    log: (line) => log.push(line),
    config: { logLevel: 'info' },
  });
  await app.admin('POST', '/system/roles', { name: 'editor' });
});
beforeEach(() => forgetAttempts(app));
afterAll(() => app?.close());

const idsOf = ({ body }: TestResponse): string[] => (body.data as { id: string }[]).map(({ id }) => id);

describe('the first administrator', () => {
  const linkOf = (): string => String(log.findLast(({ event }) => event === 'auth.set-up-awaited')?.['link']);
  const setUp = (token: string, fields: object = {}): Promise<TestResponse> =>
    app.request('POST', '/auth/set-up', {
      body: { token, email: 'boss@example.org', password: PASSWORD, ...fields },
    });

  it('is made by who opens the link of the log, once, and takes over an account made with the address', async () => {
    const first = app.server.app.get(FirstAdministrator, { strict: false });
    await first.announce('http://127.0.0.1:3000');
    const [page, token = ''] = linkOf().split('#');
    expect(page).toBe('http://127.0.0.1:3000/auth/set-up');
    const html = await fetch(`${app.url}/auth/set-up`);
    expect(html.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(await html.text()).toContain('set-up/page.js');
    expect((await fetch(`${app.url}/auth/set-up/page.js`)).headers.get('content-type')).toContain(
      'javascript',
    );

    // Somebody was faster, with a password of their own.
    await app.request('POST', '/auth/sign-up', {
      body: { email: 'boss@example.org', password: 'nimbus quarry 8 fjord' },
    });
    const squatter = await signIn(app, 'boss@example.org', 'nimbus quarry 8 fjord');
    expect((await setUp('A'.repeat(43))).status).toBe(403);
    expect((await setUp('nothing')).status).toBe(403);
    expect((await setUp(token, { password: 'password' })).status).toBe(400);
    const made = await Promise.all(Array.from({ length: 5 }, () => setUp(token)));
    expect(made.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 403, 403, 403, 403]);
    expect(made.find(({ status }) => status === 201)?.body).toMatchObject({ roles: ['admin'] });
    expect(await statusOf(app, squatter.accessToken)).toBe(401);
    const { accessToken } = await signIn(app, 'boss@example.org');
    expect((await app.request('GET', '/system/roles', { key: accessToken })).status).toBe(200);
    // There is one now, so no link is told any more.
    const told = log.length;
    await first.announce('http://127.0.0.1:3000');
    expect(log.slice(told).filter(({ event }) => event === 'auth.set-up-awaited')).toEqual([]);
  });

  it('is made out of the environment, and a password that is easy to guess stops the start', async () => {
    const config = { adminEmail: 'Root@example.org', adminPassword: PASSWORD };
    const weak = startTestApp({ config: { ...config, adminPassword: 'administrator' } });
    await expect(weak).rejects.toThrow('PLINTH_ADMIN_PASSWORD is too easy to guess');
    const other = await startTestApp({ config });
    const { body } = await trySignIn(other, 'root@example.org');
    expect(body.user).toMatchObject({ roles: ['admin'], status: 'active' });
    await other.close();
  });
});

describe('/system/users', () => {
  it('lists users, newest first, by part of their name, by status and by role', async () => {
    const ada = await createPerson(app, 'ada@engine.example', { roles: ['editor'], username: 'countess' });
    const bob = await createPerson(app, 'bob@engine.example');
    const eve = await createPerson(app, 'eve@engine.example');
    await app.admin('POST', `/system/users/${eve.id}/block`);
    const list = async (query: string): Promise<string[]> =>
      idsOf(await app.admin('GET', `/system/users?${query}`));
    expect(await list('search=ENGINE.example')).toEqual([eve.id, bob.id, ada.id]);
    expect(await list('search=ountes')).toEqual([ada.id]);
    expect(await list('search=%25')).toEqual([]);
    expect(await list('search=engine&status=blocked')).toEqual([eve.id]);
    expect(await list('role=editor')).toEqual([ada.id]);
    expect(await list('role=nothing')).toEqual([]);
    const seen: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const cursor: string = next === '' ? '' : `&cursor=${encodeURIComponent(next)}`;
      const { body } = await app.admin('GET', `/system/users?search=engine&limit=1${cursor}`);
      seen.push(...body.data.map(({ id }: { id: string }) => id));
      next = body.page.next as string | null;
    }
    expect(seen).toEqual([eve.id, bob.id, ada.id]);
    expect((await app.admin('GET', '/system/users?cursor=WyJ4Il0')).body.type).toBe(
      '/problems/invalid-cursor',
    );
    expect((await app.admin('GET', '/system/users?status=gone')).status).toBe(400);
  });

  it('makes and changes users, and says what is wrong', async () => {
    const create = (body: unknown): Promise<TestResponse> => app.admin('POST', '/system/users', body);
    const made = await create({ email: 'New@example.org', emailVerified: true, claims: { tenant: 7 } });
    expect([made.status, made.body]).toMatchObject([
      201,
      { email: 'new@example.org', claims: { tenant: 7 } },
    ]);
    expect(made.body.emailVerifiedAt).toEqual(expect.any(String));
    const pointers = async (answer: Promise<TestResponse>): Promise<unknown> => {
      const { status, body } = await answer;
      return [
        status,
        body.errors?.map(({ pointer, code }: { pointer: string; code: string }) => [pointer, code]),
      ];
    };
    expect(await pointers(create({ email: 'NEW@example.org' }))).toEqual([409, [['/email', 'unique']]]);
    expect(await pointers(create({ email: 'b@example.org', roles: ['x'] }))).toEqual([
      400,
      [['/roles/0', 'unknown-role']],
    ]);
    expect(await pointers(create({ email: 'b@example.org', password: 'password1234' }))).toEqual([
      400,
      [['/password', 'too-weak']],
    ]);
    const { id } = made.body as { id: string };
    const patch = (body: unknown): Promise<TestResponse> => app.admin('PATCH', `/system/users/${id}`, body);
    // Whose another address is, nobody knows yet.
    expect((await patch({ email: 'moved@example.org' })).body).toMatchObject({ emailVerifiedAt: null });
    expect((await patch({ roles: ['editor'], username: 'mover' })).body).toMatchObject({ roles: ['editor'] });
    expect((await patch({})).body).toMatchObject({ email: 'moved@example.org', username: 'mover' });
    for (const [method, path] of [
      ['GET', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['POST', '/block'],
      ['POST', '/unblock'],
      ['POST', '/sign-out'],
    ] as const) {
      for (const none of ['00000000-0000-4000-8000-000000000000', 'x']) {
        const body = method === 'PATCH' ? {} : undefined;
        expect((await app.admin(method, `/system/users/${none}${path}`, body)).status).toBe(404);
      }
    }
  });

  it('keeps a blocked user out, and lets an unblocked one in', async () => {
    const { id, email } = await createPerson(app, 'blocked@example.org');
    expect((await app.admin('POST', `/system/users/${id}/block`)).body).toMatchObject({ status: 'blocked' });
    expect((await trySignIn(app, email)).status).toBe(401);
    expect((await app.admin('POST', `/system/users/${id}/unblock`)).body).toMatchObject({ status: 'active' });
    expect((await trySignIn(app, email)).status).toBe(200);
  });

  it('does not delete a user whom records refer to', async () => {
    await app.database.query('ALTER TABLE tasks ADD FOREIGN KEY (reviewer_id) REFERENCES plinth.users');
    const { id } = await createPerson(app, 'needed@example.org');
    await app.database.query(`INSERT INTO tasks (title, reviewer_id) VALUES ('x', $1)`, [id]);
    const refused = await app.admin('DELETE', `/system/users/${id}`);
    expect([refused.status, refused.body.type]).toEqual([409, '/problems/foreign-key-violation']);
    await app.database.query('DELETE FROM tasks');
    expect((await app.admin('DELETE', `/system/users/${id}`)).status).toBe(204);
  });

  it('tells in the audit who did what, for so long', async () => {
    const { id, email } = await createPerson(app, 'watched@example.org');
    await trySignIn(app, email, 'not the password 1', { 'user-agent': 'curl/8.0' });
    await signIn(app, email);
    await app.admin('POST', `/system/users/${id}/block`);
    const { body } = await app.admin('GET', `/system/sign-in-events?user=${id}`);
    expect(body.data).toMatchObject([
      { kind: 'user.blocked', actor: expect.stringMatching(/^key:/) },
      { kind: 'signed-in', actor: 'public', sessionId: expect.any(String) },
      { kind: 'sign-in.refused', email, userAgent: 'curl/8.0', address: '127.0.0.1' },
      { kind: 'user.created' },
    ]);
    await app.database.query(
      `UPDATE plinth.sign_in_events SET at = now() - interval '91 days' WHERE user_id = $1`,
      [id],
    );
    await app.database.query(`UPDATE plinth.sessions SET expires_at = now() - interval '1 second'`);
    await app.server.app.get(IdentityRetention, { strict: false }).sweep();
    expect((await app.admin('GET', `/system/sign-in-events?user=${id}`)).body.data).toEqual([]);
    expect(await app.database.query('SELECT FROM plinth.sessions')).toEqual([]);
  });
});

describe('users as a collection', () => {
  it('are read by policy, joined by relations, and have no secrets', async () => {
    await app.database.query(
      'ALTER TABLE tasks ADD FOREIGN KEY (owner_id) REFERENCES plinth.users ON DELETE CASCADE',
    );
    const { id, email } = await createPerson(app, 'owner@example.org', { username: 'owner' });
    const other = await createPerson(app, 'other@example.org');
    await app.database.query(`INSERT INTO tasks (title, owner_id) VALUES ('mine', $1), ('theirs', $2)`, [
      id,
      other.id,
    ]);
    for (const policy of [
      { collection: 'plinth.users', action: 'read', fields: ['id', 'username'] },
      { collection: 'plinth.users', action: 'read', condition: 'id == auth.id' },
      { collection: 'tasks', action: 'read', condition: 'owner_id == auth.id' },
      { collection: 'tasks', action: 'create', fields: ['title'], presets: { owner_id: 'auth.id' } },
    ])
      expect((await app.admin('POST', '/system/policies', { role: 'authenticated', ...policy })).status).toBe(
        201,
      );
    const { accessToken: key } = await signIn(app, email);
    await vi.waitFor(async () => {
      const tasks = await app.request('GET', '/api/tasks?fields=title,owner(username,email)', { key });
      expect(tasks.body.data).toEqual([{ title: 'mine', owner: { username: 'owner', email } }]);
    }, SOON);
    const made = await app.request('POST', '/api/tasks?fields=title,owner(id)', {
      key,
      body: { title: 'new' },
    });
    expect([made.status, made.body]).toEqual([201, { title: 'new', owner: { id } }]);
    const users = await app.request('GET', `/api/plinth.users?filter=id == "${other.id}"`, { key });
    expect(users.body.data).toMatchObject([{ id: other.id, email: null, claims: null, status: null }]);
    expect((await app.request('GET', '/api/plinth.users?filter=hash == "x"', { key })).status).toBe(400);
    const refused = await app.admin('PATCH', `/api/plinth.users/${id}`, { username: 'x' });
    expect([refused.status, refused.body.type]).toEqual([501, '/problems/not-implemented']);
  });
});

describe('routes of a host', () => {
  it('are for whom they say, in their document too', async () => {
    const editor = await createPerson(app, 'editor@example.org', { roles: ['editor'] });
    const reader = await createPerson(app, 'reader@example.org');
    const [edits, reads] = [await signIn(app, editor.email), await signIn(app, reader.email)];
    const get = (path: string, key?: string): Promise<TestResponse> => app.request('GET', path, { key });
    // The host does not document what it answers.
    const call = (path: string, key?: string): Promise<Response> =>
      fetch(app.url + path, { headers: key === undefined ? {} : { authorization: `Bearer ${key}` } });
    const statuses = async (path: string): Promise<number[]> => {
      const answers = [undefined, reads.accessToken, edits.accessToken, app.adminKey].map((key) =>
        call(path, key),
      );
      return (await Promise.all(answers)).map(({ status }) => status);
    };
    expect(await statuses('/desk/open')).toEqual([200, 200, 200, 200]);
    expect(await statuses('/desk/edit')).toEqual([401, 403, 200, 200]);
    expect(await statuses('/desk/sign')).toEqual([401, 403, 200, 403]);
    const paths = async (key?: string): Promise<string[]> =>
      Object.keys((await get('/openapi.json', key)).body.paths as object).filter((path) =>
        path.startsWith('/desk'),
      );
    expect(await paths()).toEqual(['/desk/open']);
    expect(await paths(reads.accessToken)).toEqual(['/desk/open']);
    expect(await paths(edits.accessToken)).toEqual(['/desk/open', '/desk/edit', '/desk/sign']);
    await app.database.query(
      `UPDATE plinth.sessions SET authenticated_at = now() - interval '2 minutes' WHERE user_id = $1`,
      [editor.id],
    );
    const again = (await app.request('POST', '/auth/refresh', { body: { refreshToken: edits.refreshToken } }))
      .body;
    await app.database.query(`UPDATE plinth.users SET claims = '{"x": 1}' WHERE id = $1`, [editor.id]);
    await vi.waitFor(async () => {
      const old = await call('/desk/sign', again.accessToken as string);
      expect([old.status, ((await old.json()) as { type: string }).type]).toEqual([
        401,
        '/problems/reauthentication-required',
      ]);
      expect(old.headers.get('www-authenticate')).toContain('max_age=60');
    }, SOON);
  });
});

describe('signing keys', () => {
  it('are renewed, and what the one before has signed holds on', async () => {
    const { email } = await createPerson(app, 'rotation@example.org');
    const before = await signIn(app, email);
    const published = async (): Promise<string[]> =>
      (await app.request('GET', '/.well-known/jwks.json')).body.keys.map(({ kid }: { kid: string }) => kid);
    const [first = ''] = await published();
    await app.database.query(`UPDATE plinth.signing_keys SET created_at = created_at - interval '30 days'`);
    await vi.waitFor(async () => expect(await published()).toHaveLength(2), { timeout: 10_000 });
    const kidOf = (token: string): unknown =>
      (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;
    // Published an hour before it signs.
    expect(kidOf((await signIn(app, email)).accessToken)).toBe(first);
    await app.database.query(`UPDATE plinth.signing_keys SET created_at = created_at - interval '1 hour'`);
    await vi.waitFor(async () => expect(kidOf((await signIn(app, email)).accessToken)).not.toBe(first), {
      timeout: 10_000,
      interval: 200,
    });
    expect(await statusOf(app, before.accessToken)).toBe(200);
  });

  it('that are deleted sign nothing any more, and what they signed is refused', async () => {
    const { email } = await createPerson(app, 'compromise@example.org');
    const before = await signIn(app, email);
    await app.database.query('DELETE FROM plinth.signing_keys');
    await vi.waitFor(async () => expect(await statusOf(app, before.accessToken)).toBe(401), {
      timeout: 10_000,
    });
    expect(await statusOf(app, (await signIn(app, email)).accessToken)).toBe(200);
  });
});

it('has no password and no token in its log', () => {
  const text = log.map((line) => JSON.stringify(line)).join('\n');
  expect(text).toContain('signed-in');
  expect(text).not.toContain(PASSWORD);
  expect(text).not.toMatch(/plinth_rt_|eyJhbGci|argon2id/);
});
