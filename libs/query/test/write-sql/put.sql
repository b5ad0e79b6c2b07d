WITH sent_0 AS MATERIALIZED (
SELECT x.title, x.number - 1 AS ordinal FROM ROWS FROM (json_to_recordset($1::json) AS (title text)) WITH ORDINALITY AS x(title, number)
),
locked AS MATERIALIZED (
SELECT t0.id, t0.slug, t0.title, t0.owner, t0.status, t0.meta, t0.photo, t0.team_id, t0.xmin, t0.ctid FROM "public"."posts" t0 WHERE t0.id = $2::integer FOR UPDATE OF t0
),
old_0 AS MATERIALIZED (
SELECT t1.*, x.ordinal, (true) IS TRUE AS is_readable, true AS is_permitted, (t1.xmin::text || '-' || t1.ctid::text) = ANY($3::text[]) AS is_current
FROM locked t1 JOIN sent_0 x ON true
),
updated_0 AS (
UPDATE "public"."posts" AS t SET title = x.title, slug = DEFAULT, owner = DEFAULT, status = DEFAULT, meta = DEFAULT, photo = DEFAULT, team_id = DEFAULT
FROM old_0 t2 JOIN sent_0 x ON x.ordinal = t2.ordinal
WHERE t.id = t2.id AND t2.is_readable AND t2.is_permitted AND t2.is_current
RETURNING t.id, t.slug, t.title, t.owner, t.status, t.meta, t.photo, t.team_id, t.xmin, t.ctid, t2.ordinal
),
written AS (
SELECT *, false AS was_created FROM updated_0
)
SELECT coalesce((SELECT plinth.raise('conflict', coalesce(min(o.ordinal)::text, ''))::text FROM old_0 o WHERE NOT o.is_readable HAVING count(*) > 0), (SELECT plinth.raise('forbidden', coalesce(min(o.ordinal)::text, ''))::text FROM old_0 o WHERE NOT o.is_permitted HAVING count(*) > 0), (SELECT plinth.raise('precondition-failed', coalesce(min(o.ordinal)::text, ''))::text FROM old_0 o WHERE NOT o.is_current HAVING count(*) > 0), CASE WHEN NOT EXISTS (SELECT FROM locked) THEN plinth.raise('precondition-failed')::text END, 'done') AS outcome, (SELECT count(*) FROM written) AS written, (SELECT count(*) FROM written WHERE was_created) AS created, t4.key, t4.version, t4.data
FROM (VALUES (0)) always(present)
LEFT JOIN (SELECT array_to_json(ARRAY[(t3.id)::text])::text AS key, t3.xmin::text || '-' || t3.ctid::text AS version, (SELECT row_to_json(r.*) FROM (SELECT t3.id) r)::text AS data FROM written t3 LIMIT 1) t4 ON true;
