import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BoundStatement, ListQuery } from '../src/index.js';
import { BLOG_SQL } from './blog.js';
import { accessOf, actor, EVERYTHING, QueryFixture, type Caller, type Query } from './fixture.js';
import { formatSql } from './format-sql.js';

let blog: QueryFixture;
let reader: Caller;
beforeAll(async () => {
  blog = await QueryFixture.open(BLOG_SQL);
  reader = {
    auth: actor('Ann'),
    access: accessOf(blog.catalog, 'reader', {
      users: [{ fields: ['id', 'name'] }, { condition: 'name == auth.id', fields: ['email'] }],
      posts: [
        { condition: 'status == "published"', fields: ['id', 'title', 'author_id'] },
        { condition: 'author.name == auth.id', fields: '*' },
      ],
      comments: [{ condition: 'approved', fields: '*' }],
    }),
  };
});
afterAll(() => blog.close());

type Kind = 'list' | 'record' | 'aggregate';
interface Shape {
  readonly kind: Kind;
  readonly collection: string;
  readonly query: Query;
  readonly isReader?: true;
  /** Also the statement of the second page. */
  readonly isPaged?: true;
}

const SHAPES: Readonly<Record<string, Shape>> = {
  list: { kind: 'list', collection: 'comments', query: {} },
  'list-embedding': {
    kind: 'list',
    collection: 'posts',
    query: {
      fields: 'id,title,author(name,company(name)),tags(name),comments(body,author(name))',
      'comments.filter': 'approved && body.contains("1")',
      'comments.sort': '-author.name',
      'comments.limit': '7',
      limit: '20',
    },
  },
  'list-filtered': {
    kind: 'list',
    collection: 'posts',
    query: {
      fields: 'id,title',
      filter:
        'status == "published" && views >= 3 && author.name.startsWith("A") && comments.exists(c, c.approved)',
      sort: '-published_at',
    },
  },
  'list-unusual-limit': { kind: 'list', collection: 'tags', query: { limit: '37', offset: '2' } },
  'list-counted': {
    kind: 'list',
    collection: 'posts',
    query: { fields: 'id', filter: 'views > 3', count: 'exact' },
  },
  'list-estimated': {
    kind: 'list',
    collection: 'posts',
    query: { fields: 'id', filter: 'views > 3', count: 'estimated' },
  },
  'list-searched': { kind: 'list', collection: 'posts', query: { fields: 'id', search: 'body number' } },
  'list-after-row': {
    kind: 'list',
    collection: 'comments',
    query: { fields: 'id', limit: '10' },
    isPaged: true,
  },
  'list-after-segments': {
    kind: 'list',
    collection: 'posts',
    query: { fields: 'title', sort: 'published_at,-id', limit: '10' },
    isPaged: true,
  },
  'list-after-without-index': {
    kind: 'list',
    collection: 'posts',
    query: { fields: 'id', sort: '-title,author.name', limit: '10' },
    isPaged: true,
  },
  'list-without-key': {
    kind: 'list',
    collection: 'logs',
    query: { sort: 'level', limit: '10' },
    isPaged: true,
  },
  'list-of-view': { kind: 'list', collection: 'post_titles', query: { limit: '10' }, isPaged: true },
  'list-with-rules': {
    kind: 'list',
    collection: 'posts',
    query: {
      fields: 'id,body,author(name,email),comments(id)',
      filter: 'price > 5.0',
      sort: 'views',
      limit: '2',
    },
    isReader: true,
    isPaged: true,
  },
  record: { kind: 'record', collection: 'posts', query: { fields: 'id,title,raw,author(name)' } },
  'record-with-rules': {
    kind: 'record',
    collection: 'posts',
    query: { fields: 'id,title,body' },
    isReader: true,
  },
  aggregate: {
    kind: 'aggregate',
    collection: 'posts',
    query: {
      measures: 'count,sum(views)',
      groupBy: 'published_at:month,author.name',
      sort: '-count',
      filter: 'views > 1',
    },
  },
  'aggregate-with-rules': {
    kind: 'aggregate',
    collection: 'posts',
    query: { measures: 'max(price),countDistinct(author.email)', groupBy: 'status' },
    isReader: true,
  },
};

const prepare = ({
  kind,
  collection,
  query,
  isReader,
}: Shape): BoundStatement & Partial<Pick<ListQuery, 'nextCursor'>> => {
  const context = blog.context(collection, isReader ? reader : { access: EVERYTHING });
  const entries = Object.entries(query);
  return kind === 'record'
    ? blog.queries.record(context, '1', entries)
    : blog.queries[kind](context, entries);
};

it.each(Object.entries(SHAPES))('compiles %s to the reviewed statement, which runs', async (name, shape) => {
  const bound = prepare(shape);
  await expect(formatSql(bound.statement.text)).toMatchFileSnapshot(`./sql/${name}.sql`);
  const [row] = await blog.run(bound);
  if (!shape.isPaged) return;
  const cursor = bound.nextCursor?.(row?.[1] ?? null);
  const following = prepare({ ...shape, query: { ...shape.query, cursor: String(cursor) } });
  await expect(formatSql(following.statement.text)).toMatchFileSnapshot(`./sql/${name}.next.sql`);
  await expect(blog.run(following)).resolves.toHaveLength(1);
});

it('asks no more than one statement, and one row, of the database', async () => {
  for (const shape of Object.values(SHAPES)) {
    expect(prepare(shape).statement.text).not.toContain(';');
    expect((await blog.run(prepare(shape))).length).toBeLessThanOrEqual(1);
  }
});
