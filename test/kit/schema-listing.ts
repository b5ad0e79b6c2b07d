import type { TestDatabase } from './database.js';

/**
 * Everything that a schema has, as the catalog writes it. Columns stand in their order, without the numbers that columns
 * which are gone have left behind.
 */
const LISTING = `
  WITH relations AS (
    SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY ($1)
  )
  SELECT format('relation %s %s %s', oid::regclass, relkind, reloptions) AS line FROM relations
  UNION ALL
  SELECT format('column %s.%s %s %s not null %s collation %s default %s identity %s', r.oid::regclass, attname,
    rank() OVER (PARTITION BY attrelid ORDER BY attnum), format_type(atttypid, atttypmod), attnotnull,
    attcollation::regcollation, pg_get_expr(d.adbin, d.adrelid), attidentity)
  FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (attrelid, attnum)
  WHERE attnum > 0 AND NOT attisdropped AND relkind <> 'i'
  UNION ALL
  SELECT format('index %s', pg_get_indexdef(oid)) FROM relations WHERE relkind = 'i'
  UNION ALL
  SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(o.oid))
  FROM pg_constraint o JOIN relations r ON r.oid = conrelid
  UNION ALL
  SELECT format('trigger %s enabled %s', pg_get_triggerdef(t.oid), tgenabled)
  FROM pg_trigger t JOIN relations r ON r.oid = tgrelid WHERE NOT tgisinternal
  UNION ALL
  SELECT format('function %s', pg_get_functiondef(p.oid))
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ANY ($1)
  UNION ALL
  SELECT format('type %s %s', typname, typtype)
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = ANY ($1)
  UNION ALL
  SELECT format('grant on %s %s', oid::regclass, relacl) FROM relations WHERE relacl IS NOT NULL
  UNION ALL
  SELECT format('comment on %s %s: %s', r.oid::regclass, objsubid, description)
  FROM pg_description JOIN relations r ON r.oid = objoid AND classoid = 'pg_class'::regclass
  UNION ALL
  SELECT format('comment on %s: %s', p.oid::regprocedure, description)
  FROM pg_description JOIN pg_proc p ON p.oid = objoid AND classoid = 'pg_proc'::regclass
    JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ANY ($1)
  UNION ALL
  SELECT format('schema %s: %s', nspname, obj_description(oid)) FROM pg_namespace WHERE nspname = ANY ($1)
  ORDER BY line`;

export async function listSchemas(
  database: TestDatabase,
  schemas: readonly string[],
): Promise<readonly string[]> {
  return (await database.query<{ line: string }>(LISTING, [schemas])).map(({ line }) => line);
}
