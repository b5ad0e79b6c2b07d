WITH locked AS MATERIALIZED (
SELECT t0.id, t0.slug, t0.title, t0.owner, t0.status, t0.meta, t0.photo, t0.team_id, t0.xmin, t0.ctid FROM "public"."posts" t0 WHERE t0.id = $1::integer FOR UPDATE OF t0
),
old AS MATERIALIZED (
SELECT t1.*, row_number() OVER () - 1 AS ordinal, true AS is_permitted, true AS is_current FROM locked t1
),
written AS (
DELETE FROM "public"."posts" AS t USING old o
WHERE t.id = o.id AND o.is_permitted AND o.is_current
RETURNING t.id, t.slug, t.title, t.owner, t.status, t.meta, t.photo, t.team_id, t.xmin, t.ctid, o.ordinal
)
SELECT coalesce((SELECT CASE WHEN NOT is_permitted THEN 'forbidden' WHEN NOT is_current THEN 'precondition-failed' ELSE 'done' END FROM old), 'not-found') AS outcome, (SELECT count(*) FROM written) AS written, 0 AS created, t3.key, t3.version, t3.data
FROM (VALUES (0)) always(present)
LEFT JOIN (SELECT array_to_json(ARRAY[(t2.id)::text])::text AS key, t2.xmin::text || '-' || t2.ctid::text AS version, NULL::text AS data FROM written t2 LIMIT 1) t3 ON true;
