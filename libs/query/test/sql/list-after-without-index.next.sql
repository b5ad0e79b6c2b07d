SELECT coalesce(json_agg(r.*)::text, '[]') AS data, CASE WHEN count(*) > 10 THEN json_build_array((array_agg(p.k0))[10]::text, (array_agg(p.k1))[10]::text, (array_agg(p.id))[10]::text)::text END AS next
FROM (
  SELECT t0.id, t0.title AS k0, t1.name AS k1
  FROM "public"."posts" t0
  LEFT JOIN "public"."users" t1 ON t1.id = t0.author_id
  WHERE t0.title <= $1::text AND ((t0.title = $1::text AND t1.name = $2::text AND t0.id > $3::integer) OR (t0.title = $1::text AND t1.name > $2::text) OR (t0.title = $1::text AND t1.name IS NULL) OR (t0.title < $1::text))
  ORDER BY t0.title DESC, t1.name, t0.id
  LIMIT 11
) p
CROSS JOIN LATERAL (
  SELECT p.id
) r
