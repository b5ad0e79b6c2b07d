UPDATE "public"."posts" AS t0 SET title = $1::text, meta = plinth.merge_patch(t0.meta, $2::jsonb) WHERE t0.id = $3::integer AND (t0.xmin::text || '-' || t0.ctid::text) = ANY($4::text[])
RETURNING 'done', 1, 0, array_to_json(ARRAY[(t0.id)::text])::text, t0.xmin::text || '-' || t0.ctid::text, (SELECT row_to_json(r.*) FROM (SELECT t0.id, t0.title) r)::text;
-- Where that gives no row:
WITH written AS (
UPDATE "public"."posts" AS t0 SET title = $1::text, meta = plinth.merge_patch(t0.meta, $2::jsonb) WHERE t0.id = $3::integer AND (t0.xmin::text || '-' || t0.ctid::text) = ANY($4::text[])
RETURNING t0.id, t0.slug, t0.title, t0.owner, t0.status, t0.meta, t0.photo, t0.team_id, t0.xmin, t0.ctid
),
missed AS MATERIALIZED (
SELECT t1.ctid, true AS is_permitted, (t1.xmin::text || '-' || t1.ctid::text) = ANY($4::text[]) AS is_current FROM "public"."posts" t1 WHERE t1.id = $3::integer AND NOT EXISTS (SELECT FROM written) FOR NO KEY UPDATE OF t1
)
SELECT CASE WHEN EXISTS (SELECT FROM written) THEN 'done' ELSE coalesce((SELECT CASE WHEN NOT is_permitted THEN 'forbidden' WHEN NOT is_current THEN 'precondition-failed' WHEN ctid IS DISTINCT FROM (SELECT t2.ctid FROM "public"."posts" t2 WHERE t2.id = $3::integer) THEN plinth.raise('retry')::text ELSE 'done' END FROM missed), (SELECT 'done' FROM "public"."posts" t2 WHERE t2.id = $3::integer AND (t2.xmin::text || '-' || t2.ctid::text) = ANY($4::text[]) AND t2.xmax = pg_current_xact_id()::xid), 'not-found') END AS outcome, (SELECT count(*) FROM written) AS written, 0 AS created, t4.key, t4.version, t4.data
FROM (VALUES (0)) always(present)
LEFT JOIN (SELECT array_to_json(ARRAY[(t3.id)::text])::text AS key, t3.xmin::text || '-' || t3.ctid::text AS version, (SELECT row_to_json(r.*) FROM (SELECT t3.id, t3.title) r)::text AS data FROM written t3 LIMIT 1) t4 ON true;
