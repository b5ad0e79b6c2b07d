/**
 * The functions that write statements call, to be created once in a database by whoever sets it up. `plinth.raise` ends
 * a statement from inside; `plinth.merge_patch` is RFC 7396.
 */
export const WRITE_FUNCTIONS_SQL = `
CREATE OR REPLACE FUNCTION plinth.raise(code text, detail text DEFAULT '') RETURNS boolean
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
  SET search_path = pg_catalog
  AS $$
  BEGIN
    RAISE EXCEPTION USING ERRCODE = 'PL001', MESSAGE = code, DETAIL = detail;
  END
  $$;

CREATE OR REPLACE FUNCTION plinth.merge_patch(target jsonb, patch jsonb) RETURNS jsonb
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
  SET search_path = pg_catalog
  AS $$
  DECLARE
    merged jsonb := CASE WHEN jsonb_typeof(target) = 'object' THEN target ELSE '{}' END;
    member record;
  BEGIN
    IF patch IS NULL OR jsonb_typeof(patch) <> 'object' THEN
      RETURN patch;
    END IF;
    FOR member IN SELECT key, value FROM jsonb_each(patch) LOOP
      IF jsonb_typeof(member.value) = 'null' THEN
        merged := merged - member.key;
      ELSE
        merged := merged || jsonb_build_object(member.key, plinth.merge_patch(merged -> member.key, member.value));
      END IF;
    END LOOP;
    RETURN merged;
  END
  $$;
`;
