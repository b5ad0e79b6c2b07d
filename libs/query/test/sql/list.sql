SELECT coalesce(json_agg(p.*)::text, '[]') AS data, CASE WHEN count(*) > 50 THEN json_build_array((array_agg(p.id))[50]::text)::text END AS next
FROM (
  SELECT t0.id, t0.post_id, t0.author_id, t0.body, t0.approved, t0.parent_id
  FROM "public"."comments" t0
  ORDER BY t0.id
  LIMIT 51
) p
