WITH locked AS MATERIALIZED (
SELECT t2.id, t2.slug, t2.title, t2.owner, t2.status, t2.meta, t2.photo, t2.team_id, t2.xmin, t2.ctid FROM "public"."posts" t2 WHERE (t2.id) IN (SELECT t0.id FROM "public"."posts" t0 LEFT JOIN "public"."teams" t1 ON t1.id = t0.team_id WHERE CASE WHEN t0.owner = $1::text THEN t0.status END = $2::text AND ((t1.is_open))) ORDER BY t2.id FOR UPDATE OF t2
),
old AS MATERIALIZED (
SELECT t3.*, row_number() OVER () - 1 AS ordinal, (((t4.is_open))) IS TRUE AS is_permitted, true AS is_current FROM locked t3 LEFT JOIN "public"."teams" t4 ON t4.id = t3.team_id WHERE CASE WHEN t3.owner = $1::text THEN t3.status END = $2::text AND ((t4.is_open))
),
written AS (
DELETE FROM "public"."posts" AS t USING old o
WHERE t.id = o.id AND o.is_permitted AND o.is_current
RETURNING t.id, t.slug, t.title, t.owner, t.status, t.meta, t.photo, t.team_id, t.xmin, t.ctid, o.ordinal
)
SELECT 'done' AS outcome, (SELECT count(*) FROM written) AS written, 0 AS created, NULL AS key, NULL AS version, (SELECT coalesce(array_to_json(array_agg(r.*)), '[]') FROM (SELECT t5.id FROM written t5 ORDER BY t5.ordinal) r)::text AS data;
