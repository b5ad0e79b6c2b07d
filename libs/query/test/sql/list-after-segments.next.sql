SELECT coalesce(json_agg(r.*)::text, '[]') AS data, CASE WHEN count(*) > 10 THEN json_build_array((array_agg(p.k0))[10]::text, (array_agg(p.k1))[10]::text)::text END AS next
FROM (
  SELECT *
  FROM ((
      SELECT t0.title, t0.published_at AS k0, t0.id AS k1
      FROM "public"."posts" t0
      WHERE t0.published_at = $1::timestamp with time zone AND t0.id < $2::integer
      ORDER BY t0.published_at, t0.id DESC
      LIMIT 11
    )
    UNION ALL (
      SELECT t0.title, t0.published_at AS k0, t0.id AS k1
      FROM "public"."posts" t0
      WHERE t0.published_at > $1::timestamp with time zone
      ORDER BY t0.published_at, t0.id DESC
      LIMIT 11
    )
    UNION ALL (
      SELECT t0.title, t0.published_at AS k0, t0.id AS k1
      FROM "public"."posts" t0
      WHERE t0.published_at IS NULL
      ORDER BY t0.published_at, t0.id DESC
      LIMIT 11
    )
  ) u
  LIMIT 11
) p
CROSS JOIN LATERAL (
  SELECT p.title
) r
