WITH written AS (
INSERT INTO "public"."posts" AS t (title, photo)
SELECT x.title, decode(x.photo, 'base64') FROM json_to_recordset($1::json) AS x(title text, photo text)
RETURNING t.id, t.slug, t.title, t.owner, t.status, t.meta, t.photo, t.team_id, t.xmin, t.ctid
)
SELECT 'done' AS outcome, (SELECT count(*) FROM written) AS written, (SELECT count(*) FROM written) AS created, t1.key, t1.version, t1.data
FROM (VALUES (0)) always(present)
LEFT JOIN (SELECT array_to_json(ARRAY[(t0.id)::text])::text AS key, t0.xmin::text || '-' || t0.ctid::text AS version, (SELECT row_to_json(r.*) FROM (SELECT t0.id, t0.title) r)::text AS data FROM written t0 LIMIT 1) t1 ON true;
