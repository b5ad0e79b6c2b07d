import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BLOG_SQL } from './blog.js';
import { QueryFixture } from './fixture.js';

let blog: QueryFixture;
beforeAll(async () => {
  blog = await QueryFixture.open(BLOG_SQL);
});
afterAll(() => blog.close());

const column = (rows: readonly unknown[], name: string): unknown[] =>
  rows.map((row) => Object.entries(row ?? {}).find(([key]) => key === name)?.[1]);

describe('a list', () => {
  it('gives every field of every record by default, as to_json spells it, in the order of the key', async () => {
    const { data, next } = await blog.list('posts');
    const rows = await blog.sql<{ json: object; raw: Buffer | null }>(
      'SELECT row_to_json(p) AS json, raw FROM posts p ORDER BY id',
    );
    const encoded = rows.map(({ json, raw }) => Object.assign(json, { raw: raw && raw.toString('base64') }));
    expect(data).toEqual(encoded);
    expect(next).toBeNull();
  });

  it('gives fields in the order that they are asked for', async () => {
    const { data } = await blog.list('posts', { fields: 'title,id', limit: '1' });
    expect(Object.keys(data[0] ?? {})).toEqual(['title', 'id']);
  });

  it('is an empty array where nothing matches', async () => {
    expect(await blog.list('posts', { filter: 'views > 1000' })).toEqual({ data: [], next: null });
  });

  it('embeds both sides of a foreign key, one to one and many to many, at any depth', async () => {
    const fields =
      'id,author(name,company(name),profiles(bio)),editor(name),tags(name),comments(body,author(name),parent(id))';
    const page = await blog.list('posts', {
      fields,
      'comments.limit': '2',
      'comments.sort': '-id',
      limit: '2',
    });
    expect(page.data).toMatchSnapshot();
  });

  it('embeds lists with a filter, an order and a limit of their own', async () => {
    const query = {
      fields: 'name,posts_by_author(title,comments(id))',
      'posts_by_author.filter': 'status == "published"',
      'posts_by_author.sort': '-title',
      'posts_by_author.limit': '2',
      'posts_by_author.comments.limit': '1',
      filter: 'name == "Bob"',
    };
    expect((await blog.list('users', query)).data).toMatchSnapshot();
  });

  it('puts a relation in the place of a column of the same name', async () => {
    const { data } = await blog.list('comments', { fields: 'id,post(id)', limit: '1' });
    expect(data).toEqual([{ id: 1, post: { id: 2 } }]);
  });

  it('filters over relations', async () => {
    const { data } = await blog.list('posts', {
      fields: 'id',
      filter: 'author.company.country == "DE" && comments.exists(c, !c.approved) && "even" in tags_list',
    });
    const expected = await blog.sql(`
      SELECT p.id FROM posts p JOIN users u ON u.id = p.author_id JOIN companies c ON c.id = u.company_id
      WHERE c.country = 'DE' AND 'even' = ANY (p.tags_list)
        AND EXISTS (SELECT FROM comments x WHERE x.post_id = p.id AND NOT x.approved) ORDER BY p.id`);
    expect(expected.length).toBeGreaterThan(0);
    expect(data).toEqual(expected);
  });

  it('counts exactly, whatever page is read', async () => {
    const query = { filter: 'status == "draft"', count: 'exact', limit: '3', fields: 'id' };
    const first = await blog.list('posts', query);
    const second = await blog.list('posts', { ...query, cursor: first.next ?? '' });
    expect([first.total, second.total]).toEqual([13, 13]);
  });

  it('skips to an offset and goes on from there by cursor', async () => {
    const page = await blog.list('posts', { fields: 'id', offset: '10', limit: '4' });
    expect(column(page.data, 'id')).toEqual([11, 12, 13, 14]);
    const next = await blog.list('posts', { fields: 'id', limit: '2', cursor: page.next ?? '' });
    expect(column(next.data, 'id')).toEqual([15, 16]);
  });

  it.each([
    ['comment 17', ['Comment 17']],
    ['"comment 17"', ['Comment 17']],
    ['17 or 18', ['Comment 17', 'Comment 18']],
  ])('searches for the words %s', async (search, bodies) => {
    expect(column((await blog.list('comments', { search })).data, 'body')).toEqual(bodies);
  });

  it.each(['', '   '])('restricts nothing by a search for %j', async (search) => {
    expect((await blog.list('tags', { search })).data).toHaveLength(3);
  });

  it.each([
    "'",
    '"',
    '&|!():*',
    '\\',
    "';--",
    '<->',
    'a:*b',
    '-',
    '🙂',
    'é'.repeat(90),
    '((((',
    'or or or',
    '-"-"',
  ])('finds nothing and does not fail on a search for %j', async (search) => {
    expect((await blog.list('tags', { search })).data).toEqual([]);
  });

  it('reads a table without a key page by page', async () => {
    const lines = await blog.listAll('logs', { sort: '-level', limit: '7', fields: 'level,message' });
    expect(lines).toHaveLength(30);
    const expected = await blog.sql('SELECT level, message FROM logs');
    const sorted = (rows: unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort();
    expect(sorted(lines)).toEqual(sorted(expected));
    expect(column(lines, 'level')).toEqual([...Array(15).fill('warn'), ...Array(15).fill('info')]);
  });

  it('reads a view without a key page by page', async () => {
    const titles = await blog.listAll('post_titles', { sort: '-status', limit: '7' });
    expect(titles).toHaveLength(40);
    expect(new Set(column(titles, 'title')).size).toBe(40);
  });
});

describe('one record', () => {
  it('is found by its key', async () => {
    expect(await blog.record('tags', '2')).toEqual({ id: 2, name: 'green' });
    expect(await blog.record('tags', '99')).toBeNull();
  });

  it('is found by a composite key, each part encoded by itself', async () => {
    const title = await blog.record('translations', '2,nl', { fields: 'title,post(title)' });
    expect(title).toEqual({ title: 'Nummer, twee', post: { title: 'Post 02' } });
    expect(await blog.record('translations', '2,n%2Cl')).toBeNull();
  });

  it('comes with its version, which changes with every write', async () => {
    const { statement, values } = blog.queries.record(blog.context('tags'), '3', []);
    const read = async (): Promise<unknown> => (await blog.run({ statement, values }))[0]?.[1];
    const before = await read();
    expect(await read()).toBe(before);
    await blog.sql("UPDATE tags SET name = 'blue' WHERE id = 3");
    expect(await read()).not.toBe(before);
  });

  it.each([
    ['fields=id', {}, true],
    ['an embedded relation', { fields: 'author(name)' }, false],
  ])('says whether its version tells all (%s)', (_case, query, isSufficient) => {
    const query_ = blog.queries.record(blog.context('posts'), '1', Object.entries(query));
    expect(query_.isRowVersionSufficient).toBe(isSufficient);
  });
});

describe('an estimated count', () => {
  it('is exact for few rows', async () => {
    expect(await blog.list('posts', { count: 'estimated', limit: '1' })).toMatchObject({ total: 40 });
    expect(await blog.list('posts', { count: 'estimated', limit: '1', filter: 'views > 4' })).toMatchObject({
      total: 20,
    });
    expect(await blog.list('post_titles', { count: 'estimated', limit: '1' })).toMatchObject({ total: 40 });
  });

  it('is near the truth for many rows', async () => {
    await blog.sql(`
      CREATE TABLE IF NOT EXISTS public.many (id int PRIMARY KEY, n int, filler text);
      INSERT INTO many SELECT i, i % 10, repeat('x', 300) FROM generate_series(1, 60000) i;
      ANALYZE many;`);
    const many = await QueryFixture.of(blog);
    const all = await many.list('many', { count: 'estimated', limit: '1' });
    const half = await many.list('many', { count: 'estimated', limit: '1', filter: 'n < 5' });
    expect(all.total).toBeGreaterThan(55_000);
    expect(all.total).toBeLessThan(65_000);
    expect(half.total).toBeGreaterThan(20_000);
    expect(half.total).toBeLessThan(40_000);
  });
});
