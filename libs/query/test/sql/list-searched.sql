SELECT coalesce(json_agg(p.*)::text, '[]') AS data, CASE WHEN count(*) > 50 THEN json_build_array((array_agg(p.id))[50]::text)::text END AS next
FROM (
  SELECT t0.id
  FROM "public"."posts" t0
  WHERE to_tsvector('simple', left(coalesce(t0.title, '') || ' ' || coalesce(t0.body, ''), 100000)) @@ websearch_to_tsquery('simple', $1::text)
  ORDER BY t0.id
  LIMIT 51
) p
