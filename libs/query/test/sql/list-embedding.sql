SELECT coalesce(json_agg(p.*)::text, '[]') AS data, CASE WHEN count(*) > 20 THEN json_build_array((array_agg(p.id))[20]::text)::text END AS next
FROM (
  SELECT t0.id, t0.title, (
    SELECT row_to_json(r.*)
    FROM (
      SELECT t1.name, (
        SELECT row_to_json(r.*)
        FROM (
          SELECT t2.name
          FROM "public"."companies" t2
          WHERE t2.id = t1.company_id
        ) r
      ) AS company
      FROM "public"."users" t1
      WHERE t1.id = t0.author_id
    ) r
  ) AS author, (
    SELECT coalesce(array_to_json(array_agg(r.*)), '[]')
    FROM (
      SELECT t4.name
      FROM "public"."post_tags" t3
      JOIN "public"."tags" t4 ON t4.id = t3.tag_id
      WHERE t3.post_id = t0.id
      ORDER BY t4.id
      LIMIT 50
    ) r
  ) AS tags, (
    SELECT coalesce(array_to_json(array_agg(r.*)), '[]')
    FROM (
      SELECT t5.body, (
        SELECT row_to_json(r.*)
        FROM (
          SELECT t6.name
          FROM "public"."users" t6
          WHERE t6.id = t5.author_id
        ) r
      ) AS author
      FROM "public"."comments" t5
      LEFT JOIN "public"."users" t7 ON t7.id = t5.author_id
      WHERE t5.post_id = t0.id AND (t5.approved AND t5.body LIKE $1::text)
      ORDER BY t7.name DESC, t5.id DESC
      LIMIT $2::int8
    ) r
  ) AS comments
  FROM "public"."posts" t0
  ORDER BY t0.id
  LIMIT 21
) p
