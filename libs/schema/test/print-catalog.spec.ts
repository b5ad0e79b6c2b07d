import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/kit/database.js';
import { printCatalog, readCatalog } from '../src/index.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase({
    sql: `
      CREATE SCHEMA hidden;
      CREATE TABLE hidden.tenants (id int PRIMARY KEY);
      CREATE TABLE users (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL DEFAULT 'x' CHECK (name <> ''),
        tenant_id int REFERENCES hidden.tenants
      );
      CREATE TABLE tags (id int PRIMARY KEY);
      CREATE TABLE user_tags (user_id int REFERENCES users, tag_id int REFERENCES tags, PRIMARY KEY (user_id, tag_id));
      CREATE INDEX user_tags_tag ON user_tags (tag_id);
      COMMENT ON TABLE users IS 'People';
      COMMENT ON COLUMN users.name IS 'As it is said';
      CREATE VIEW names AS SELECT count(*) AS amount FROM users;`,
  });
});
afterAll(() => database.drop());

describe('printCatalog', () => {
  it('shows all of it as text', async () => {
    const catalog = await readCatalog(database.pool, { schemas: ['public'] });
    expect(printCatalog(catalog).replace(catalog.version, 'VERSION')).toMatchInlineSnapshot(`
      "catalog VERSION, schemas: public

      names  (view, read only)
        amount  bigint

      tags  (table)
        id  integer  not null
        primary key (id)
        user_tags(...)  one-to-many user_tags                 on id = tag_id
        users(...)      many-to-many users through user_tags  on id = tag_id

      user_tags  (table)
        user_id  integer  not null
        tag_id   integer  not null
        primary key (user_id, tag_id)
        foreign key (tag_id) -> tags (id)
        foreign key (user_id) -> users (id)
        CREATE INDEX user_tags_tag ON public.user_tags USING btree (tag_id)
        user(...)  many-to-one users  on user_id = id
        tag(...)   many-to-one tags   on tag_id = id

      users  (table)  People
        id         integer  not null, identity always
        name       text     not null, default 'x'::text  As it is said
        tenant_id  integer
        primary key (id)
        foreign key (tenant_id) -> hidden.tenants (not exposed) (id)
        CHECK ((name <> ''::text)) as users_name_check
        user_tags(...)  one-to-many user_tags                on id = user_id
        tags(...)       many-to-many tags through user_tags  on id = user_id
      "
    `);
  });
});
