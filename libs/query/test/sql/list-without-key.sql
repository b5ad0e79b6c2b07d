SELECT coalesce(json_agg(r.*)::text, '[]') AS data, CASE WHEN count(*) > 10 THEN json_build_array((array_agg(p.level))[10]::text, (array_agg(p.k1))[10]::text)::text END AS next
FROM (
  SELECT t0.level, t0.message, t0.at, t0.ctid AS k1
  FROM "public"."logs" t0
  ORDER BY t0.level, t0.ctid
  LIMIT 11
) p
CROSS JOIN LATERAL (
  SELECT p.level, p.message, p.at
) r
