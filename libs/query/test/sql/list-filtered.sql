SELECT coalesce(json_agg(r.*)::text, '[]') AS data, CASE WHEN count(*) > 50 THEN json_build_array((array_agg(p.k0))[50]::text, (array_agg(p.id))[50]::text)::text END AS next
FROM (
  SELECT t0.id, t0.title, t0.published_at AS k0
  FROM "public"."posts" t0
  LEFT JOIN "public"."users" t1 ON t1.id = t0.author_id
  WHERE (t0.status = $1::public.post_status AND t0.views >= $2::int8 AND t1.name LIKE $3::text AND EXISTS (
    SELECT 1
    FROM "public"."comments" t2
    WHERE t2.post_id = t0.id AND t2.approved
  ))
  ORDER BY t0.published_at DESC, t0.id DESC
  LIMIT 51
) p
CROSS JOIN LATERAL (
  SELECT p.id, p.title
) r
