SELECT coalesce(json_agg(r.*)::text, '[]') AS data, CASE WHEN count(*) > 2 THEN json_build_array((array_agg(p.k0))[2]::text, (array_agg(p.id))[2]::text)::text END AS next
FROM (
  SELECT t0.id, CASE WHEN t1.name = $1::text THEN t0.body END AS body, (
    SELECT row_to_json(r.*)
    FROM (
      SELECT t2.name, CASE WHEN t2.name = $1::text THEN t2.email END AS email
      FROM "public"."users" t2
      WHERE t2.id = t0.author_id
    ) r
  ) AS author, (
    SELECT coalesce(array_to_json(array_agg(r.*)), '[]')
    FROM (
      SELECT t3.id
      FROM "public"."comments" t3
      WHERE t3.post_id = t0.id AND t3.approved
      ORDER BY t3.id
      LIMIT 50
    ) r
  ) AS comments, CASE WHEN t1.name = $1::text THEN t0.views END AS k0
  FROM "public"."posts" t0
  LEFT JOIN "public"."users" t1 ON t1.id = t0.author_id
  WHERE (t0.status = $2::public.post_status OR t1.name = $1::text) AND CASE WHEN t1.name = $1::text THEN t0.price END > $3::numeric AND ((CASE WHEN t1.name = $1::text THEN t0.views END = $4::integer AND t0.id > $5::integer) OR (CASE WHEN t1.name = $1::text THEN t0.views END > $4::integer) OR (CASE WHEN t1.name = $1::text THEN t0.views END IS NULL))
  ORDER BY CASE WHEN t1.name = $1::text THEN t0.views END, t0.id
  LIMIT 3
) p
CROSS JOIN LATERAL (
  SELECT p.id, p.body, p.author, p.comments
) r
