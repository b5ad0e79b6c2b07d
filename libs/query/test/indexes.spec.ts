import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessOf, EVERYTHING, QueryFixture, type Caller, type Query } from './fixture.js';

let articles: QueryFixture;
beforeAll(async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const searchIndex = /CREATE INDEX articles_search[^;]+;/.exec(readme)?.[0];
  articles = await QueryFixture.open(`
    CREATE TYPE state AS ENUM ('new', 'old');
    CREATE TABLE authors (id int PRIMARY KEY, name text NOT NULL);
    INSERT INTO authors SELECT i, 'Author ' || i FROM generate_series(1, 5000) i;
    CREATE TABLE articles (
      id int PRIMARY KEY, author_id int NOT NULL REFERENCES authors, title text NOT NULL, body text,
      status state NOT NULL, rank int NOT NULL, due timestamptz
    );
    INSERT INTO articles
      SELECT i, 1 + i % 5000, 'Title ' || i, CASE WHEN i % 3 > 0 THEN 'Body ' || i END, (ARRAY['new', 'old'])[1 + i % 2]::state,
        i % 500, CASE WHEN i % 4 > 0 THEN timestamptz '2024-01-01+00' + i * interval '1 minute' END
      FROM generate_series(1, 20000) i;
    CREATE INDEX due ON articles (due, id);
    CREATE INDEX mixed ON articles (rank, due DESC NULLS FIRST, id DESC);
    CREATE INDEX filtered ON articles (status, rank, id);
    CREATE INDEX by_author ON articles (author_id);
    ${searchIndex}
    ANALYZE;`);
});
afterAll(() => articles.close());

/** The plan of a page's statement, as far as one can tell what reads how. */
async function explain(query: Query, caller: Caller = {}): Promise<string> {
  const { statement, values } = articles.queries.list(
    articles.context('articles', caller),
    Object.entries(query),
  );
  const { rows } = await articles.pool.query<{ 'QUERY PLAN': string }>(
    `EXPLAIN (COSTS OFF) ${statement.text}`,
    values,
  );
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

/** The cursor after the page that ends at the n-th row. */
async function cursorAt(query: Query, row: number): Promise<string> {
  const page = await articles.list('articles', { ...query, offset: String(row), limit: '10', fields: 'id' });
  return page.next ?? '';
}

describe('a page', () => {
  it.each(['id', '-id'])(
    'by %s is read from an index also where the key is hidden on some records',
    async (sort) => {
      const access = accessOf(articles.catalog, 'half', {
        articles: [{ fields: ['title'] }, { condition: 'rank > 2', fields: ['id', 'rank'] }],
      });
      const plan = await explain({ sort, limit: '10' }, { access });
      expect(plan).toMatch(/Index Scan( Backward)? using articles_pkey/);
    },
  );

  it.each([
    ['the key', { sort: 'id' }, 10_000],
    ['a key that may be null, before the nulls', { sort: 'due' }, 10_000],
    ['a key that may be null, among the nulls', { sort: 'due' }, 18_000],
    ['the same, descending, among the nulls', { sort: '-due' }, 2000],
    ['the same, descending, after the nulls', { sort: '-due' }, 15_000],
    ['keys of mixed direction', { sort: 'rank,-due' }, 10_000],
    ['a key behind a filter', { sort: 'rank', filter: 'status == "new"' }, 5000],
  ])('by %s is read from an index, from where its cursor stands', async (_case, query, row) => {
    const cursor = await cursorAt(query, row);
    const plan = await explain({ ...query, limit: '10', cursor });
    expect(plan).toContain('Index Cond');
    expect(plan).not.toMatch(/Sort|Seq Scan|Filter/);
    expect(await explain({ ...query, limit: '10' })).not.toMatch(/Sort|Seq Scan/);
  });

  it('looks far rows up by key', async () => {
    const plan = await explain({ fields: 'id,author(name)', sort: '-id', limit: '10' });
    expect(plan).toContain('Index Scan using authors_pkey');
    expect(plan).not.toMatch(/Seq Scan|Hash/);
  });

  it('is not slowed by rules that mask nothing of what is used', async () => {
    const access = accessOf(articles.catalog, 'rules', {
      articles: [{ fields: ['id', 'due', 'title'] }, { condition: 'rank > 5', fields: ['body'] }],
    });
    expect(await explain({ fields: 'id,body', sort: 'due', limit: '10' }, { access })).not.toMatch(
      /Sort|Seq Scan/,
    );
  });
});

describe('a search', () => {
  it('is served by the index of the documentation', async () => {
    const plan = await explain({ search: 'body 1234', fields: 'id' }, { access: EVERYTHING });
    expect(plan).toContain('Bitmap Index Scan on articles_search');
    expect(plan).not.toContain('Seq Scan');
  });

  it('is not, but answers, for who may not read all of it', async () => {
    const access = accessOf(articles.catalog, 'titles', { articles: [{ fields: ['id', 'title'] }] });
    expect((await articles.list('articles', { search: 'body 1234' }, { access })).data).toEqual([]);
    expect((await articles.list('articles', { search: '1234' }, { access })).data).toHaveLength(1);
  });
});
