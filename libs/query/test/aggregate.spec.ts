import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BLOG_SQL } from './blog.js';
import { accessOf, QueryFixture } from './fixture.js';

let blog: QueryFixture;
beforeAll(async () => {
  blog = await QueryFixture.open(BLOG_SQL);
});
afterAll(() => blog.close());

const expected = async (text: string): Promise<unknown> => {
  const [row] = await blog.sql<{ rows: unknown }>(`SELECT json_agg(row_to_json(r)) AS rows FROM (${text}) r`);
  return row?.rows;
};

describe('an aggregate', () => {
  it('counts all records where nothing else is said', async () => {
    expect(await blog.aggregate('posts', {})).toEqual([{ count: 40 }]);
  });

  it('gives every measure under its name', async () => {
    const measures =
      'count,count(body),countDistinct(author_id),sum(views),avg(views),min(price),max(published_at),min(title),max(status)';
    expect(await blog.aggregate('posts', { measures, filter: 'views > 3' })).toEqual(
      await expected(`
        SELECT count(*) AS count, count(body) AS count_body, count(DISTINCT author_id) AS count_distinct_author_id,
          sum(views) AS sum_views, avg(views) AS avg_views, min(price) AS min_price,
          max(published_at) AS max_published_at, min(title) AS min_title, max(status) AS max_status
        FROM posts WHERE views > 3`),
    );
  });

  it('groups by fields, units of time and fields of related records', async () => {
    const groupBy = 'status,published_at:month,released_on:year,author.company.country';
    expect(await blog.aggregate('posts', { measures: 'count,sum(price)', groupBy })).toEqual(
      await expected(`
        SELECT p.status, date_trunc('month', p.published_at) AS published_at_month,
          date_trunc('year', p.released_on)::date AS released_on_year, c.country AS author_company_country,
          count(*) AS count, sum(p.price) AS sum_price
        FROM posts p LEFT JOIN users u ON u.id = p.author_id LEFT JOIN companies c ON c.id = u.company_id
        GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`),
    );
  });

  it.each(['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute'])('groups by %s', async (unit) => {
    const groups = await blog.aggregate('posts', { groupBy: `published_at:${unit}` });
    expect(groups).toEqual(
      await expected(
        `SELECT date_trunc('${unit}', published_at) AS published_at_${unit}, count(*) AS count FROM posts GROUP BY 1 ORDER BY 1`,
      ),
    );
  });

  it('sorts by measures and groups, with a limit and an offset', async () => {
    const query = {
      groupBy: 'author.name',
      measures: 'count,max(views)',
      sort: '-count,author_name',
      limit: '2',
      offset: '1',
    };
    expect(await blog.aggregate('posts', query)).toEqual(
      await expected(`
        SELECT u.name AS author_name, count(*) AS count, max(p.views) AS max_views
        FROM posts p LEFT JOIN users u ON u.id = p.author_id GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 2 OFFSET 1`),
    );
  });

  it('searches', async () => {
    expect(await blog.aggregate('comments', { search: '"comment 17" or 18' })).toEqual([{ count: 2 }]);
  });

  it.each([
    ['invalid-measure', { measures: 'sum(title)' }],
    ['invalid-measure', { measures: 'avg(published_at)' }],
    ['invalid-measure', { measures: 'min(meta)' }],
    ['invalid-measure', { measures: 'sum(comments.id)' }],
    ['invalid-measure', { measures: 'count,count' }],
    ['unknown-field', { measures: 'sum(nothing)' }],
    ['unknown-field', { groupBy: 'author.nothing' }],
    ['unknown-field', { groupBy: 'author' }],
    ['invalid-group', { groupBy: 'views:month' }],
    ['invalid-group', { groupBy: 'released_on:hour' }],
    ['invalid-group', { groupBy: 'status,status' }],
    ['invalid-group', { groupBy: 'comments.body' }],
    ['invalid-sort', { groupBy: 'status', sort: 'views' }],
    ['invalid-sort', { groupBy: 'status', sort: 'status,-status' }],
    ['invalid-limit', { limit: '0' }],
    ['unknown-parameter', { fields: 'id' }],
    ['unknown-parameter', { having: 'count > 1' }],
  ])('refuses with %s: %j', async (code, query) => {
    await expect(blog.aggregate('posts', query)).rejects.toMatchObject({ code });
  });

  it('measures and groups what the caller sees of each row', async () => {
    const access = accessOf(blog.catalog, 'some', {
      posts: [
        { condition: 'status != "archived"', fields: ['id', 'status'] },
        { condition: 'status == "published"', fields: ['id', 'views'] },
      ],
    });
    const query = { measures: 'count,count(views),sum(views),max(views)', groupBy: 'status' };
    expect(await blog.aggregate('posts', query, { access })).toEqual(
      await expected(`
        SELECT status, count(*) AS count, count(v) AS count_views, sum(v) AS sum_views, max(v) AS max_views
        FROM (SELECT status, CASE WHEN status = 'published' THEN views END AS v FROM posts WHERE status <> 'archived') p
        GROUP BY 1 ORDER BY 1`),
    );
    const byViews = await blog.aggregate('posts', { groupBy: 'views' }, { access });
    expect(byViews).toContainEqual({ views: null, count: 13 });
  });
});
