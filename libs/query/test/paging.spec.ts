import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BLOG_SQL } from './blog.js';
import { accessOf, QueryFixture, type Page } from './fixture.js';

let blog: QueryFixture;
beforeAll(async () => {
  blog = await QueryFixture.open(BLOG_SQL);
});
afterAll(() => blog.close());

const ids = (rows: readonly unknown[]): number[] => rows.map((row) => (row as { id: number }).id);

/** What `sort` means, in SQL written by hand. The tie-breaker follows the direction of the last key. */
const ORDERS: readonly (readonly [sort: string, orderBy: string])[] = [
  ['id', 'p.id'],
  ['-id', 'p.id DESC'],
  ['views', 'p.views, p.id'],
  ['-views', 'p.views DESC, p.id DESC'],
  ['-published_at', 'p.published_at DESC, p.id DESC'],
  ['published_at', 'p.published_at, p.id'],
  ['published_at,-views', 'p.published_at, p.views DESC, p.id DESC'],
  ['-published_at,views,-id', 'p.published_at DESC, p.views, p.id DESC'],
  ['status,-released_on,price', 'p.status, p.released_on DESC, p.price, p.id'],
  ['rating,-title', 'p.rating, p.title DESC, p.id DESC'],
  ['-rating,body', 'p.rating DESC, p.body, p.id'],
  ['author.name,-views', 'u.name, p.views DESC, p.id DESC'],
  ['-author.company.country,title', 'c.country DESC, p.title, p.id'],
  ['tags_list,-meta', 'p.tags_list, p.meta DESC, p.id DESC'],
  ['-raw,price,-rating,released_on,body', 'p.raw DESC, p.price, p.rating DESC, p.released_on, p.body, p.id'],
];

describe('paging by cursor', () => {
  it.each(ORDERS)(
    'sorted by %s, gives every record once and in order, whatever the page size',
    async (sort, orderBy) => {
      const expected = await blog.sql<{ id: number }>(`
      SELECT p.id FROM posts p
      LEFT JOIN users u ON u.id = p.author_id LEFT JOIN companies c ON c.id = u.company_id ORDER BY ${orderBy}`);
      for (const limit of ['1', '2', '3', '7', '39', '40', '41']) {
        expect(ids(await blog.listAll('posts', { sort, limit, fields: 'id' }))).toEqual(ids(expected));
      }
    },
  );

  it.each(['id', '-id', undefined])(
    'sorted by %s, a key that is hidden on some records, gives every record once and the hidden ones at one end',
    async (sort) => {
      const access = accessOf(blog.catalog, 'half', {
        posts: [{ fields: ['title'] }, { condition: 'views > 5', fields: ['id'] }],
      });
      const query = { fields: 'id,title', ...(sort === undefined ? {} : { sort }) };
      const whole = (await blog.list('posts', { ...query, limit: '1000' }, { access })).data;
      const seen = await blog.sql<{ id: number }>('SELECT id FROM posts WHERE views > 5 ORDER BY id');
      const all = await blog.sql<{ title: string }>('SELECT title FROM posts');
      const shown = ids(whole).filter((id) => id !== null);
      expect(shown).toEqual(sort === '-id' ? ids(seen).toReversed() : ids(seen));
      expect(whole).toHaveLength(all.length);
      const firstSeen = ids(whole).findIndex((id) => id !== null);
      expect(firstSeen).toBe(sort === '-id' ? all.length - seen.length : 0);
      for (const limit of ['1', '3', '7', '40']) {
        expect(await blog.listAll('posts', { ...query, limit }, { access })).toEqual(whole);
      }
    },
  );

  it('gives every record once for any order and any changing page sizes', async () => {
    const field = fc.constantFrom(
      'id',
      'views',
      'published_at',
      'price',
      'rating',
      'status',
      'body',
      'released_on',
      'author.name',
      'editor_id',
    );
    const sorts = fc
      .uniqueArray(field, { minLength: 1, maxLength: 5 })
      .chain((fields) =>
        fc
          .array(fc.boolean(), { minLength: fields.length, maxLength: fields.length })
          .map((signs) => fields.map((name, index) => `${signs[index] ? '-' : ''}${name}`).join(',')),
      );
    await fc.assert(
      fc.asyncProperty(
        sorts,
        fc.array(fc.integer({ min: 1, max: 15 }), { minLength: 1, maxLength: 4 }),
        async (sort, sizes) => {
          const whole = await blog.list('posts', { sort, fields: 'id' });
          const found: number[] = [];
          let cursor: string | null = null;
          for (let page = 0; page < 45; page++) {
            const query = { sort, fields: 'id', limit: String(sizes[page % sizes.length]) };
            const answer: Page = await blog.list('posts', cursor === null ? query : { ...query, cursor });
            found.push(...ids(answer.data));
            cursor = answer.next;
            if (cursor === null) break;
          }
          expect(found).toEqual(ids(whole.data));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('neither loses nor doubles records when others come and go between pages', async () => {
    await blog.sql(
      'CREATE TABLE moving (id int PRIMARY KEY, rank int); INSERT INTO moving SELECT i, i % 4 FROM generate_series(10, 40) i',
    );
    const moving = await QueryFixture.of(blog);
    const first = await moving.list('moving', { sort: '-rank', limit: '10' });
    const last = ids(first.data).at(-1) ?? 0;
    await moving.sql(
      `DELETE FROM moving WHERE id = ${last}; INSERT INTO moving VALUES (1, 3), (2, 0), (100, 3), (101, 0)`,
    );
    const rest: number[] = [];
    let cursor = first.next;
    while (cursor !== null) {
      const page = await moving.list('moving', { sort: '-rank', limit: '10', cursor });
      rest.push(...ids(page.data));
      cursor = page.next;
    }
    const seen = [...ids(first.data), ...rest];
    expect(new Set(seen).size).toBe(seen.length);
    for (let id = 10; id <= 40; id++) expect(seen).toContain(id);
    expect(seen).toContain(2);
    expect(seen).not.toContain(100);
  });

  it('ends where the last page is full', async () => {
    expect((await blog.list('posts', { limit: '40', fields: 'id' })).next).toBeNull();
    expect((await blog.list('posts', { limit: '39', fields: 'id' })).next).not.toBeNull();
  });

  it('orders by a hidden key as a tie-breaker without showing it', async () => {
    const access = accessOf(blog.catalog, 'titles', { posts: [{ fields: ['title', 'status'] }] });
    const titles = await blog.listAll('posts', { sort: 'status', limit: '7' }, { access });
    expect(titles).toHaveLength(40);
    expect(new Set(titles.map((row) => JSON.stringify(row))).size).toBe(40);
    expect(Object.keys(titles[0] ?? {})).toEqual(['title', 'status']);
  });

  it('pages over a masked key', async () => {
    const access = accessOf(blog.catalog, 'masked', {
      posts: [{ fields: ['title'] }, { condition: 'views > 4', fields: ['id', 'views', 'published_at'] }],
    });
    for (const sort of ['id', '-views', 'published_at,-id']) {
      const whole = await blog.list('posts', { sort }, { access });
      expect(await blog.listAll('posts', { sort, limit: '6' }, { access })).toEqual(whole.data);
      expect(whole.data).toHaveLength(40);
    }
  });
});

describe('a cursor', () => {
  const query = { sort: 'views', filter: 'views > 2', limit: '3' };
  const next = async (): Promise<string> => (await blog.list('posts', query)).next ?? '';

  it.each([
    ['another sort', { ...query, sort: '-views' }],
    ['another filter', { ...query, filter: 'views > 3' }],
    ['a search', { ...query, search: 'body' }],
    ['no sort', { filter: query.filter }],
  ])('is refused with %s', async (_case, other) => {
    const cursor = await next();
    await expect(blog.list('posts', { ...other, cursor })).rejects.toMatchObject({ code: 'invalid-cursor' });
  });

  it('is refused by another collection', async () => {
    const cursor = (await blog.list('tags', { limit: '1' })).next ?? '';
    await expect(blog.list('users', { cursor })).rejects.toMatchObject({ code: 'invalid-cursor' });
  });

  it('is refused when changed in any place', async () => {
    const cursor = await next();
    for (let index = 0; index < cursor.length; index += 5) {
      const changed = cursor.slice(0, index) + (cursor[index] === 'A' ? 'B' : 'A') + cursor.slice(index + 1);
      await expect(blog.list('posts', { ...query, cursor: changed })).rejects.toMatchObject({
        code: 'invalid-cursor',
      });
    }
  });

  it.each(['', 'x', '..', '[]', 'null', 'a.b', '🙂'])('is refused when it is %j', async (cursor) => {
    await expect(blog.list('posts', { ...query, cursor })).rejects.toMatchObject({ code: 'invalid-cursor' });
  });

  it('may go on with other fields and another limit', async () => {
    const page = await blog.list('posts', {
      ...query,
      limit: '5',
      fields: 'id,author(name)',
      cursor: await next(),
    });
    expect(page.data).toHaveLength(5);
  });
});
