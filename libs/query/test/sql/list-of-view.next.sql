SELECT coalesce(json_agg(p.*)::text, '[]') AS data, CASE WHEN count(*) > 10 THEN json_build_array()::text END AS next
FROM (
  SELECT t0.title, t0.status
  FROM "public"."post_titles" t0
  ORDER BY t0.title, t0.status
  LIMIT 11 OFFSET $1::int8
) p
