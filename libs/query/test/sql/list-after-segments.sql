SELECT coalesce(json_agg(r.*)::text, '[]') AS data, CASE WHEN count(*) > 10 THEN json_build_array((array_agg(p.k0))[10]::text, (array_agg(p.k1))[10]::text)::text END AS next
FROM (
  SELECT t0.title, t0.published_at AS k0, t0.id AS k1
  FROM "public"."posts" t0
  ORDER BY t0.published_at, t0.id DESC
  LIMIT 11
) p
CROSS JOIN LATERAL (
  SELECT p.title
) r
