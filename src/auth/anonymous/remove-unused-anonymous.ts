import type { DataSource } from 'typeorm';

/** At once; the next sweep takes the rest. */
const BATCH = 1000;

/** Tables of applications that refer to users, with their column, both quoted. */
const REFERENCES = `
  SELECT c.conrelid::regclass::text AS "table", format('%I', a.attname) AS "column"
  FROM pg_constraint c
  JOIN pg_class t ON t.oid = c.conrelid
  JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
  WHERE c.contype = 'f' AND c.confrelid = 'plinth.users'::regclass AND c.conparentid = 0
    AND t.relnamespace <> 'plinth'::regnamespace`;

/**
 * Removes users who began without an account, made none, and have no session any more: nobody can be them again. Those
 * whom a record refers to by a foreign key stay, whatever that says of the deletion of a user.
 */
export async function removeUnusedAnonymous(days: number, dataSource: DataSource): Promise<void> {
  const references = await dataSource.query<{ table: string; column: string }[]>(REFERENCES);
  const unreferred = references
    .map(({ table, column }) => `AND NOT EXISTS (SELECT FROM ${table} r WHERE r.${column} = u.id)`)
    .join(' ');
  await dataSource.query(
    `DELETE FROM plinth.users WHERE id IN (
       SELECT u.id FROM plinth.users u
       WHERE u.is_anonymous AND u.created_at < now() - make_interval(days => $1)
         AND NOT EXISTS (SELECT FROM plinth.sessions s WHERE s.user_id = u.id AND s.expires_at > now())
         ${unreferred}
       ORDER BY u.created_at LIMIT ${BATCH})`,
    [days],
  );
}
