import type { AuthValues } from '@plinth/expression';
import type { Catalog } from '@plinth/schema';
import { describe, expect, it } from 'vitest';
import {
  getReadableCollection,
  PlanCache,
  QueryError,
  ReadQueries,
  type AccessView,
  type ListQuery,
  type QueryContext,
} from '../src/index.js';
import { DEFAULT_QUERY_LIMITS as limits } from '../src/limits.js';
import { planList, planRecord } from '../src/plan/plan-list.js';
import { catalogOf, collectionOf, toMany, toOne } from './catalog-builder.js';
import { accessOf, EVERYTHING, NOBODY, testCursors, type Query } from './fixture.js';

const catalog: Catalog = catalogOf([
  collectionOf('users', { fields: { id: 'int4', name: 'text', password: 'text?', company_id: 'int4?' } }),
  collectionOf('posts', {
    fields: {
      id: 'int4',
      author_id: 'int4?',
      title: 'text',
      views: 'int4',
      published_at: 'timestamptz?',
      meta: 'json',
    },
    relations: [toOne('author', 'author_id', 'users'), toMany('comments', 'comments', 'post_id')],
  }),
  collectionOf('comments', {
    fields: { id: 'int8', post_id: 'int4', body: 'text' },
    relations: [toOne('post', 'post_id', 'posts')],
  }),
  collectionOf('pairs', { fields: { a: 'int4', b: 'text', c: 'int4' }, primaryKey: ['a', 'b'] }),
  collectionOf('notes', { fields: { text: 'text' }, primaryKey: [] }),
  collectionOf('slugs', {
    fields: { slug: 'text', other: 'text?' },
    primaryKey: [],
    changes: { uniqueKeys: [{ name: 'u', fields: ['slug'], isPrimary: false, nullsNotDistinct: false }] },
  }),
  collectionOf('parts', { fields: { n: 'int4' }, primaryKey: [], changes: { kind: 'partitioned-table' } }),
  collectionOf('seen', {
    fields: { n: 'int4', o: 'json' },
    primaryKey: [],
    changes: { kind: 'view', hasRowVersion: false },
  }),
]);

const collection = (name: string) => getReadableCollection(catalog, EVERYTHING, name);
const context = { catalog, access: EVERYTHING, limits };
const plan = (name: string, query: Query = {}, access: AccessView = EVERYTHING) =>
  planList(new Map(Object.entries(query)), collection(name), { ...context, access });

describe('the order of a list', () => {
  const keysOf = (name: string, sort?: string, access?: AccessView): string[] =>
    plan(name, sort === undefined ? {} : { sort }, access).sort.keys.map((key) => {
      if (key.kind === 'digest')
        return `${key.descending ? '-' : ''}digest of ${key.fields.map((field) => field.name).join(',')}`;
      const name_ = key.kind === 'place' ? key.column : [...key.path, key.field.name].join('.');
      return `${key.descending ? '-' : ''}${name_}`;
    });

  it.each([
    ['posts', undefined, ['id']],
    ['posts', 'title', ['title', 'id']],
    ['posts', '-published_at', ['-published_at', '-id']],
    ['posts', 'author.name,-views', ['author.name', '-views', '-id']],
    ['posts', '-id,title', ['-id', 'title']],
    ['pairs', undefined, ['a', 'b']],
    ['pairs', '-b', ['-b', '-a']],
    ['slugs', 'other', ['other', 'slug']],
    ['notes', '-text', ['-text', '-ctid']],
    ['parts', 'n', ['n', 'tableoid', 'ctid']],
    ['seen', undefined, ['n']],
  ])('of %s by %s ends with what tells rows apart', (name, sort, keys) => {
    expect(keysOf(name, sort)).toEqual(keys);
  });

  it('knows where nothing tells rows apart', () => {
    expect(plan('seen').sort.isTotal).toBe(false);
    expect(plan('notes').sort.isTotal).toBe(true);
  });

  it('takes the key as the caller sees it as a tie-breaker, then a digest of it', () => {
    const access = accessOf(catalog, 'x', {
      posts: [{ fields: ['title'] }, { condition: 'views > 1', fields: ['id'] }],
    });
    expect(keysOf('posts', 'title', access)).toEqual(['title', 'id', 'digest of id']);
    expect(keysOf('posts', '-id', access)).toEqual(['-id', '-digest of id']);
    const keyless = accessOf(catalog, 'y', { posts: [{ fields: ['title'] }] });
    expect(keysOf('posts', 'title', keyless)).toEqual(['title', 'digest of id']);
  });
});

describe('a selection', () => {
  it('is plain data', () => {
    const { selection } = plan('posts', {
      fields: 'title,comments(body)',
      'comments.limit': '3',
      'comments.filter': 'body != ""',
    });
    expect(selection.columns).toMatchObject([
      { kind: 'field', name: 'title' },
      {
        kind: 'relation',
        name: 'comments',
        path: 'comments',
        filter: { slot: 'comments.filter' },
        list: { limit: { kind: 'inline', rows: 3 }, sort: [{ field: { name: 'id' } }] },
        selection: { columns: [{ kind: 'field', name: 'body' }] },
      },
    ]);
  });

  it('says whether a row version is enough to tell a record', () => {
    const isEnough = (condition: string | null, fields = 'id'): boolean => {
      const access = accessOf(catalog, 'x', { posts: [{ condition }], users: [{}] });
      const parameters = new Map([['fields', fields]]);
      return planRecord(parameters, collection('posts'), { ...context, access }).isRowVersionSufficient;
    };
    expect(isEnough(null)).toBe(true);
    expect(isEnough('views > 3')).toBe(true);
    expect(isEnough('published_at < now')).toBe(false);
    expect(isEnough('author.name == "x"')).toBe(false);
    expect(isEnough(null, 'author(id)')).toBe(false);
  });
});

describe('a mistake', () => {
  const errorOf = (name: string, query: Query): QueryError => {
    try {
      plan(name, query);
    } catch (error) {
      if (error instanceof QueryError) return error;
      throw error;
    }
    throw new Error('no error');
  };

  it.each([
    [
      'fields',
      'titel',
      'unknown-field',
      { name: 'titel', suggestion: 'title', position: { start: 0, end: 5 } },
    ],
    ['fields', 'author', 'unknown-field', { name: 'author' }],
    ['fields', 'title(x)', 'unknown-field', { name: 'title' }],
    [
      'fields',
      'author(nam)',
      'unknown-field',
      { name: 'nam', suggestion: 'name', position: { start: 7, end: 10 } },
    ],
    ['fields', 'title,title', 'invalid-fields', { name: 'title', position: { start: 6, end: 11 } }],
    ['fields', 'author_id,author(id),author(name)', 'invalid-fields', { name: 'author' }],
    ['sort', 'titel', 'unknown-field', { suggestion: 'title' }],
    ['sort', 'comments.body', 'invalid-sort', { name: 'comments' }],
    ['sort', 'comments', 'unknown-field', { name: 'comments' }],
    ['sort', 'meta', 'invalid-sort', { name: 'meta' }],
    ['sort', 'title,-title', 'invalid-sort', { name: 'title' }],
    ['sort', 'id,id,id,id,id,id,id,id,id', 'query-too-complex', {}],
    ['filter', 'titel == "x"', 'unknown-field', { suggestion: 'title', position: { start: 0, end: 5 } }],
    ['filter', 'title ==', 'invalid-filter', { reason: 'syntax' }],
    ['filter', 'title', 'invalid-filter', { reason: 'type' }],
    ['filter', 'title == 1', 'invalid-filter', { reason: 'type' }],
    ['filter', '', 'invalid-filter', {}],
    ['filter', `${'('.repeat(500)}true${')'.repeat(500)}`, 'query-too-complex', {}],
    ['filter', `title == "${'x'.repeat(20_000)}"`, 'query-too-complex', {}],
    ['count', 'yes', 'invalid-count', {}],
    ['limit', '1001', 'invalid-limit', {}],
    ['comments.limit', '2', 'unknown-parameter', {}],
  ])('in %s=%s is %s', (parameter, text, code, detail) => {
    const error = errorOf('posts', { [parameter]: text });
    expect(error).toMatchObject({ code, detail: { parameter, ...detail } });
  });

  it('in a parameter of one embedded record is refused', () => {
    const error = errorOf('posts', { fields: 'author(name)', 'author.limit': '1' });
    expect(error).toMatchObject({ code: 'invalid-parameter', detail: { parameter: 'author.limit' } });
  });

  it('in a collection suggests only what can be read', () => {
    const access = accessOf(catalog, 'x', { posts: [{}] });
    const find = (name: string) => () => getReadableCollection(catalog, access, name);
    const matching = (suggestion?: string): unknown =>
      expect.objectContaining({
        code: 'unknown-collection',
        detail: expect.objectContaining({ suggestion }),
      });
    expect(find('post')).toThrow(matching('posts'));
    expect(find('user')).toThrow(matching());
    expect(find('users')).toThrow(matching());
  });
});

describe('plans', () => {
  const queries = new ReadQueries({ cursors: testCursors, orderSecret: () => 'secret' });
  const ask = (query: Query, access = EVERYTHING, auth: AuthValues = NOBODY): ListQuery => {
    const asked: QueryContext = { catalog, access, auth, collection: collection('posts') };
    return queries.list(asked, Object.entries(query));
  };

  it.each<readonly [string, Query, Query]>([
    ['literals', { filter: 'views > 1 && title == "a"' }, { filter: 'views > 2 && title == "b"' }],
    ['unusual limits', { limit: '33' }, { limit: '34' }],
    ['offsets', { offset: '5' }, { offset: '6' }],
    ['words', { search: 'a' }, { search: 'b c' }],
    [
      'embedded literals',
      { fields: 'comments(id)', 'comments.filter': 'body == "a"' },
      { fields: 'comments(id)', 'comments.filter': 'body == "b"' },
    ],
  ])('are shared by requests that differ in %s, whose values are bound', (_case, one, other) => {
    const [first, second] = [ask(one), ask(other)];
    expect(second.statement).toBe(first.statement);
    expect(second.values).not.toEqual(first.values);
  });

  it.each<readonly [string, Query, Query]>([
    ['names', { filter: 'views > 1' }, { filter: 'id > 1' }],
    ['fields', { fields: 'id' }, { fields: 'title' }],
    ['usual limits', { limit: '10' }, { limit: '20' }],
    ['counts', { count: 'exact' }, {}],
    ['where a text ends', { fields: 'id', filter: 'true' }, { fields: 'id', sort: 'id' }],
  ])('are not shared by requests that differ in %s', (_case, one, other) => {
    expect(ask(other).statement.text).not.toBe(ask(one).statement.text);
  });

  it('are not shared between rules', () => {
    const rules = accessOf(catalog, 'rules', { posts: [{ condition: 'views > 3' }] });
    expect(ask({}, rules).statement.text).not.toBe(ask({}).statement.text);
  });

  it('bind the actor of each request', () => {
    const rules = accessOf(catalog, 'own', { posts: [{ condition: 'title == auth.id' }] });
    const [ann, bob] = ['ann', 'bob'].map((id) =>
      ask({}, rules, { kind: 'user', id, roles: [], claims: {} }),
    );
    expect(ann?.statement).toBe(bob?.statement);
    expect([ann?.values, bob?.values]).toEqual([['ann'], ['bob']]);
  });

  it('refuse a literal that cannot be what it should be, also when they are known', () => {
    const filter = (text: string): Query => ({ filter: `views > 1 && published_at > timestamp("${text}")` });
    const refusal = expect.objectContaining({
      code: 'invalid-filter',
      detail: expect.objectContaining({ parameter: 'filter', position: { start: 38, end: 48 } }),
    });
    expect(() => ask(filter('nonsense'))).toThrow(refusal);
    expect(ask(filter('2024-01-01T00:00:00Z')).values).toHaveLength(2);
    expect(() => ask(filter('nonsense'))).toThrow(refusal);
  });

  it('never hold a value of the request in their text', () => {
    const { statement, values } = ask({
      filter: `title == "'; DROP TABLE posts; --"`,
      search: 'needle',
      limit: '33',
    });
    expect(statement.text).not.toMatch(/DROP|needle|33/);
    expect(values).toEqual(expect.arrayContaining(["'; DROP TABLE posts; --", 'needle', '33']));
  });
});

describe('PlanCache', () => {
  it('is bounded, and keeps what is used again and again', () => {
    const cache = new PlanCache<string>(10);
    const built = new Map<string, number>();
    const get = (key: string): string =>
      cache.get(key, () => {
        built.set(key, (built.get(key) ?? 0) + 1);
        return key;
      });
    for (let index = 0; index < 1000; index++) {
      expect(get(`once ${index}`)).toBe(`once ${index}`);
      expect(index % 3 === 0 ? get('often') : 'often').toBe('often');
      expect(cache.size).toBeLessThanOrEqual(10);
    }
    expect(built.get('often')).toBe(1);
    get('once 1');
    expect(built.get('once 1')).toBe(2);
  });

  it('counts what it found, made anew and let go', () => {
    const cache = new PlanCache<string>(4);
    for (const key of ['a', 'b', 'a', 'c', 'b', 'd', 'e', 'x'.repeat(20_000)]) cache.get(key, () => key);
    // Two generations of two: b was taken over from the old one, and a went with it.
    expect(cache.counts).toEqual({ entries: 4, hits: 2, misses: 6, evictions: 1 });
    expect(cache.counts.entries).toBe(cache.size);
  });

  it('keeps no plan under a key of unusual length', () => {
    const cache = new PlanCache<string>(10);
    const key = 'x'.repeat(20_000);
    expect([cache.get(key, () => 'a'), cache.get(key, () => 'b'), cache.size]).toEqual(['a', 'b', 0]);
  });

  it('does not remember a failure', () => {
    const cache = new PlanCache<string>();
    expect(() =>
      cache.get('a', () => {
        throw new Error('once');
      }),
    ).toThrow('once');
    expect(cache.get('a', () => 'plan')).toBe('plan');
  });
});
