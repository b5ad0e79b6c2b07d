import { RE2JS } from 're2js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp, type TestResponse } from '../../kit/app.js';

/** Texts on which a matcher that goes back and forth would not end in our lifetime. */
const TEXTS: readonly string[] = [
  'a'.repeat(20_000),
  `${'a'.repeat(20_000)}!`,
  `${'ab'.repeat(10_000)}!`,
  `${'a'.repeat(5000)}${'b'.repeat(5000)}${'a'.repeat(5000)}`,
  `${' '.repeat(20_000)}x`,
  `${'x'.repeat(20_000)}\n`,
  `${'a,'.repeat(8000)};`,
  `${'0'.repeat(20_000)}e`,
  `<${'<a '.repeat(6000)}`,
  `"${'\\"'.repeat(9000)}`,
  `${'aé🙂'.repeat(4000)}!`,
  `${'Word and word, '.repeat(1200)}.`,
  `a@${'a.'.repeat(8000)}`,
  `http://${'a'.repeat(8000)}:${'1'.repeat(8000)}`,
  '',
  'a',
];

const PATTERNS = [
  '^(a+)+$',
  '^(a|a)*$',
  '^(a|aa)+$',
  '^(a*)*$',
  '(a*)*b$',
  '^(a?){60}a{60}$',
  '(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)x$',
  '^(([a-z])+.)+[A-Z]([a-z])+$',
  '(x+x+)+y',
  '^(.*?,){11}P',
  '([a-zA-Z]+)*[0-9]$',
  '^(a|b|ab)*c$',
  '(a|b)*a(a|b){12}$',
  '^\\s+|\\s+$',
  '\\s*,\\s*;$',
  '(\\w+\\s?)+$',
  '^(\\d+)*e+$',
  '<(a\\s*)*>',
  '^"(\\\\.|[^"\\\\])*"$',
  '(.*a){20}z',
  '^([\\w.+-]+@)?((\\w+\\.)+)+$',
  '^(https?://)?([a-z]+)*:(\\d+)*/$',
  '((a{1,9}){1,9}){1,9}b',
  '(a*a*a*a*a*a*a*a*a*a*)*b',
  '[^b]*[^c]*[^d]*[^e]*[^f]*z',
  '(?i)(A+)+B$',
  '(?s)^(.+)+\\n.$',
  '(?m)(^a*$)*x',
  '(é|🙂|a)+$',
  '\\b(\\w+\\b\\W*)+\\.$',
] as const;

/** What only a matcher that goes back and forth could do. */
const REFUSED = [
  '(a+)+\\1',
  '(?=(a+)+$)a',
  '(?!a*b)a+',
  '(?<=a+)b',
  '(?>a+)+b',
  '(a++)+b',
  '(?(1)a|b)',
  '(?R)',
] as const;

const SCHEMA = `
  CREATE TABLE texts (id int PRIMARY KEY, content text NOT NULL);
  CREATE TABLE items (id int PRIMARY KEY, name text NOT NULL);
  INSERT INTO items SELECT i, 'Item ' || i FROM generate_series(1, 50) i;
`;

let app: TestApp;
beforeAll(async () => {
  // Two connections: whoever holds one for long leaves others with one.
  app = await startTestApp({ sql: SCHEMA, config: { poolSize: 2 } });
  for (const [id, content] of TEXTS.entries())
    await app.database.query('INSERT INTO texts VALUES ($1, $2)', [id, content]);
});
afterAll(() => app?.close());

const matching = (pattern: string): number[] => {
  const matcher = RE2JS.compile(pattern);
  return TEXTS.flatMap((text, id) => (matcher.test(text) ? [id] : []));
};
const list = (filter: string, key = app.adminKey): Promise<TestResponse> =>
  app.request('GET', `/api/texts?${new URLSearchParams({ fields: 'id', filter }).toString()}`, { key });
const condition = (pattern: string): string => `content.matches(${JSON.stringify(pattern)})`;
const idsOf = ({ body }: TestResponse): number[] => (body.data as { id: number }[]).map(({ id }) => id);

/** Runs something, and asks for other things meanwhile, which have to be answered. */
async function amid<T>(work: () => Promise<T>): Promise<T> {
  const done = work();
  const others = await Promise.all([
    ...Array.from({ length: 4 }, (_, index) => app.admin('GET', `/api/items/${index + 1}`)),
    app.admin('GET', '/api/items?limit=5&filter=name.startsWith("Item")'),
    app.request('GET', '/health/ready'),
  ]);
  expect(others.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
  return done;
}

describe('[row 8] a catastrophic pattern', { timeout: 120_000 }, () => {
  it.each(PATTERNS)(
    '[row 8] in a filter finds what RE2 finds, and others are answered meanwhile: %s',
    async (pattern) => {
      const answer = await amid(() => list(condition(pattern)));
      expect([answer.status, idsOf(answer)]).toEqual([200, matching(pattern)]);
    },
  );

  it('[row 8] holds up nobody, however many ask at once', async () => {
    const filters = PATTERNS.slice(0, 12).map(condition);
    const answers = await amid(() => Promise.all(filters.map((filter) => list(filter))));
    expect(answers.map(idsOf)).toEqual(PATTERNS.slice(0, 12).map(matching));
    const all = PATTERNS.slice(0, 16).map(condition).join(' || ');
    const either = new Set(PATTERNS.slice(0, 16).flatMap(matching));
    expect(idsOf(await amid(() => list(all)))).toEqual([...either].toSorted((a, b) => a - b));
  });

  it('[row 8] may be in the conditions and checks of policies', async () => {
    const patterns = ['^(a+)+$', '(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)x$', '(a|b)*a(a|b){12}$', '(\\w+\\s?)+$'];
    const key = await app.keyFor('matcher', [
      ...patterns.map((pattern) => ({ collection: 'texts', action: 'read', condition: condition(pattern) })),
      { collection: 'texts', action: 'create', check: `!${condition('^(a+)+$')}` },
      {
        collection: 'texts',
        action: 'update',
        condition: condition('^(a|aa)+$'),
        check: condition('^(a*)*b$'),
      },
    ]);
    const visible = new Set(patterns.flatMap(matching));
    expect(idsOf(await amid(() => list('true', key)))).toEqual([...visible].toSorted((a, b) => a - b));
    const content = 'a'.repeat(20_000);
    const send = (method: string, path: string, body: object): Promise<TestResponse> =>
      app.request(method, path, { key, body });
    expect((await amid(() => send('POST', '/api/texts', { id: 100, content }))).status).toBe(403);
    expect((await amid(() => send('POST', '/api/texts', { id: 100, content: `${content}!` }))).status).toBe(
      201,
    );
    expect((await amid(() => send('PATCH', '/api/texts/0', { content: `${content}!` }))).status).toBe(403);
    expect((await amid(() => send('PATCH', '/api/texts/0', { content: `${content}b` }))).status).toBe(200);
    const explained = await amid(() =>
      app.admin('POST', '/system/access/explain', {
        actor: { roles: ['matcher'] },
        action: 'update',
        collection: 'texts',
        key: '1',
        record: { content },
      }),
    );
    expect(explained.body).toMatchObject({
      allowed: false,
      rules: [{ condition: { value: false }, check: { value: false } }],
    });
    await app.database.query(`DELETE FROM texts WHERE id = 100`);
    await app.database.query(`UPDATE texts SET content = $1 WHERE id = 0`, [content]);
  });

  it.each(REFUSED)(
    '[row 8] that needs a matcher that goes back and forth is refused: %s',
    async (pattern) => {
      const answer = await amid(() => list(condition(pattern)));
      expect([answer.status, answer.body.type]).toEqual([400, '/problems/invalid-filter']);
      const policy = { role: 'public', collection: 'texts', action: 'read', condition: condition(pattern) };
      expect((await app.admin('POST', '/system/policies', policy)).status).toBe(400);
    },
  );

  it('[row 8] is none where a text only looks like one', async () => {
    for (const text of ['(a+)+$', '^(a|a)*$', '.*'.repeat(500), '%'.repeat(900), '_%\\'.repeat(300)]) {
      const literal = JSON.stringify(text);
      const filter = `content.startsWith(${literal}) || content.endsWith(${literal}) || content.contains(${literal})`;
      const answer = await amid(() => list(filter));
      expect([text.slice(0, 20), answer.status, idsOf(answer)]).toEqual([text.slice(0, 20), 200, []]);
      const search = await amid(() =>
        app.admin('GET', `/api/texts?fields=id&search=${encodeURIComponent(text.slice(0, 900))}`),
      );
      expect(search.status).toBe(200);
    }
  });
});
