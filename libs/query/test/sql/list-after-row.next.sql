SELECT coalesce(json_agg(p.*)::text, '[]') AS data, CASE WHEN count(*) > 10 THEN json_build_array((array_agg(p.id))[10]::text)::text END AS next
FROM (
  SELECT t0.id
  FROM "public"."comments" t0
  WHERE t0.id > $1::integer
  ORDER BY t0.id
  LIMIT 11
) p
