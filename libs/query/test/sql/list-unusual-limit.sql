SELECT coalesce(json_agg(p.*)::text, '[]') AS data, CASE WHEN count(*) > $1::int8 THEN json_build_array((array_agg(p.id))[$1::int8]::text)::text END AS next
FROM (
  SELECT t0.id, t0.name
  FROM "public"."tags" t0
  ORDER BY t0.id
  LIMIT $1::int8 + 1 OFFSET $2::int8
) p
