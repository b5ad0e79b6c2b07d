WITH locked AS MATERIALIZED (
SELECT t2.id, t2.slug, t2.title, t2.owner, t2.status, t2.meta, t2.photo, t2.team_id, t2.xmin, t2.ctid FROM "public"."posts" t2 WHERE (t2.id) IN (SELECT t0.id FROM "public"."posts" t0 LEFT JOIN "public"."teams" t1 ON t1.id = t0.team_id WHERE t0.owner = $1::text AND ((t0.owner = $2::text) OR (t1.is_open))) ORDER BY t2.id FOR NO KEY UPDATE OF t2
),
old AS MATERIALIZED (
SELECT t3.*, row_number() OVER () - 1 AS ordinal, (((t3.owner = $2::text) OR (t4.is_open))) IS TRUE AS is_permitted, true AS is_current, (t3.owner = $2::text) AS rule_0_applies, (t4.is_open) AS rule_1_applies FROM locked t3 LEFT JOIN "public"."teams" t4 ON t4.id = t3.team_id WHERE t3.owner = $1::text AND ((t3.owner = $2::text) OR (t4.is_open))
),
written AS (
UPDATE "public"."posts" AS t SET title = x.title
FROM old t5 CROSS JOIN json_to_recordset($3::json) AS x(title text)
WHERE t.id = t5.id AND t5.is_permitted AND t5.is_current
RETURNING t.id, t.slug, t.title, t.owner, t.status, t.meta, t.photo, t.team_id, t.xmin, t.ctid, t5.ordinal
)
SELECT coalesce((SELECT plinth.raise('check-failed', coalesce(min(t6.ordinal)::text, ''))::text FROM written t6 JOIN old t7 ON t7.ordinal = t6.ordinal WHERE ((t7.rule_0_applies AND ((t7.status COLLATE "C" = t6.status OR t7.status IS NULL AND t6.status IS NULL OR t6.status = $4::text)) OR t7.rule_1_applies)) IS NOT TRUE HAVING count(*) > 0), 'done') AS outcome, (SELECT count(*) FROM written) AS written, 0 AS created, NULL AS key, NULL AS version, (SELECT coalesce(array_to_json(array_agg(r.*)), '[]') FROM (SELECT t8.id FROM written t8 ORDER BY t8.ordinal) r)::text AS data;
