import { READER_POLICIES, secretWorldSql, WRITER_POLICIES } from '../kit/secret-world.js';
import type { TestApp } from '../kit/app.js';

/** What stands wherever the reader may not look: texts, and whole numbers from 7,700,000 to 7,700,999. */
export const CANARY = /canary|\b7700\d{3}\b/i;

/** The secret world with a canary in each hidden value. Nothing that an attack sends resembles one. */
export const ATTACK_SQL = `
  ${secretWorldSql('attack')}
  UPDATE companies SET tax_no = 'canary-' || id;
  UPDATE companies SET name = 'Canary ' || id, country = 'canary' WHERE NOT is_listed;
  UPDATE companies SET rating = 7700000 + id WHERE id <> 1;
  UPDATE users SET password = 'canary-' || id;
  UPDATE users SET email = 'canary' || id || '@example.org', salary = 7700000 + id WHERE id <> 1;
  UPDATE secrets SET content = 'canary-' || id;
  UPDATE posts SET token = 'canary-' || id;
  UPDATE posts SET body = 'canary ' || id, price = 7700000 + id WHERE author_id <> 1;
  UPDATE posts SET title = 'Canary ' || id WHERE author_id <> 1 AND status <> 'published';
  UPDATE posts SET views = 7700000 + id WHERE status <> 'published';
  UPDATE comments SET note = 'canary-' || id;
  UPDATE comments SET body = 'canary ' || id WHERE author_id <> 1 AND NOT approved;
  UPDATE parcels SET grams = 7700000 + length(label), code = 'canary-' || md5(code) WHERE owner_id <> 1;
`;

const MORE_WRITES: readonly object[] = [
  {
    collection: 'posts',
    action: 'create',
    fields: ['id', 'title', 'status'],
    check: 'status == "draft"',
    presets: { author_id: 'auth.claims.user_id' },
  },
  { collection: 'comments', action: 'create', fields: ['id', 'post_id', 'body', 'author_id', 'approved'] },
  {
    collection: 'comments',
    action: 'update',
    condition: 'author_id == auth.claims.user_id',
    fields: ['body'],
  },
];

/** Makes the role of the attacker, who may write some of what it reads; gives its key. */
export const attackerKey = (app: TestApp, more: readonly object[] = MORE_WRITES): Promise<string> =>
  app.keyFor('reader', [...READER_POLICIES, ...WRITER_POLICIES, ...more], { user_id: 1, company_id: 1 });
