SELECT coalesce(json_agg(row_to_json(r.*)), '[]')::text AS data
FROM (
  SELECT CASE WHEN t1.name = $1::text THEN t0.status END AS status, max(CASE WHEN t1.name = $1::text THEN t0.price END) AS max_price, count(DISTINCT CASE WHEN t1.name = $1::text THEN t1.email END) AS count_distinct_author_email
  FROM "public"."posts" t0
  LEFT JOIN "public"."users" t1 ON t1.id = t0.author_id
  WHERE (t0.status = $2::public.post_status OR t1.name = $1::text)
  GROUP BY 1
  ORDER BY 1
  LIMIT $3::int8 OFFSET $4::int8
) r
