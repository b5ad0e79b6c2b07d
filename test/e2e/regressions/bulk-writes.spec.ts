import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../kit/app.js';

const OWN = 'owner == auth.claims.owner';

let app: TestApp;
let key: string;
beforeAll(async () => {
  app = await startTestApp({ sql: 'CREATE TABLE notes (id int PRIMARY KEY, owner text, text text)' });
  const policies = [
    { collection: 'notes', action: 'read' },
    { collection: 'notes', action: 'create', check: OWN },
    { collection: 'notes', action: 'update', condition: OWN, check: OWN },
    { collection: 'notes', action: 'delete', condition: OWN },
  ];
  key = await app.keyFor('writer', policies, { owner: 'ann' });
});
afterAll(() => app?.close());

const reset = (): Promise<unknown> =>
  app.database.query(
    `TRUNCATE notes; INSERT INTO notes VALUES (1, 'ann', 'a'), (2, 'bob', 'b'), (3, 'ann', 'c'), (4, NULL, 'd')`,
  );
beforeEach(reset);

const rows = (): Promise<unknown> => app.database.query('SELECT * FROM notes ORDER BY id');
const send = async (method: string, path: string, body?: unknown): Promise<number> =>
  (await app.request(method, path, { key, body })).status;

describe('[row 27] a write of many', () => {
  it.each([
    { method: 'PATCH', body: { text: 'changed' } },
    { method: 'DELETE', body: undefined },
  ])('[row 27] changes with $method exactly what single ones would change', async ({ method, body }) => {
    const singles: number[] = [];
    for (const id of [1, 2, 3, 4]) singles.push(await send(method, `/api/notes/${id}`, body));
    const expected = await rows();
    expect(singles.map((status) => status < 300)).toEqual([true, false, true, false]);
    await reset();
    expect(await send(method, '/api/notes?filter=true', body)).toBeLessThan(300);
    expect(await rows()).toEqual(expected);
  });

  const others = { id: 6, owner: 'bob' };
  it.each<[string, string, string, unknown]>([
    ['creates one for another', 'POST', '/api/notes', [{ id: 5, owner: 'ann' }, others]],
    ['gives one away', 'PATCH', '/api/notes?filter=true', { owner: 'bob' }],
    [
      'upserts over one of another',
      'POST',
      '/api/notes?upsertOn=id',
      [
        { id: 5, owner: 'ann' },
        { id: 2, owner: 'ann' },
      ],
    ],
    ['upserts one for another', 'POST', '/api/notes?upsertOn=id', [{ id: 1, owner: 'ann' }, others]],
    [
      'has one for another in a batch',
      'POST',
      '/api/batch',
      {
        operations: [
          { method: 'POST', path: '/notes', body: { id: 5, owner: 'ann' } },
          { method: 'POST', path: '/notes', body: others },
        ],
      },
    ],
  ])('[row 27] that %s is refused and changes nothing', async (_what, method, path, body) => {
    const before = await rows();
    expect(await send(method, path, body)).toBe(403);
    expect(await rows()).toEqual(before);
  });
});
