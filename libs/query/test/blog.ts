/** A small blog: relations of every kind, nulls, ties, and a type of each family. */
export const BLOG_SQL = `
  CREATE TYPE post_status AS ENUM ('draft', 'published', 'archived');
  CREATE TABLE companies (id serial PRIMARY KEY, name text NOT NULL, country text);
  CREATE TABLE users (
    id serial PRIMARY KEY,
    name text NOT NULL,
    email text,
    password text NOT NULL DEFAULT 'secret',
    company_id int REFERENCES companies
  );
  CREATE TABLE profiles (user_id int PRIMARY KEY REFERENCES users, bio text);
  CREATE TABLE posts (
    id serial PRIMARY KEY,
    author_id int REFERENCES users,
    editor_id int REFERENCES users,
    title text NOT NULL,
    body text,
    status post_status NOT NULL DEFAULT 'draft',
    views int NOT NULL DEFAULT 0,
    price numeric(10, 2),
    rating float8,
    published_at timestamptz,
    released_on date,
    tags_list text[],
    meta jsonb,
    raw bytea
  );
  CREATE INDEX posts_published_at_id ON posts (published_at, id);
  CREATE INDEX ON posts (status);
  CREATE INDEX ON posts (rating);
  CREATE INDEX ON posts (price);
  CREATE TABLE tags (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
  CREATE TABLE post_tags (post_id int REFERENCES posts, tag_id int REFERENCES tags, PRIMARY KEY (post_id, tag_id));
  CREATE TABLE comments (
    id serial PRIMARY KEY,
    post_id int NOT NULL REFERENCES posts,
    author_id int REFERENCES users,
    body text NOT NULL,
    approved bool NOT NULL DEFAULT false,
    parent_id int REFERENCES comments
  );
  CREATE TABLE translations (
    post_id int NOT NULL REFERENCES posts,
    lang text NOT NULL,
    title text NOT NULL,
    PRIMARY KEY (post_id, lang)
  );
  CREATE TABLE logs (level text, message text, at timestamptz);
  CREATE VIEW post_titles AS SELECT title, status FROM posts;

  INSERT INTO companies (name, country) VALUES ('Acme', 'NL'), ('Globex', 'DE'), ('Initech', NULL);
  INSERT INTO users (name, email, company_id) VALUES
    ('Ann', 'ann@acme.example', 1), ('Bob', 'bob@globex.example', 2), ('Cas', NULL, 1), ('Dee', 'dee@x.example', NULL);
  INSERT INTO profiles VALUES (1, 'Writes'), (2, NULL);
  INSERT INTO posts (author_id, editor_id, title, body, status, views, price, rating, published_at, released_on, tags_list, meta, raw)
  SELECT
    CASE WHEN i % 7 = 0 THEN NULL ELSE 1 + i % 3 END,
    CASE WHEN i % 2 = 0 THEN 4 END,
    'Post ' || lpad(i::text, 2, '0'),
    CASE WHEN i % 4 = 0 THEN NULL ELSE 'Body of number ' || i END,
    (ARRAY['draft', 'published', 'archived'])[1 + i % 3]::post_status,
    (i * 37) % 10,
    CASE WHEN i % 5 = 0 THEN NULL ELSE i * 1.25 END,
    (ARRAY[1.5, -0.25, 'NaN', 'Infinity', NULL])[1 + i % 5]::float8,
    CASE WHEN i % 3 = 0 THEN NULL ELSE timestamptz '2024-01-01 00:00:00.123456+00' + (i / 4) * interval '9 days' END,
    CASE WHEN i % 6 = 0 THEN NULL ELSE date '2024-02-28' + i / 2 END,
    CASE WHEN i % 2 = 0 THEN ARRAY['even', 'n' || i % 4] END,
    jsonb_build_object('n', i, 'color', CASE WHEN i % 2 = 0 THEN 'red' END),
    CASE WHEN i = 1 THEN decode(repeat('00ff', 60), 'hex') END
  FROM generate_series(1, 40) i;
  INSERT INTO tags (name) VALUES ('red'), ('green'), ('blue');
  INSERT INTO post_tags SELECT i, 1 + i % 3 FROM generate_series(1, 40) i;
  INSERT INTO post_tags SELECT i, 1 + (i + 1) % 3 FROM generate_series(1, 40, 4) i;
  INSERT INTO comments (post_id, author_id, body, approved)
    SELECT 1 + i % 20, CASE WHEN i % 5 = 0 THEN NULL ELSE 1 + i % 4 END, 'Comment ' || i, i % 2 = 0
    FROM generate_series(1, 100) i;
  UPDATE comments SET parent_id = id - 20 WHERE id > 20;
  INSERT INTO translations VALUES (1, 'nl', 'Bericht'), (1, 'de', 'Beitrag'), (2, 'nl', 'Nummer, twee');
  INSERT INTO logs SELECT (ARRAY['info', 'warn'])[1 + i % 2], 'Line ' || i % 7, now() FROM generate_series(1, 30) i;
  ANALYZE;
`;
