WITH inserted_0 AS (
INSERT INTO "public"."posts" AS t (title)
SELECT x.title FROM json_to_recordset($1::json) AS x(title text)
RETURNING t.id, t.slug, t.title, t.owner, t.status, t.meta, t.photo, t.team_id, t.xmin, t.ctid
),
inserted_1 AS (
INSERT INTO "public"."posts" AS t (title, status)
SELECT x.title, x.status FROM json_to_recordset($2::json) AS x(title text, status text)
RETURNING t.id, t.slug, t.title, t.owner, t.status, t.meta, t.photo, t.team_id, t.xmin, t.ctid
),
written AS (
SELECT *, ($3::int4[])[row_number() OVER ()] AS ordinal FROM inserted_0
UNION ALL SELECT *, ($4::int4[])[row_number() OVER ()] AS ordinal FROM inserted_1
)
SELECT 'done' AS outcome, (SELECT count(*) FROM written) AS written, (SELECT count(*) FROM written) AS created, NULL AS key, NULL AS version, (SELECT coalesce(array_to_json(array_agg(r.*)), '[]') FROM (SELECT t0.id FROM written t0 ORDER BY t0.ordinal) r)::text AS data;
