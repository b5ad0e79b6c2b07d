WITH inserted_0 AS (
INSERT INTO "public"."posts" AS t (title, team_id, owner, meta)
SELECT x.title, x.team_id, CAST(($1::text)::text AS text), (SELECT p.value FROM json_to_record($2::json) AS p(value jsonb)) FROM json_to_recordset($3::json) AS x(title text, team_id integer)
RETURNING t.id, t.slug, t.title, t.owner, t.status, t.meta, t.photo, t.team_id, t.xmin, t.ctid
),
written AS (
SELECT *, row_number() OVER () - 1 AS ordinal FROM inserted_0
)
SELECT coalesce((SELECT plinth.raise('check-failed', coalesce(min(t0.ordinal)::text, ''))::text FROM written t0 LEFT JOIN "public"."teams" t1 ON t1.id = t0.team_id WHERE (((t1.is_open))) IS NOT TRUE HAVING count(*) > 0), 'done') AS outcome, (SELECT count(*) FROM written) AS written, (SELECT count(*) FROM written) AS created, NULL AS key, NULL AS version, (SELECT coalesce(array_to_json(array_agg(r.*)), '[]') FROM (SELECT t2.id, CASE WHEN t2.owner = $1::text THEN t2.status END AS status FROM written t2 ORDER BY t2.ordinal) r)::text AS data;
