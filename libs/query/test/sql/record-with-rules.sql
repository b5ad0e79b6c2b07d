SELECT row_to_json(r.*)::text AS data, t0.xmin::text || '-' || t0.ctid::text AS version
FROM "public"."posts" t0
LEFT JOIN "public"."users" t1 ON t1.id = t0.author_id
CROSS JOIN LATERAL (
  SELECT t0.id, t0.title, CASE WHEN t1.name = $1::text THEN t0.body END AS body
) r
WHERE t0.id = $2::integer AND (t0.status = $3::public.post_status OR t1.name = $1::text)
