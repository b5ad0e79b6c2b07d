import { escapeIdentifier, escapeLiteral } from 'pg';
import type { TestDatabase } from './database.js';
import { ROLE_PREFIX } from './role-name.js';

/** What is noted beside requests, whether they write or not. */
const VOLATILE = `'last_used_at'`;

/**
 * A digest of the rows of every table, by `schema.table`, Plinth's own tables among them; and one of the catalog's own
 * lists of relations, columns, functions, types, roles and constraints. Two states are equal where nothing was touched,
 * whatever roles the tests beside it make.
 */
export async function readState(database: TestDatabase): Promise<Readonly<Record<string, string>>> {
  const tables = await database.query<{ schema: string; name: string }>(`
    SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1, 2`);
  const digests = tables.map(
    ({ schema, name }) => `
      SELECT ${escapeLiteral(`${schema}.${name}`)} AS key,
        md5(coalesce(string_agg(md5((to_jsonb(t) - ${VOLATILE})::text), '' ORDER BY (to_jsonb(t) - ${VOLATILE})::text), '')) AS digest
      FROM ${escapeIdentifier(schema)}.${escapeIdentifier(name)} t`,
  );
  const rows = await database.query<{ key: string; digest: string }>(
    [...digests, CATALOG].join(' UNION ALL '),
  );
  return Object.fromEntries(rows.map(({ key, digest }) => [key, digest]));
}

const CATALOG = `
  SELECT 'catalog', md5(string_agg(line, '' ORDER BY line)) FROM (
    SELECT concat_ws(' ', 'relation', relnamespace, relname, relkind, relowner, relacl) FROM pg_class
      WHERE relpersistence <> 't'
    UNION ALL SELECT concat_ws(' ', 'column', attrelid, attname, atttypid, attnotnull, attacl) FROM pg_attribute
      JOIN pg_class ON pg_class.oid = attrelid WHERE relpersistence <> 't'
    UNION ALL SELECT concat_ws(' ', 'function', pronamespace, proname, prosrc, proacl) FROM pg_proc
    UNION ALL SELECT concat_ws(' ', 'type', typnamespace, typname) FROM pg_type
    UNION ALL SELECT concat_ws(' ', 'label', enumtypid, enumlabel) FROM pg_enum
    UNION ALL SELECT concat_ws(' ', 'constraint', conrelid, conname) FROM pg_constraint
    UNION ALL SELECT concat_ws(' ', 'role', rolname, rolsuper) FROM pg_roles
      WHERE NOT starts_with(rolname, ${escapeLiteral(ROLE_PREFIX)})
  ) AS catalog (line)`;
