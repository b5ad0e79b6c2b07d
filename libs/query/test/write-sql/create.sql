INSERT INTO "public"."posts" AS t (title, photo)
VALUES ($1::text, decode($2::text, 'base64'))
RETURNING 'done', 1, 1, array_to_json(ARRAY[(t.id)::text])::text, t.xmin::text || '-' || t.ctid::text, (SELECT row_to_json(r.*) FROM (SELECT t.id, t.title) r)::text;
