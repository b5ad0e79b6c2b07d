import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../kit/app.js';
import { readerKey, secretWorldSql } from '../../kit/secret-world.js';

/** Names that are there and hidden from the reader, each with one of the same length that is not there at all. */
const FIELDS = [
  ['password', 'passwerd'],
  ['password', 'pqszwvyk'],
] as const;

/** How a name may be spelled to slip past whoever looks for it letter by letter. */
const SPELLINGS: readonly (readonly [label: string, spell: (name: string) => string])[] = [
  ['as it is', (name) => name],
  ['in capitals', (name) => name.toUpperCase()],
  ['with a capital', (name) => name.charAt(0).toUpperCase() + name.slice(1)],
  ['camel-cased', (name) => name.slice(0, 4) + name.charAt(4).toUpperCase() + name.slice(5)],
  ['in full-width letters', (name) => String.fromCodePoint(name.charCodeAt(0) + 0xfee0) + name.slice(1)],
  ['with a long s', (name) => name.replace(/s/, 'ſ')],
  ['with a combining mark', (name) => `${name}\u0301`],
  ['with a joiner', (name) => `${name.slice(0, 2)}\u200d${name.slice(2)}`],
  ['with a byte order mark', (name) => `\ufeff${name}`],
  ['with a soft hyphen', (name) => `${name.slice(0, 2)}\u00ad${name.slice(2)}`],
  ['from right to left', (name) => `\u202e${name}`],
  ['with a space', (name) => `${name} `],
  ['with a line break', (name) => `${name}\n`],
  ['in quotes', (name) => `"${name}"`],
  ['in back quotes', (name) => `\`${name}\``],
  ['in brackets', (name) => `[${name}]`],
  ['in parentheses', (name) => `(${name})`],
  ['behind its table', (name) => `users.${name}`],
  ['behind its schema', (name) => `public.users.${name}`],
  ['behind an alias', (name) => `t0.${name}`],
  ['behind the record', (name) => `record.${name}`],
  ['behind a relation there and back', (name) => `company.users.${name}`],
  ['behind a star', (name) => `*.${name}`],
  ['behind a prefix', (name) => `users_${name}`],
  ['as an alias', (name) => `x:${name}`],
  ['under an alias', (name) => `${name}:x`],
  ['renamed', (name) => `${name} as name`],
  ['cast', (name) => `${name}::text`],
  ['as JSON', (name) => `${name}->>'x'`],
  ['with an operator', (name) => `${name}$eq`],
  ['as an operator of Mongo', (name) => `$${name}`],
  ['with an operator of Directus', (name) => `${name}._eq`],
  ['as a function', (name) => `length(${name})`],
  ['as a relation', (name) => `${name}(id)`],
  ['twice', (name) => `${name},${name}`],
  ['among others', (name) => `id,name,${name}`],
  ['descending', (name) => `-${name}`],
  ['encoded twice', (name) => `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`],
  ['escaped', (name) => `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`],
  ['with a comment', (name) => `${name}/**/`],
  ['with a comment of SQL', (name) => `${name}--`],
  ['a letter short', (name) => name.slice(0, -1)],
];

interface OpenApiDocument {
  readonly paths: Readonly<Record<string, unknown>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What the document says of records: their paths, and all that these refer to. Other paths have fields of their own. */
function describeRecords({ paths, components }: OpenApiDocument): string {
  const told = new Map<string, string>();
  const tell = (name: string, part: unknown): void => {
    if (told.has(name)) return;
    const text = JSON.stringify({ [name]: part });
    told.set(name, text);
    for (const [, kind = '', key = ''] of text.matchAll(/"#\/components\/(\w+)\/([^"]+)"/g))
      tell(key, components[kind]?.[key]);
  };
  for (const [path, operations] of Object.entries(paths)) {
    if (path.startsWith('/api/')) tell(path, operations);
  }
  return [...told.values()].join('\n');
}

type Request = readonly [method: string, path: string, query: Record<string, string>, body?: unknown];

/** Every place of a request that can name a field of users. */
const PLACES: readonly (readonly [label: string, place: (name: string) => Request])[] = [
  ['fields', (name) => ['GET', '/users', { fields: name }]],
  ['fields of a record', (name) => ['GET', '/users/1', { fields: name }]],
  ['fields of an embedded record', (name) => ['GET', '/posts', { fields: `id,author(${name})` }]],
  ['fields of an embedded list', (name) => ['GET', '/companies', { fields: `users(${name})` }]],
  [
    'fields five relations away',
    (name) => ['GET', '/tags', { fields: `posts(author(company(users(comments(author(${name}))))))` }],
  ],
  ['a filter', (name) => ['GET', '/users', { filter: `${name} == "x"` }]],
  ['has', (name) => ['GET', '/users', { filter: `has(record.${name})` }]],
  ['an index', (name) => ['GET', '/users', { filter: `record["${name}"] == "x"` }]],
  ['a filter over a relation', (name) => ['GET', '/posts', { filter: `author.${name} == "x"` }]],
  ['exists', (name) => ['GET', '/companies', { filter: `users.exists(u, u.${name} == "x")` }]],
  ['all', (name) => ['GET', '/companies', { filter: `users.all(u, u.${name} == "x")` }]],
  ['exists_one', (name) => ['GET', '/companies', { filter: `users.exists_one(u, u.${name} > "x")` }]],
  ['size', (name) => ['GET', '/companies', { filter: `size(users.filter(u, u.${name} != null)) > 0` }]],
  [
    'exists inside all inside exists',
    (name) => [
      'GET',
      '/companies',
      { filter: `users.exists(u, u.posts_by_author.all(p, p.comments.exists(c, c.author.${name} == "x")))` },
    ],
  ],
  ['a branch that is never taken', (name) => ['GET', '/users', { filter: `true || ${name} == "x"` }]],
  ['sort', (name) => ['GET', '/users', { sort: name }]],
  ['sort over relations', (name) => ['GET', '/comments', { sort: `post.author.${name}` }]],
  ['sort of an embedded list', (name) => ['GET', '/companies', { fields: 'users(id)', 'users.sort': name }]],
  [
    'filter of an embedded list',
    (name) => ['GET', '/companies', { fields: 'users(id)', 'users.filter': `${name} == "x"` }],
  ],
  ['a parameter of a relation', (name) => ['GET', '/users', { fields: 'id', [`${name}.limit`]: '1' }]],
  ['groupBy', (name) => ['GET', '/users/aggregate', { groupBy: name }]],
  ['groupBy with a unit', (name) => ['GET', '/users/aggregate', { groupBy: `${name}:month` }]],
  ['groupBy over a relation', (name) => ['GET', '/posts/aggregate', { groupBy: `author.${name}` }]],
  ['a measure', (name) => ['GET', '/users/aggregate', { measures: `max(${name})` }]],
  ['a count', (name) => ['GET', '/users/aggregate', { measures: `countDistinct(${name})` }]],
  ['a measure over a relation', (name) => ['GET', '/posts/aggregate', { measures: `min(author.${name})` }]],
  ['sort of an aggregate', (name) => ['GET', '/users/aggregate', { measures: 'count', sort: name }]],
  ['a parameter', (name) => ['GET', '/users', { [name]: 'x' }]],
  ['the body of a change', (name) => ['PATCH', '/users/1', {}, { [name]: 'x' }]],
  ['the body of a replacement', (name) => ['PUT', '/users/1', {}, { name: 'x', [name]: 'x' }]],
  ['the body of a new record', (name) => ['POST', '/tags', {}, { id: 9, name: 'x', [name]: 'x' }]],
  ['the body of many changes', (name) => ['PATCH', '/users', { filter: 'true' }, { [name]: 'x' }]],
  ['the filter of changes', (name) => ['PATCH', '/users', { filter: `${name} == "x"` }, { name: 'x' }]],
  ['the fields of a change', (name) => ['PATCH', '/users/1', { fields: name }, { name: 'x' }]],
  ['upsertOn', (name) => ['POST', '/tags', { upsertOn: name }, [{ id: 1, name: 'x' }]]],
  [
    'a batch',
    (name) => [
      'POST',
      '/batch',
      {},
      { operations: [{ method: 'GET', path: '/users', query: { filter: `${name} == "x"` } }] },
    ],
  ],
  [
    'a reference in a batch',
    (name) => [
      'POST',
      '/batch',
      {},
      {
        operations: [
          { label: 'me', method: 'GET', path: '/users/1' },
          { method: 'PATCH', path: '/users/1', body: { name: { $ref: `me.${name}` } } },
        ],
      },
    ],
  ],
];

let app: TestApp;
let reader: string;
beforeAll(async () => {
  app = await startTestApp({ sql: secretWorldSql('names') });
  reader = await readerKey(app);
});
afterAll(() => app?.close());

/** The answer as far as a caller can tell anything by it: status and body, the name blanked out. */
async function observe(
  [method, path, query, body]: Request,
  name: string,
  spelling = name,
): Promise<unknown> {
  const search = new URLSearchParams(query).toString();
  const response = await app.request(method, `/api${path}${search === '' ? '' : `?${search}`}`, {
    key: reader,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const blank = (text: string): string =>
    [spelling, JSON.stringify(spelling).slice(1, -1), encodeURIComponent(spelling), name]
      .flatMap((shown) => [shown, shown.trim()])
      .reduce((left, shown) => left.replaceAll(shown, '?'), text);
  return { status: response.status, text: blank(response.text.replace(/"requestId":"[^"]+"/, '')) };
}

describe('a field that no policy lists', () => {
  it.each(PLACES)(
    '[row 2] is told from one that is not there by no spelling, in %s',
    async (_label, place) => {
      const told: unknown[] = [];
      for (const [hidden, missing] of FIELDS) {
        for (const [spelling, spell] of SPELLINGS) {
          const [one, other] = [
            await observe(place(spell(hidden)), hidden, spell(hidden)),
            await observe(place(spell(missing)), missing, spell(missing)),
          ];
          if (JSON.stringify(one) !== JSON.stringify(other)) told.push([spelling, one, other]);
        }
      }
      expect(told).toEqual([]);
    },
  );

  it('[row 2] is never in an answer, nor suggested to who comes close to its name', async () => {
    for (const [, place] of PLACES) {
      for (const near of ['passwor', 'pasword', 'passwordd', 'token', 'salari', 'tax_n', 'secret']) {
        const { text } = (await observe(place(near), near)) as { text: string };
        expect(text).not.toMatch(/password|tax_no|token|secrets|posts_by_editor/);
      }
    }
  });

  it('[row 2] is not in the document, nor are relations and collections that are hidden', async () => {
    const { body } = await app.request('GET', '/openapi.json', { key: reader });
    const text = describeRecords(body as OpenApiDocument);
    expect(text).toContain('manager_id');
    for (const name of ['password', 'tax_no', 'token', 'secrets', 'editor', 'note'])
      expect(text).not.toMatch(new RegExp(`"(?:[^"]*[ ./{])?${name}\\b`));
  });
});

describe('a collection that no policy names', () => {
  it('[row 2] is told from one that is not there by no request', async () => {
    const requests: readonly ((name: string) => Request)[] = [
      (name) => ['GET', `/${name}`, {}],
      (name) => ['GET', `/${name}/1`, {}],
      (name) => ['GET', `/${name}/x,y`, {}],
      (name) => ['GET', `/${name}/aggregate`, {}],
      (name) => ['GET', `/${name}`, { filter: 'content == "x"' }],
      (name) => ['GET', `/${name}`, { bad: 'x' }],
      (name) => ['POST', `/${name}`, {}, { content: 'x' }],
      (name) => ['POST', `/${name}`, {}, { nothing: 'x' }],
      (name) => ['PATCH', `/${name}/1`, {}, { content: 'x' }],
      (name) => ['PUT', `/${name}/1`, {}, { content: 'x' }],
      (name) => ['DELETE', `/${name}/1`, {}],
      (name) => ['DELETE', `/${name}`, { filter: 'true' }],
      (name) => ['POST', '/batch', {}, { operations: [{ method: 'GET', path: `/${name}` }] }],
      (name) => ['POST', '/batch', {}, { operations: [{ method: 'DELETE', path: `/${name}/1` }] }],
      (name) => ['GET', '/users', { fields: `${name}(id)` }],
      (name) => ['GET', '/users', { fields: `*,${name}(*)` }],
      (name) => ['GET', '/users', { filter: `${name}.exists(s, s.content == "x")` }],
      (name) => ['GET', '/users', { filter: `size(${name}) > 0` }],
      (name) => ['GET', '/users', { sort: `${name}.id` }],
      (name) => ['GET', '/users', { fields: 'id', [`${name}.filter`]: 'true' }],
      (name) => ['GET', '/users/aggregate', { groupBy: `${name}.id` }],
    ];
    for (const request of requests) {
      for (const [, spell] of SPELLINGS.filter(([label]) => !label.includes('there and back'))) {
        const [hidden, missing] = [spell('secrets'), spell('secritz')];
        const path = (name: string): Request => {
          const [method, template, query, body] = request('\0');
          const fill = <T>(value: T): T =>
            JSON.parse(
              JSON.stringify(value).replaceAll(String.raw`\u0000`, () => JSON.stringify(name).slice(1, -1)),
            ) as T;
          return [
            method,
            template.replace('\0', encodeURIComponent(name)),
            fill(query),
            body === undefined ? undefined : fill(body),
          ];
        };
        expect([hidden, await observe(path(hidden), 'secrets', hidden)]).toEqual([
          hidden,
          await observe(path(missing), 'secritz', missing),
        ]);
      }
    }
  });
});
