INSERT INTO "public"."posts" AS t (title)
VALUES ($1::text)
RETURNING 'done', 1, 1, array_to_json(ARRAY[(t.id)::text])::text, t.xmin::text || '-' || t.ctid::text, NULL;
