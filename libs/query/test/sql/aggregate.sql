SELECT coalesce(json_agg(row_to_json(r.*)), '[]')::text AS data
FROM (
  SELECT date_trunc('month', t0.published_at) AS published_at_month, t1.name AS author_name, count(*) AS count, sum(t0.views) AS sum_views
  FROM "public"."posts" t0
  LEFT JOIN "public"."users" t1 ON t1.id = t0.author_id
  WHERE t0.views > $1::int8
  GROUP BY 1, 2
  ORDER BY 3 DESC, 1, 2
  LIMIT $2::int8 OFFSET $3::int8
) r
