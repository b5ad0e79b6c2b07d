import { pages, read, type Question } from './oracle-question.js';

type Kind = 'text' | 'int' | 'decimal' | 'time' | 'bool';

interface HiddenField {
  readonly collection: string;
  readonly name: string;
  readonly kind: Kind;
  /** A path to it from another collection. */
  readonly far: readonly [collection: string, path: string];
}

/** Fields that the reader has on some rows and not on others. */
const HIDDEN: readonly HiddenField[] = [
  { collection: 'users', name: 'email', kind: 'text', far: ['posts', 'author.email'] },
  { collection: 'users', name: 'salary', kind: 'int', far: ['comments', 'author.salary'] },
  { collection: 'users', name: 'manager_id', kind: 'int', far: ['parcels', 'owner.manager_id'] },
  { collection: 'posts', name: 'body', kind: 'text', far: ['comments', 'post.body'] },
  { collection: 'posts', name: 'price', kind: 'decimal', far: ['post_tags', 'post.price'] },
  { collection: 'posts', name: 'views', kind: 'int', far: ['comments', 'post.views'] },
  { collection: 'posts', name: 'published_at', kind: 'time', far: ['post_tags', 'post.published_at'] },
  {
    collection: 'comments',
    name: 'approved',
    kind: 'bool',
    far: ['comments', 'post.author.company.is_listed'],
  },
  { collection: 'companies', name: 'rating', kind: 'int', far: ['users', 'company.rating'] },
  { collection: 'badges', name: 'level', kind: 'int', far: ['badges', 'owner.salary'] },
];

/**
 * What tells of a value by failing, or by not failing: conversions, divisions, bounds. That comparisons tell nothing is
 * shown by `hidden-values.spec.ts`.
 */
const FAILING: Readonly<Record<Kind, readonly ((field: string) => string)[]>> = {
  text: [
    (f) => `int(${f}) > 0`,
    (f) => `double(${f}) >= 0.0`,
    (f) => `timestamp(${f}) < now`,
    (f) => `duration(${f}) > duration("1s")`,
    (f) => `10 / (size(${f}) - 7) > 0`,
    (f) => `${f}.matches("^([0-9]|[a-f])+[aeiou]$")`,
    (f) => `${f} + "x" < "8"`,
    (f) => `${f} in ["a", "", "0"] || size(${f}) % 2 == 0`,
    (f) => `string(size(${f})) == "7"`,
    (f) => `${f}.lowerAscii() != ${f}.upperAscii()`,
    (f) => `(${f} > "8" ? 10 / 0 : 1) == 1`,
    (f) => `!(${f} > "8") && !(${f} <= "8")`,
    (f) => `has(record.${f}) ? ${f}.endsWith("0") : id % 2 == 0`,
  ],
  int: [
    (f) => `10 / ${f} >= 0`,
    (f) => `10 % (${f} - 3) == 0`,
    (f) => `${f} * 9223372036854775807 > 0`,
    (f) => `-${f} < -3`,
    (f) => `double(${f}) / 0.0 > 1.0`,
    (f) => `string(${f}).startsWith("1")`,
    (f) => `int(double(${f}) * 1e300) == 0`,
    (f) => `now + duration("1h") > now && ${f} in [1, 2, 3, 5, 8]`,
    (f) => `(${f} > 4 ? 10 / 0 : 1) == 1`,
    (f) => `${f} == null ? id > 3 : ${f} % 3 == 1`,
  ],
  decimal: [
    (f) => `1.0 / ${f} > 0.02`,
    (f) => `${f} * 1e300 * 1e300 > 0.0`,
    (f) => `int(${f}) % 2 == 0`,
    (f) => `string(${f}).contains(".5")`,
    (f) => `10.0 / (${f} - 50.0) < 0.0`,
  ],
  time: [
    (f) => `${f}.getMonth() == 0`,
    (f) => `${f}.getDayOfWeek() in [0, 6]`,
    (f) => `${f} + duration("9000000h") > now`,
    (f) => `int(${f}) % 2 == 0`,
    (f) => `string(${f}).contains("-01-")`,
    (f) => `(${f} - timestamp("2026-01-20T00:00:00Z")).getHours() > 0`,
    (f) => `10 / (${f}.getDate() - 15) > 0`,
  ],
  bool: [
    (f) => `(${f} ? 10 / 0 : 1) == 1`,
    (f) => `string(${f}) == "true"`,
    (f) => `${f} == !${f}`,
    (f) => `[true, null].exists(x, x == ${f})`,
  ],
};

const failing: readonly Question[] = HIDDEN.flatMap(({ collection, name, kind, far: [from, path] }) =>
  FAILING[kind].flatMap((express) => {
    const filter = read('filter', `/${collection}`, { filter: express(name), fields: 'id', count: 'exact' });
    if (express('x').includes('record.')) return [filter];
    const far = express(path).replaceAll(/\bid /g, '1 ');
    return [filter, read('filter over a relation', `/${from}/aggregate`, { filter: far })];
  }),
);

const sorting: readonly Question[] = HIDDEN.flatMap(({ collection, name, far: [from, path] }) => [
  read('sort', `/${collection}`, { sort: `${name},-id`, offset: '2', limit: '2', fields: 'id' }),
  ...(from === 'parcels' ? [] : [read('sort over a relation', `/${from}`, { sort: `-${path}`, limit: '3' })]),
  pages('cursor', `/${collection}`, { sort: `-${name}`, limit: '2', fields: 'id' }),
]);

const aggregates: readonly Question[] = HIDDEN.flatMap(({ collection, name, kind, far: [from, path] }) => {
  const near = (query: Readonly<Record<string, string>>): Question =>
    read('aggregate', `/${collection}/aggregate`, query);
  const far = (measures: string): Question => read('aggregate', `/${from}/aggregate`, { measures });
  const questions = [
    near({ groupBy: name, measures: 'count', sort: '-count', limit: '2' }),
    far(`count(${path}),countDistinct(${path})`),
  ];
  if (kind !== 'bool') questions.push(far(`min(${path}),max(${path})`));
  if (kind === 'int' || kind === 'decimal')
    questions.push(near({ measures: `sum(${name}),avg(${name})`, groupBy: 'id' }));
  return questions;
});

const chosen: readonly Question[] = [
  ...['year', 'quarter', 'week', 'day', 'hour'].map((unit) =>
    read('aggregate', '/posts/aggregate', { groupBy: `published_at:${unit}`, measures: 'count' }),
  ),
  ...['0', 'a1', 'me example', 'canary', '"hidden 0"', '-hidden', 'x', 'badge 4', 'mine'].flatMap(
    (search) => [
      read('search', '/posts', { search, fields: 'id', count: 'exact' }),
      read('search', '/badges', { search, sort: '-level', limit: '3' }),
    ],
  ),
  read('embed', '/posts', { fields: 'id,author(email,manager(email,manager(salary)))', limit: '1000' }),
  read('embed', '/users', { fields: 'id,posts_by_author(body),comments(post(price))', limit: '1000' }),
  read('embed', '/companies', { fields: 'id,users(id)', 'users.sort': '-salary', 'users.limit': '1' }),
  read('embed', '/companies', { fields: 'id,users(id)', 'users.filter': '10 / salary > 0' }),
  read('embed', '/users', { fields: 'id,badges(id,level)', 'badges.sort': 'level', 'badges.limit': '2' }),
  read('embed', '/posts', {
    fields: 'id,comments(id)',
    'comments.sort': 'post_id,-body',
    'comments.limit': '1',
  }),
  read('embed', '/tags', { fields: 'id,posts(id,body)', 'posts.sort': '-price', 'posts.limit': '2' }),
  ...[
    'rating > 4',
    'users.exists(u, 10 / u.salary > 0)',
    'size(users.filter(u, u.email > "8")) == 1',
  ].flatMap((filter) => [
    read('count', '/companies', { filter, count: 'exact', limit: '1' }),
    read('count', '/companies', { filter, count: 'estimated', limit: '1' }),
    read('count', '/companies', { filter, count: 'exact', offset: '50' }),
  ]),
  ...['emial', 'emai', 'salary2', 'passwor', 'pin', 'pins', 'level.x', 'owner.pin', 'author.tokens'].map(
    (name) => read('error text', '/badges', { filter: `${name} == "x"` }),
  ),
  read('error text', '/badges', { filter: 'level == "x"' }),
  read('error text', '/badges', { sort: 'pin' }),
  read('error text', '/badges', { cursor: 'AAAA', sort: 'level' }),
];

export const READS: readonly Question[] = [...failing, ...sorting, ...aggregates, ...chosen];
