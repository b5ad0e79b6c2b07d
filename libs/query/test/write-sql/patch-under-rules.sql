WITH locked AS MATERIALIZED (
SELECT t0.id, t0.slug, t0.title, t0.owner, t0.status, t0.meta, t0.photo, t0.team_id, t0.xmin, t0.ctid FROM "public"."posts" t0 WHERE t0.id = $1::integer FOR NO KEY UPDATE OF t0
),
old AS MATERIALIZED (
SELECT t1.*, row_number() OVER () - 1 AS ordinal, (((t1.owner = $2::text))) IS TRUE AS is_permitted, true AS is_current FROM locked t1
),
written AS (
UPDATE "public"."posts" AS t SET title = x.title, status = x.status
FROM old t2 CROSS JOIN json_to_recordset($3::json) AS x(title text, status text)
WHERE t.id = t2.id AND t2.is_permitted AND t2.is_current
RETURNING t.id, t.slug, t.title, t.owner, t.status, t.meta, t.photo, t.team_id, t.xmin, t.ctid, t2.ordinal
)
SELECT coalesce((SELECT plinth.raise('check-failed', coalesce(min(t3.ordinal)::text, ''))::text FROM written t3 JOIN old t4 ON t4.ordinal = t3.ordinal WHERE ((((t4.status COLLATE "C" = t3.status OR t4.status IS NULL AND t3.status IS NULL OR t3.status = $4::text)))) IS NOT TRUE HAVING count(*) > 0), coalesce((SELECT CASE WHEN NOT is_permitted THEN 'forbidden' WHEN NOT is_current THEN 'precondition-failed' ELSE 'done' END FROM old), 'not-found')) AS outcome, (SELECT count(*) FROM written) AS written, 0 AS created, t6.key, t6.version, t6.data
FROM (VALUES (0)) always(present)
LEFT JOIN (SELECT array_to_json(ARRAY[(t5.id)::text])::text AS key, t5.xmin::text || '-' || t5.ctid::text AS version, (SELECT row_to_json(r.*) FROM (SELECT t5.id, CASE WHEN t5.owner = $2::text THEN t5.status END AS status) r)::text AS data FROM written t5 LIMIT 1) t6 ON true;
