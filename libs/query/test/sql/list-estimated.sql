SELECT coalesce(json_agg(p.*)::text, '[]') AS data, CASE WHEN count(*) > 50 THEN json_build_array((array_agg(p.id))[50]::text)::text END AS next, (
  SELECT CASE WHEN c.n <= 10000 THEN c.n ELSE greatest(c.n, (
    SELECT (count(*) * 100 / least(100, 100000 * 8192.0 / greatest(pg_relation_size('"public"."posts"'::regclass), 1)))::int8
    FROM "public"."posts" t2 TABLESAMPLE SYSTEM (least(100, 100000 * 8192.0 / greatest(pg_relation_size('"public"."posts"'::regclass), 1)))
    WHERE t2.views > $1::int8
  )) END
  FROM (
    SELECT count(*) AS n
    FROM (
      SELECT
      FROM "public"."posts" t1
      WHERE t1.views > $1::int8
      LIMIT 10001
    ) c
  ) c
) AS total
FROM (
  SELECT t0.id
  FROM "public"."posts" t0
  WHERE t0.views > $1::int8
  ORDER BY t0.id
  LIMIT 51
) p
