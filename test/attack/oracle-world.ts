import { secretWorldSql } from '../kit/secret-world.js';

/**
 * The secret world, with a table that is there to be written to. Its keys and labels are the same in both worlds, also of
 * rows that the reader may not see: whoever may choose a unique value learns whether it is taken, and nothing more.
 */
export const oracleWorldSql = (salt: string): string => `
  ${secretWorldSql(salt)}
  CREATE TABLE badges (
    id int PRIMARY KEY, owner_id int NOT NULL REFERENCES users, label text UNIQUE, pin text, level int CHECK (level >= 0),
    UNIQUE (owner_id, label));
  INSERT INTO badges SELECT i, CASE WHEN i % 4 = 0 THEN 1 ELSE 2 + i % 9 END, 'Badge ' || i, pg_temp.word('pin' || i),
    CASE WHEN i % 4 = 0 THEN i ELSE pg_temp.number('level' || i, 50) END FROM generate_series(1, 40) i;
  -- Statistics are of the hidden values, too: plans must not change while they are compared.
  ${['companies', 'users', 'secrets', 'posts', 'comments', 'tags', 'post_tags', 'parcels', 'badges']
    .map((table) => `ALTER TABLE ${table} SET (autovacuum_enabled = false);`)
    .join('\n  ')}
`;

const OWN = 'owner_id == auth.claims.user_id';

/** What the reader may do beside reading the secret world. */
export const ORACLE_POLICIES: readonly object[] = [
  { collection: 'badges', action: 'read', fields: ['id', 'label', 'owner_id'] },
  { collection: 'badges', action: 'read', condition: OWN, fields: ['level'] },
  { collection: 'badges', action: 'create', fields: ['id', 'owner_id', 'label', 'level'], check: OWN },
  { collection: 'badges', action: 'update', condition: OWN, fields: ['label', 'level'], check: OWN },
  { collection: 'badges', action: 'delete', condition: OWN },
  {
    collection: 'posts',
    action: 'create',
    fields: ['id', 'title', 'status'],
    check: 'status == "draft"',
    presets: { author_id: 'auth.claims.user_id' },
  },
  { collection: 'comments', action: 'create', fields: ['id', 'post_id', 'author_id', 'body', 'approved'] },
  {
    collection: 'comments',
    action: 'delete',
    condition: 'author_id == auth.claims.user_id',
  },
];
