SELECT row_to_json(r.*)::text AS data, t0.xmin::text || '-' || t0.ctid::text AS version
FROM "public"."posts" t0
CROSS JOIN LATERAL (
  SELECT t0.id, t0.title, translate(encode(t0.raw, 'base64'), E'\n', '') AS raw, (
    SELECT row_to_json(r.*)
    FROM (
      SELECT t1.name
      FROM "public"."users" t1
      WHERE t1.id = t0.author_id
    ) r
  ) AS author
) r
WHERE t0.id = $1::integer
