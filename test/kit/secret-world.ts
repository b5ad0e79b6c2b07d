import type { TestApp } from './app.js';

/**
 * A database full of what a reader may not see: fields that no policy lists, fields hidden on some rows, whole rows,
 * foreign keys, join rows, keys and a whole table. Two worlds of different salt differ in exactly that and in nothing
 * else.
 *
 * Everything is inserted in the same order, so that rows lie at the same places on disk.
 */
export const secretWorldSql = (salt: string): string => `
  CREATE FUNCTION pg_temp.number(what text, range int) RETURNS int IMMUTABLE LANGUAGE sql AS
    $$ SELECT abs(('x' || substr(md5('${salt}' || what), 1, 7))::bit(28)::int) % range $$;
  CREATE FUNCTION pg_temp.word(what text) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT CASE pg_temp.number(what, 9) WHEN 0 THEN NULL ELSE substr(md5('${salt}' || what), 1, 3 + pg_temp.number(what, 20)) END $$;

  CREATE TABLE companies (
    id int PRIMARY KEY, name text NOT NULL, country text, is_listed bool NOT NULL, tax_no text, rating int);
  CREATE TABLE users (
    id int PRIMARY KEY, name text NOT NULL, company_id int REFERENCES companies, manager_id int REFERENCES users,
    email text, salary int, password text);
  CREATE TABLE secrets (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users, content text);
  CREATE TYPE post_status AS ENUM ('draft', 'published');
  CREATE TABLE posts (
    id int PRIMARY KEY, author_id int REFERENCES users, editor_id int REFERENCES users, title text NOT NULL,
    status post_status NOT NULL, body text, price numeric(10, 2), views int, published_at timestamptz, token text);
  CREATE TABLE comments (
    id int PRIMARY KEY, post_id int REFERENCES posts, author_id int REFERENCES users, body text, approved bool NOT NULL,
    note text);
  CREATE TABLE tags (id int PRIMARY KEY, name text NOT NULL);
  CREATE TABLE post_tags (
    post_id int REFERENCES posts, tag_id int REFERENCES tags, weight int, PRIMARY KEY (post_id, tag_id));
  CREATE TABLE parcels (code text PRIMARY KEY, owner_id int NOT NULL REFERENCES users, label text NOT NULL, grams int);

  INSERT INTO companies SELECT i,
    CASE WHEN i % 3 = 0 THEN 'Hidden ' || coalesce(pg_temp.word('company' || i), 'x') ELSE 'Company ' || i END,
    CASE WHEN i % 3 = 0 THEN pg_temp.word('country' || i) ELSE (ARRAY['NL', 'DE', NULL])[1 + i % 3] END,
    i % 3 <> 0, pg_temp.word('tax' || i), CASE WHEN i = 1 THEN 5 ELSE pg_temp.number('rating' || i, 10) END
    FROM generate_series(1, 12) i;
  INSERT INTO users SELECT i, 'User ' || lpad(i::text, 2, '0'), 1 + i % 12,
    CASE WHEN i = 1 THEN NULL ELSE 1 + pg_temp.number('manager' || i, i - 1) END,
    CASE WHEN i = 1 THEN 'me@example.org' ELSE pg_temp.word('email' || i) END,
    CASE WHEN i = 1 THEN 4000 ELSE pg_temp.number('salary' || i, 9000) END, pg_temp.word('password' || i)
    FROM generate_series(1, 20) i;
  INSERT INTO secrets SELECT i, 1 + pg_temp.number('owner' || i, 20), pg_temp.word('content' || i)
    FROM generate_series(1, 30) i;
  INSERT INTO posts SELECT i,
    CASE WHEN own THEN 1 WHEN published THEN 2 + i % 9 ELSE 2 + pg_temp.number('author' || i, 18) END,
    1 + pg_temp.number('editor' || i, 20),
    CASE WHEN own OR published THEN 'Post ' || lpad((i * 7 % 40)::text, 2, '0') ELSE 'Hidden ' || coalesce(pg_temp.word('title' || i), 'x') END,
    (CASE WHEN published THEN 'published' ELSE 'draft' END)::post_status,
    CASE WHEN own THEN 'My text ' || i ELSE pg_temp.word('body' || i) END,
    CASE WHEN own THEN i * 1.25 ELSE pg_temp.number('price' || i, 1000) / 10.0 END,
    CASE WHEN published THEN i % 11 ELSE pg_temp.number('views' || i, 11) END,
    '2026-01-01T00:00:00Z'::timestamptz
      + make_interval(days => CASE WHEN published THEN i % 60 ELSE pg_temp.number('published' || i, 60) END),
    pg_temp.word('token' || i)
    FROM (SELECT i, i % 5 = 0 AS own, i % 2 = 0 AS published FROM generate_series(1, 60) i) x;
  INSERT INTO comments SELECT i,
    CASE WHEN approved THEN 1 + i * 7 % 60 ELSE 1 + pg_temp.number('post' || i, 60) END,
    CASE WHEN own THEN 1 WHEN approved THEN 2 + i % 9 ELSE 2 + pg_temp.number('commenter' || i, 18) END,
    CASE WHEN own OR approved THEN 'Comment ' || i % 13 ELSE pg_temp.word('comment' || i) END,
    approved, pg_temp.word('note' || i)
    FROM (SELECT i, i % 7 = 0 AS own, i % 3 > 0 AS approved FROM generate_series(1, 120) i) x;
  INSERT INTO tags VALUES (1, 'red'), (2, 'green'), (3, 'blue'), (4, 'grey');
  -- Of posts that are not published, which tags they have is hidden with the rows that say so.
  INSERT INTO post_tags SELECT i, CASE WHEN i % 2 = 0 THEN 1 + i % 4 ELSE 1 + pg_temp.number('tag' || i, 4) END,
    CASE WHEN i % 2 = 0 THEN i % 5 ELSE pg_temp.number('weight' || i, 5) END FROM generate_series(1, 60) i;
  INSERT INTO parcels SELECT CASE WHEN i % 4 = 0 THEN 'mine-' || i ELSE md5('${salt}' || i) || repeat('z', pg_temp.number('code' || i, 40)) END,
    CASE WHEN i % 4 = 0 THEN 1 ELSE 2 + i % 5 END, 'Parcel ' || i % 6,
    CASE WHEN i % 4 = 0 THEN i * 10 ELSE pg_temp.number('grams' || i, 500) END FROM generate_series(1, 24) i;
  -- Rows that nobody but administrators sees may be any number.
  INSERT INTO posts (id, author_id, title, status)
    SELECT 1000 + i, 2, 'Extra', 'draft' FROM generate_series(1, 1 + pg_temp.number('extra', 50)) i;
  INSERT INTO comments (id, post_id, author_id, body, approved)
    SELECT 1000 + i, 1 + i % 60, 2, 'Extra', false FROM generate_series(1, 1 + pg_temp.number('comments', 50)) i;
`;

/** What the reader, the author of a few posts, may see. */
export const READER_POLICIES: readonly object[] = [
  { collection: 'companies', condition: 'is_listed', fields: ['id', 'name', 'country', 'is_listed'] },
  { collection: 'companies', condition: 'id == auth.claims.company_id', fields: ['rating'] },
  { collection: 'users', fields: ['id', 'name', 'company_id'] },
  { collection: 'users', condition: 'id == auth.claims.user_id', fields: ['email', 'salary', 'manager_id'] },
  {
    collection: 'posts',
    condition: 'status == "published"',
    fields: ['id', 'title', 'status', 'author_id', 'views', 'published_at'],
  },
  {
    collection: 'posts',
    condition: 'author_id == auth.claims.user_id',
    fields: ['id', 'title', 'status', 'body', 'price'],
  },
  { collection: 'comments', condition: 'approved', fields: ['id', 'post_id', 'author_id', 'body'] },
  {
    collection: 'comments',
    condition: 'author_id == auth.claims.user_id',
    fields: ['id', 'body', 'approved'],
  },
  { collection: 'tags', fields: ['id', 'name'] },
  {
    collection: 'post_tags',
    condition: 'post.status == "published"',
    fields: ['post_id', 'tag_id', 'weight'],
  },
  {
    collection: 'parcels',
    condition: 'owner_id == auth.claims.user_id',
    fields: ['code', 'label', 'owner_id', 'grams'],
  },
  { collection: 'parcels', fields: ['label', 'owner_id'] },
].map((policy) => Object.assign(policy, { action: 'read' }));

/** What the reader may write: harmless fields of what it sees, so that filters of writes can be tried too. */
export const WRITER_POLICIES: readonly object[] = [
  { collection: 'posts', action: 'update', fields: ['title'] },
  { collection: 'users', action: 'update', fields: ['name'] },
  { collection: 'parcels', action: 'update', fields: ['label'] },
  { collection: 'tags', action: 'create', fields: ['id', 'name'] },
];

export const readerKey = (app: TestApp): Promise<string> =>
  app.keyFor('reader', [...READER_POLICIES, ...WRITER_POLICIES], { user_id: 1, company_id: 1 });
