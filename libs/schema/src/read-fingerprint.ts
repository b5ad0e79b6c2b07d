import { exposedSchemas, READABLE_SYSTEM_TABLES } from './exposed-schemas.js';
import type { CatalogClient } from './read-catalog.js';

/**
 * Which transactions wrote the rows that a catalog is made of: for each system table, how many rows there are and the
 * sum of their `xmin`. An insert, update or delete changes one of the two. Statistics (VACUUM, ANALYZE) are written in
 * place and do not, and temporary tables are not looked at. The role's own attributes cannot be read that way by
 * everyone, so they are there as they are.
 */
const FINGERPRINT_SQL = `
WITH me AS MATERIALIZED (
  SELECT r.rolname, r.rolsuper FROM pg_roles r WHERE r.rolname = current_user
),
space AS MATERIALIZED (
  SELECT n.oid, n.xmin, n.nspname::text = ANY ($1::text[]) AS is_exposed
  FROM pg_namespace n
  WHERE n.nspname !~ '^pg_(toast_)?temp_'
),
relation AS MATERIALIZED (
  SELECT c.oid, c.xmin, c.relkind
  FROM pg_class c JOIN space s ON s.oid = c.relnamespace
  WHERE s.is_exposed OR c.relkind = 'c' OR c.oid = ANY (SELECT to_regclass(t.name) FROM unnest($2::text[]) t(name))
),
written(place, xmin) AS (
  SELECT 1, s.xmin FROM space s
  UNION ALL SELECT 2, r.xmin FROM relation r
  UNION ALL SELECT 3, a.xmin FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0
    WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
  UNION ALL SELECT 4, d.xmin FROM relation r JOIN pg_attrdef d ON d.adrelid = r.oid
  UNION ALL SELECT 5, k.xmin FROM space s JOIN pg_constraint k ON k.connamespace = s.oid
  UNION ALL SELECT 6, i.xmin FROM relation r JOIN pg_index i ON i.indexrelid = r.oid
  UNION ALL SELECT 7, t.xmin FROM pg_type t WHERE t.typtype IN ('d', 'e', 'r')
  UNION ALL SELECT 8, e.xmin FROM pg_enum e
  UNION ALL SELECT 9, d.xmin FROM relation r
    JOIN pg_description d ON d.objoid = r.oid AND d.classoid = 'pg_class'::regclass
  UNION ALL SELECT 10, w.xmin FROM relation r JOIN pg_rewrite w ON w.ev_class = r.oid
  UNION ALL SELECT 11, t.xmin FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
  UNION ALL SELECT 12, d.xmin FROM pg_depend d WHERE d.refclassid = 'pg_extension'::regclass
  UNION ALL SELECT 13, t.xmin FROM pg_foreign_table t
  UNION ALL SELECT 14, s.xmin FROM pg_foreign_server s
  UNION ALL SELECT 15, m.xmin FROM me JOIN pg_auth_members m ON NOT me.rolsuper AND pg_has_role(m.member, 'USAGE')
)
SELECT md5(concat_ws(',',
  (SELECT concat_ws(':', me.rolname, me.rolsuper) FROM me),
  (SELECT string_agg(concat_ws(':', place, amount, total), ',' ORDER BY place)
    FROM (SELECT place, count(*) AS amount, sum(xmin::text::int8) AS total FROM written GROUP BY place) summed)
)) AS fingerprint`;

/**
 * A text that changes whenever `readCatalog` could give something else, for a small part of its cost; it may also
 * change where the catalog does not. For polling, where nothing tells of changes.
 * @throws the client's error
 */
export async function readFingerprint(
  client: CatalogClient,
  options: { readonly schemas: readonly string[] },
): Promise<string> {
  const { rows } = await client.query(FINGERPRINT_SQL, [
    exposedSchemas(options.schemas),
    READABLE_SYSTEM_TABLES,
  ]);
  const fingerprint = rows[0]?.['fingerprint'];
  if (typeof fingerprint !== 'string') throw new TypeError('The fingerprint statement gave no text.');
  return fingerprint;
}
