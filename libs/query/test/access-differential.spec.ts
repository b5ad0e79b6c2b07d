import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BLOG_SQL } from './blog.js';
import { accessOf, actor, ORDER_SECRET, QueryFixture, type Query } from './fixture.js';
import {
  MaskedWorld,
  type DoubleCondition,
  type DoubleRule,
  type Row,
  type RowView,
} from './masked-world.js';

const RUNS = Number(process.env['PLINTH_PROPERTY_RUNS'] ?? 150);
const ACTOR = 'Bob';

let blog: QueryFixture;
const tables: Record<string, Row[]> = {};
beforeAll(async () => {
  blog = await QueryFixture.open(BLOG_SQL);
  for (const name of Object.keys(CONDITIONS)) {
    tables[name] = await blog.sql<Row>(`SELECT * FROM ${name}`);
  }
});
afterAll(() => blog.close());

const number = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN);
const double = (cel: string, holds: (row: RowView) => boolean): DoubleCondition => ({ cel, holds });

/** Conditions of rules, by collection: over the row, the actor, and both directions of relations. */
const CONDITIONS: Readonly<Record<string, readonly DoubleCondition[]>> = {
  posts: [
    double('views > 4', (row) => number(row.get('views')) > 4),
    double('status == "published"', (row) => row.get('status') === 'published'),
    double('author.name == auth.id', (row) => row.one('author')?.get('name') === ACTOR),
    double('comments.exists(c, c.approved)', (row) =>
      row.many('comments').some((c) => c.get('approved') === true),
    ),
    double('author == null', (row) => row.one('author') === null),
  ],
  users: [
    double('name == auth.id', (row) => row.get('name') === ACTOR),
    double('company_id == 1', (row) => row.get('company_id') === 1),
    double('posts_by_author.exists(p, p.views > 8)', (row) =>
      row.many('posts_by_author').some((post) => number(post.get('views')) > 8),
    ),
  ],
  comments: [
    double('approved', (row) => row.get('approved') === true),
    double('post.views > 3', (row) => number(row.one('post')?.get('views')) > 3),
    double('author_id != null', (row) => row.get('author_id') !== null),
  ],
  tags: [double('name != "red"', (row) => row.get('name') !== 'red')],
  post_tags: [double('post.views > 2', (row) => number(row.one('post')?.get('views')) > 2)],
};

/** Filters of requests, with the names that must be there for them. */
const FILTERS: readonly (DoubleCondition & { readonly needs: readonly (readonly [string, string])[] })[] = [
  { ...double('views > 3', (row) => number(row.get('views')) > 3), needs: [['posts', 'views']] },
  { ...double('!(views > 3)', (row) => !(number(row.get('views')) > 3)), needs: [['posts', 'views']] },
  { ...double('body == null', (row) => row.get('body') === null), needs: [['posts', 'body']] },
  {
    ...double('author.name == "Bob"', (row) => row.one('author')?.get('name') === 'Bob'),
    needs: [
      ['posts', 'author'],
      ['users', 'name'],
    ],
  },
  { ...double('author == null', (row) => row.one('author') === null), needs: [['posts', 'author']] },
  {
    ...double('comments.exists(c, c.author.name == "Bob")', (row) =>
      row.many('comments').some((comment) => comment.one('author')?.get('name') === 'Bob'),
    ),
    needs: [
      ['posts', 'comments'],
      ['comments', 'author'],
      ['users', 'name'],
    ],
  },
  {
    ...double('size(comments) > 2', (row) => row.many('comments').length > 2),
    needs: [['posts', 'comments']],
  },
  {
    ...double('tags.exists(t, t.name == "blue")', (row) =>
      row.many('tags').some((tag) => tag.get('name') === 'blue'),
    ),
    needs: [
      ['posts', 'tags'],
      ['tags', 'name'],
    ],
  },
  {
    ...double('comments.all(c, c.approved)', (row) =>
      row.many('comments').every((c) => c.get('approved') === true),
    ),
    needs: [
      ['posts', 'comments'],
      ['comments', 'approved'],
    ],
  },
];

/** Plain values in JSON as in the driver's rows. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  posts: ['id', 'author_id', 'editor_id', 'title', 'body', 'status', 'views'],
  users: ['id', 'name', 'email', 'company_id'],
  comments: ['id', 'post_id', 'author_id', 'body', 'approved', 'parent_id'],
  tags: ['id', 'name'],
  post_tags: ['post_id', 'tag_id'],
};
const RELATIONS: Readonly<Record<string, readonly string[]>> = {
  posts: ['author', 'editor', 'comments', 'tags'],
  users: ['posts_by_author', 'comments'],
  comments: ['post', 'author', 'parent'],
  tags: ['posts'],
};

const rulesOf = (collection: string): fc.Arbitrary<readonly DoubleRule[]> =>
  fc.array(
    fc.record({
      condition: fc.option(fc.constantFrom(...(CONDITIONS[collection] ?? [])), { freq: 4 }),
      fields: fc.oneof(fc.constant<'*'>('*'), fc.subarray([...(FIELDS[collection] ?? [])], { minLength: 2 })),
    }),
    { minLength: 1, maxLength: 3 },
  );

interface Embed {
  readonly relation: string;
  readonly inner: Shape;
}
interface Shape {
  readonly fields: readonly string[];
  readonly embeds: readonly Embed[];
}

const EMBED_LIMIT = 3;

/** A selection out of what is there, by a stream of numbers, so that it shrinks with them. */
function shapeOf(world: MaskedWorld, collection: string, choose: () => number, depth: number): Shape {
  const fields = (FIELDS[collection] ?? []).filter(
    (field) => world.hasField(collection, field) && choose() % 2 === 0,
  );
  const embeds = (depth === 0 ? [] : (RELATIONS[collection] ?? [])).flatMap((relation): Embed[] => {
    const found = world.relation(collection, relation);
    if (!found || choose() % 3 > 0) return [];
    return [{ relation, inner: shapeOf(world, found.target, choose, depth - 1) }];
  });
  const first = (FIELDS[collection] ?? []).find((field) => world.hasField(collection, field));
  return fields.length + embeds.length > 0
    ? { fields, embeds }
    : { fields: first ? [first] : [], embeds: [] };
}

const print = (shape: Shape): string =>
  [...shape.fields, ...shape.embeds.map(({ relation, inner }) => `${relation}(${print(inner)})`)].join(',');

const limitsOf = (world: MaskedWorld, collection: string, shape: Shape, prefix = ''): Query =>
  Object.assign(
    {},
    ...shape.embeds.map(({ relation, inner }) => {
      const found = world.relation(collection, relation);
      const path = `${prefix}${relation}`;
      return {
        ...(found?.isList ? { [`${path}.limit`]: String(EMBED_LIMIT) } : {}),
        ...limitsOf(world, found?.target ?? '', inner, `${path}.`),
      };
    }),
  ) as Query;

/** By the key, as far as the caller sees it; the others after those, by a digest that tells nothing of it. */
const byKey = (views: readonly RowView[]): RowView[] =>
  [...views].sort((a, b) => {
    const [one, other] = [a, b].map((view) => view.get('id') as number | null);
    if (one != null && other != null) return one - other;
    if (one != null || other != null) return one == null ? 1 : -1;
    return Buffer.compare(digestOf(a), digestOf(b));
  });

const digestOf = ({ stored }: RowView): Buffer =>
  createHash('sha256')
    .update(`${ORDER_SECRET}(${String(stored['id'])})`)
    .digest();

function project(world: MaskedWorld, view: RowView, shape: Shape): object {
  const fields = shape.fields.map((field) => [field, view.get(field)]);
  const embeds = shape.embeds.map(({ relation, inner }) => {
    const far = byKey(view.many(relation)).slice(0, EMBED_LIMIT);
    const records = far.map((each) => project(world, each, inner));
    return [relation, world.relation(view.collection, relation)?.isList ? records : (records[0] ?? null)];
  });
  return Object.fromEntries([...fields, ...embeds]);
}

it('answers what a second implementation of the rules answers, for any rules and requests', async () => {
  const allRules = fc.record({
    posts: rulesOf('posts'),
    users: rulesOf('users'),
    comments: rulesOf('comments'),
    tags: rulesOf('tags'),
    post_tags: rulesOf('post_tags'),
  });
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(
      allRules,
      fc.constantFrom('posts', 'users', 'comments', 'tags'),
      fc.infiniteStream(fc.nat(5)),
      fc.option(fc.constantFrom(...FILTERS)),
      async (rules, collection, stream, filter) => {
        const world = new MaskedWorld(blog.catalog, tables, rules);
        const choose = (): number => stream.next().value ?? 0;
        const shape = shapeOf(world, collection, choose, 3);
        if (shape.fields.length + shape.embeds.length === 0) return;
        const isFiltered =
          filter !== null &&
          collection === 'posts' &&
          filter.needs.every(([owner, name]) => world.hasField(owner, name) || world.relation(owner, name));
        const texts = Object.entries(rules).map(([name, list]) => [
          name,
          list.map(({ condition, fields }) => ({ condition: condition?.cel ?? null, fields })),
        ]);
        const access = accessOf(blog.catalog, JSON.stringify(texts), Object.fromEntries(texts));
        const query: Query = {
          fields: print(shape),
          limit: '1000',
          ...limitsOf(world, collection, shape),
          ...(isFiltered ? { filter: filter.cel } : {}),
          count: 'exact',
        };
        const page = await blog.list(collection, query, { access, auth: actor(ACTOR) });
        const seen = byKey(world.rows(collection)).filter((view) => !isFiltered || filter.holds(view));
        expect({ query, data: page.data }).toEqual({
          query,
          data: seen.map((view) => project(world, view, shape)),
        });
        expect(page.total).toBe(seen.length);
        compared += seen.length;
      },
    ),
    { numRuns: RUNS },
  );
  expect(compared).toBeGreaterThan(RUNS);
});
