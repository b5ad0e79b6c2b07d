WITH sent_0 AS MATERIALIZED (
SELECT x.slug, x.title, x.number - 1 AS ordinal FROM ROWS FROM (json_to_recordset($1::json) AS (slug text, title text)) WITH ORDINALITY AS x(slug, title, number)
),
keys AS (
SELECT x.slug AS slug, x.ordinal FROM sent_0 x
),
locked AS MATERIALIZED (
SELECT t0.id, t0.slug, t0.title, t0.owner, t0.status, t0.meta, t0.photo, t0.team_id, t0.xmin, t0.ctid FROM "public"."posts" t0 WHERE EXISTS (SELECT FROM keys k WHERE t0.slug = k.slug) ORDER BY t0.slug FOR UPDATE OF t0
),
old_0 AS MATERIALIZED (
SELECT t1.*, x.ordinal, (true) IS TRUE AS is_readable, (((t1.owner = $2::text) OR (t2.is_open))) IS TRUE AS is_permitted, true AS is_current, (t1.owner = $2::text) AS rule_0_applies, (t2.is_open) AS rule_1_applies
FROM locked t1 LEFT JOIN "public"."teams" t2 ON t2.id = t1.team_id JOIN sent_0 x ON t1.slug = x.slug
),
updated_0 AS (
UPDATE "public"."posts" AS t SET title = x.title
FROM old_0 t3 JOIN sent_0 x ON x.ordinal = t3.ordinal
WHERE t.id = t3.id AND t3.is_readable AND t3.is_permitted AND t3.is_current
RETURNING t.id, t.slug, t.title, t.owner, t.status, t.meta, t.photo, t.team_id, t.xmin, t.ctid, t3.ordinal
),
inserted_0 AS (
INSERT INTO "public"."posts" AS t (slug, title, owner, meta)
SELECT x.slug, x.title, CAST(($2::text)::text AS text), (SELECT p.value FROM json_to_record($3::json) AS p(value jsonb)) FROM sent_0 x WHERE NOT EXISTS (SELECT FROM locked locked_row WHERE locked_row.slug = x.slug) ORDER BY x.ordinal
ON CONFLICT (slug) DO NOTHING
RETURNING t.id, t.slug, t.title, t.owner, t.status, t.meta, t.photo, t.team_id, t.xmin, t.ctid
),
written AS (
SELECT *, false AS was_created FROM updated_0
UNION ALL SELECT *, true FROM (SELECT *, (ARRAY(SELECT x.ordinal FROM sent_0 x WHERE NOT EXISTS (SELECT FROM old_0 o WHERE o.ordinal = x.ordinal) ORDER BY x.ordinal))[row_number() OVER ()] AS ordinal FROM inserted_0) numbered
)
SELECT coalesce((SELECT plinth.raise('duplicate-key', coalesce(min(repeated.place)::text, ''))::text FROM (SELECT max(k.ordinal) AS place FROM keys k WHERE k.slug IS NOT NULL GROUP BY k.slug HAVING count(*) > 1) repeated HAVING count(*) > 0), (SELECT plinth.raise('conflict', coalesce(min(o.ordinal)::text, ''))::text FROM old_0 o WHERE NOT o.is_readable HAVING count(*) > 0), (SELECT plinth.raise('forbidden', coalesce(min(o.ordinal)::text, ''))::text FROM old_0 o WHERE NOT o.is_permitted HAVING count(*) > 0), CASE WHEN (SELECT count(*) FROM sent_0) > (SELECT count(*) FROM old_0) + (SELECT count(*) FROM inserted_0) THEN plinth.raise('retry')::text END, (SELECT plinth.raise('check-failed', coalesce(min(t4.ordinal)::text, ''))::text FROM updated_0 t4 JOIN old_0 t5 ON t5.ordinal = t4.ordinal WHERE ((t5.rule_0_applies AND ((t5.status COLLATE "C" = t4.status OR t5.status IS NULL AND t4.status IS NULL OR t4.status = $4::text)) OR t5.rule_1_applies)) IS NOT TRUE HAVING count(*) > 0), (SELECT plinth.raise('check-failed', coalesce(min(t6.ordinal)::text, ''))::text FROM (SELECT *, (ARRAY(SELECT x.ordinal FROM sent_0 x WHERE NOT EXISTS (SELECT FROM old_0 o WHERE o.ordinal = x.ordinal) ORDER BY x.ordinal))[row_number() OVER ()] AS ordinal FROM inserted_0) t6 LEFT JOIN "public"."teams" t7 ON t7.id = t6.team_id WHERE (((t7.is_open))) IS NOT TRUE HAVING count(*) > 0), 'done') AS outcome, (SELECT count(*) FROM written) AS written, (SELECT count(*) FROM written WHERE was_created) AS created, NULL AS key, NULL AS version, (SELECT coalesce(array_to_json(array_agg(r.*)), '[]') FROM (SELECT t8.id FROM written t8 ORDER BY t8.ordinal) r)::text AS data;
