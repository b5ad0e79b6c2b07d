WITH locked AS MATERIALIZED (
SELECT t0.id, t0.slug, t0.title, t0.owner, t0.status, t0.meta, t0.photo, t0.team_id, t0.xmin, t0.ctid FROM "public"."posts" t0 WHERE t0.id = $1::integer FOR NO KEY UPDATE OF t0
),
old AS MATERIALIZED (
SELECT t1.*, row_number() OVER () - 1 AS ordinal, true AS is_permitted, (t1.xmin::text || '-' || t1.ctid::text) = ANY($2::text[]) AS is_current FROM locked t1
),
written AS (
UPDATE "public"."posts" AS t SET title = x.title, meta = plinth.merge_patch(t2.meta, x.meta)
FROM old t2 CROSS JOIN json_to_recordset($3::json) AS x(title text, meta jsonb)
WHERE t.id = t2.id AND t2.is_permitted AND t2.is_current
RETURNING t.id, t.slug, t.title, t.owner, t.status, t.meta, t.photo, t.team_id, t.xmin, t.ctid, t2.ordinal
)
SELECT coalesce((SELECT CASE WHEN NOT is_permitted THEN 'forbidden' WHEN NOT is_current THEN 'precondition-failed' ELSE 'done' END FROM old), 'not-found') AS outcome, (SELECT count(*) FROM written) AS written, 0 AS created, t4.key, t4.version, t4.data
FROM (VALUES (0)) always(present)
LEFT JOIN (SELECT array_to_json(ARRAY[(t3.id)::text])::text AS key, t3.xmin::text || '-' || t3.ctid::text AS version, (SELECT row_to_json(r.*) FROM (SELECT t3.id, t3.title) r)::text AS data FROM written t3 LIMIT 1) t4 ON true;
