/**
 * One statement, so that all parts of the answer are of one snapshot. It gives one row with one column `catalog`: the
 * JSON text of `CatalogRows`.
 *
 * Only what every version since PostgreSQL 14 has is named; columns of later versions are taken out of `to_jsonb(row)`,
 * where a missing one is null. Everything is ordered, because the text is also what the catalog's version is made of.
 * Small aggregates are joined rather than asked for row by row, and the types to start from go through an array, so that
 * the planner's estimate stays too low for a server's JIT compiler, which would take longer than the statement.
 *
 * Functions that print an expression over a table, or look through a view, lock what they speak of. While somebody holds
 * a table exclusively (a migration, VACUUM FULL, the refresh of a materialised view) they would wait for as long as that
 * takes, and the catalog with them. So they are not asked about such tables, and give null where `isBusy` is true.
 */
export const CATALOG_SQL = `
WITH RECURSIVE relation AS MATERIALIZED (
  SELECT c.oid, n.oid AS schema_oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.relhassubclass
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE (n.nspname::text = ANY ($1::text[]) OR concat(n.nspname, '.', c.relname) = ANY ($2::text[]))
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT c.relispartition
    AND c.relpersistence <> 't'
    AND NOT EXISTS (
      SELECT FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'
    )
),
field AS MATERIALIZED (
  SELECT r.oid AS relation, r.kind, r.relhassubclass, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attnotnull,
    a.attidentity, a.attgenerated, a.atthasdef
  FROM relation r
  JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
),
exclusive AS MATERIALIZED (
  SELECT DISTINCT l.relation AS oid
  FROM pg_locks l
  WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_backend_pid()
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
),
busy AS MATERIALIZED (
  SELECT r.oid FROM relation r WHERE r.oid IN (SELECT e.oid FROM exclusive e)
  -- Views, where anything that some view looks at is held; to follow which one that is would lock again.
  UNION SELECT r.oid FROM relation r
  WHERE r.kind = 'v' AND EXISTS (
    SELECT FROM exclusive e
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = e.oid AND d.classid = 'pg_rewrite'::regclass
  )
),
used_type(oid) AS (
  SELECT type FROM unnest(ARRAY(SELECT DISTINCT atttypid FROM field)) type
  UNION
  SELECT part.oid
  FROM used_type u
  JOIN pg_type t ON t.oid = u.oid
  CROSS JOIN LATERAL (
    SELECT t.typbasetype
    UNION ALL SELECT t.typelem WHERE t.typlen = -1
    UNION ALL SELECT a.atttypid FROM pg_attribute a
      WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT g.rngsubtype FROM pg_range g
      WHERE t.typtype IN ('r', 'm') AND (g.rngtypid = t.oid OR g.rngmultitypid = t.oid)
  ) part(oid)
  WHERE part.oid <> 0
)
SELECT json_build_object(
  'collections', (
    SELECT json_agg(json_build_object(
      'oid', r.oid::int8,
      'schema', r.schema,
      'table', r.name,
      'kind', r.kind,
      'comment', d.description,
      'isReadOnly', r.schema <> ALL ($1::text[]),
      'isBusy', b.oid IS NOT NULL,
      'events', CASE WHEN b.oid IS NULL AND (r.kind = 'v' OR EXISTS (
        SELECT FROM pg_foreign_table t
        JOIN pg_foreign_server s ON s.oid = t.ftserver
        JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
        WHERE t.ftrelid = r.oid AND w.fdwhandler <> 0
      )) THEN pg_relation_is_updatable(r.oid, true) END,
      'triggerEvents', t.events,
      'divertsWrites', r.relhassubclass OR t.has_before IS TRUE OR EXISTS (
        SELECT FROM pg_rewrite w WHERE w.ev_class = r.oid AND w.ev_type <> '1'
      ),
      'hasUsage', has_schema_privilege(r.schema_oid, 'USAGE'),
      'select', has_table_privilege(r.oid, 'SELECT'),
      'insert', has_table_privilege(r.oid, 'INSERT'),
      'update', has_table_privilege(r.oid, 'UPDATE'),
      'delete', has_table_privilege(r.oid, 'DELETE')
    ) ORDER BY r.schema, r.name)
    FROM relation r
    LEFT JOIN busy b ON b.oid = r.oid
    LEFT JOIN pg_description d ON d.objoid = r.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
    LEFT JOIN (
      SELECT t.tgrelid, bit_or(t.tgtype) FILTER (WHERE t.tgtype & 64 <> 0) AS events,
        bool_or(t.tgtype & 2 <> 0) AS has_before
      FROM pg_trigger t
      WHERE NOT t.tgisinternal
      GROUP BY t.tgrelid
    ) t ON t.tgrelid = r.oid
  ),
  'fields', (
    SELECT json_agg(json_build_object(
      'collection', f.relation::int8,
      'position', f.attnum,
      'name', f.attname,
      'type', f.atttypid::int8,
      'modifier', f.atttypmod,
      'formatted', CASE WHEN f.atttypmod >= 0 THEN format_type(f.atttypid, f.atttypmod) END,
      'notNull', f.attnotnull AND k.holds IS NOT FALSE,
      'default', CASE WHEN f.attgenerated = '' THEN coalesce(pg_get_expr(v.adbin, 0), t.typdefault) END,
      'identity', f.attidentity,
      'generated', f.attgenerated,
      'comment', d.description,
      'isNondeterministic', c.oid IS NOT NULL,
      'updatable', CASE WHEN f.kind = 'v' AND b.oid IS NULL THEN pg_column_is_updatable(f.relation, f.attnum, true) END
    ) ORDER BY f.relation, f.attnum)
    FROM field f
    LEFT JOIN busy b ON b.oid = f.relation
    LEFT JOIN pg_type t ON t.oid = f.atttypid AND t.typtype = 'd' AND f.kind IN ('r', 'p', 'f')
    LEFT JOIN pg_collation c ON c.oid = f.attcollation AND NOT c.collisdeterministic
    LEFT JOIN pg_attrdef v ON f.atthasdef AND v.adrelid = f.relation AND v.adnum = f.attnum
    LEFT JOIN pg_description d ON d.objoid = f.relation AND d.classoid = 'pg_class'::regclass AND d.objsubid = f.attnum
    LEFT JOIN (
      SELECT k.conrelid, k.conkey[1] AS attnum, bool_and(k.convalidated AND NOT (k.connoinherit AND r.relhassubclass)) AS holds
      FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype = 'n'
      GROUP BY 1, 2
    ) k ON k.conrelid = f.relation AND k.attnum = f.attnum
  ),
  'types', (
    SELECT json_agg(json_build_object(
      'oid', t.oid::int8,
      'kind', t.typtype,
      'schema', n.nspname,
      'name', t.typname,
      'qualified', format('%I.%I', n.nspname, t.typname),
      'formatted', format_type(t.oid, -1),
      'notNull', t.typnotnull,
      'base', t.typbasetype::int8,
      'baseModifier', t.typtypmod,
      'baseFormatted', CASE WHEN t.typtypmod >= 0 THEN format_type(t.typbasetype, t.typtypmod) END,
      'element', CASE WHEN t.typlen = -1 THEN t.typelem::int8 ELSE 0 END,
      'labels', e.labels,
      'checks', k.checks,
      'attributes', a.attributes,
      'subtype', g.rngsubtype::int8
    ) ORDER BY t.oid)
    FROM pg_type t
    JOIN pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN (
      SELECT e.enumtypid, json_agg(e.enumlabel ORDER BY e.enumsortorder) AS labels FROM pg_enum e GROUP BY e.enumtypid
    ) e ON e.enumtypid = t.oid
    LEFT JOIN (
      SELECT k.contypid, json_agg(pg_get_constraintdef(k.oid) ORDER BY k.conname) AS checks
      FROM pg_constraint k
      WHERE k.contypid IN (SELECT u.oid FROM used_type u) AND k.contype = 'c'
      GROUP BY k.contypid
    ) k ON k.contypid = t.oid
    LEFT JOIN (
      SELECT c.reltype, json_agg(json_build_object(
        'name', a.attname,
        'type', a.atttypid::int8,
        'modifier', a.atttypmod,
        'formatted', CASE WHEN a.atttypmod >= 0 THEN format_type(a.atttypid, a.atttypmod) END
      ) ORDER BY a.attnum) AS attributes
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.reltype IN (SELECT u.oid FROM used_type u)
      GROUP BY c.reltype
    ) a ON a.reltype = t.oid
    LEFT JOIN pg_range g ON t.oid IN (g.rngtypid, g.rngmultitypid)
    WHERE t.oid IN (SELECT u.oid FROM used_type u)
  ),
  'indexes', (
    SELECT json_agg(json_build_object(
      'collection', i.indrelid::int8,
      'name', c.relname,
      'positions', to_json(i.indkey::int2[]),
      'keyCount', i.indnkeyatts,
      'isUnique', i.indisunique AND i.indisvalid AND i.indislive,
      'isPrimary', i.indisprimary,
      'isTemporal', i.indisexclusion,
      'isDeferrable', NOT i.indimmediate,
      'isPartial', i.indpred IS NOT NULL,
      'nullsNotDistinct', coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
      'method', m.amname,
      'predicate', CASE WHEN b.oid IS NULL THEN pg_get_expr(i.indpred, i.indrelid) END,
      'definition', CASE WHEN b.oid IS NULL THEN pg_get_indexdef(i.indexrelid) END
    ) ORDER BY i.indrelid, c.relname)
    FROM relation r
    JOIN pg_index i ON i.indrelid = r.oid
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am m ON m.oid = c.relam
    LEFT JOIN busy b ON b.oid = r.oid
  ),
  'checks', (
    SELECT json_agg(json_build_object(
      'collection', k.conrelid::int8,
      'name', k.conname,
      'positions', k.conkey,
      'definition', CASE WHEN b.oid IS NULL THEN pg_get_constraintdef(k.oid) END
    ) ORDER BY k.conrelid, k.conname)
    FROM relation r
    JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype = 'c'
    LEFT JOIN busy b ON b.oid = r.oid
  ),
  'foreignKeys', (
    SELECT json_agg(json_build_object(
      'collection', k.conrelid::int8,
      'name', k.conname,
      'positions', k.conkey,
      'target', k.confrelid::int8,
      'targetSchema', n.nspname,
      'targetTable', c.relname,
      'targetFields', (
        SELECT json_agg(a.attname ORDER BY p.place)
        FROM unnest(k.confkey) WITH ORDINALITY p(attnum, place)
        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = p.attnum
      ),
      'onDelete', k.confdeltype,
      'onUpdate', k.confupdtype,
      'isProven', k.convalidated AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true),
      'isTemporal', coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false)
    ) ORDER BY k.conrelid, k.conname)
    FROM relation r
    JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype = 'f' AND k.conparentid = 0
    JOIN pg_class c ON c.oid = k.confrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
  )
)::text AS catalog`;
