SELECT coalesce(json_agg(p.*)::text, '[]') AS data, CASE WHEN count(*) > 50 THEN json_build_array((array_agg(p.id))[50]::text)::text END AS next, (
  SELECT count(*)
  FROM "public"."posts" t1
  WHERE t1.views > $1::int8
) AS total
FROM (
  SELECT t0.id
  FROM "public"."posts" t0
  WHERE t0.views > $1::int8
  ORDER BY t0.id
  LIMIT 51
) p
