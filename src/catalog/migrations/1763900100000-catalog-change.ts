import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The function of the event triggers that tell of schema changes. The triggers themselves are made at start, because
 * only a superuser may.
 *
 * It runs inside other people's statements, so it must never fail them and does no more than one NOTIFY at their
 * commit. Changes of temporary tables are nobody else's concern and stay silent: a notifying commit takes a lock that
 * all such commits share.
 */
export class CatalogChange1763900100000 implements MigrationInterface {
  readonly name = 'CatalogChange1763900100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION plinth.notify_catalog_change() RETURNS event_trigger
        LANGUAGE plpgsql
        SET search_path = pg_catalog
        AS $$
        DECLARE
          is_temporary boolean;
        BEGIN
          BEGIN
            IF TG_EVENT = 'sql_drop' THEN
              SELECT bool_and(o.is_temporary) INTO is_temporary
              FROM pg_event_trigger_dropped_objects() o WHERE o.original;
            ELSIF TG_TAG IN ('DROP TABLE', 'DROP INDEX', 'DROP SEQUENCE', 'DROP VIEW') THEN
              -- Told by sql_drop, which knows what was dropped.
              is_temporary := true;
            ELSE
              SELECT bool_and(c.schema_name = 'pg_temp') INTO is_temporary FROM pg_event_trigger_ddl_commands() c;
            END IF;
          EXCEPTION WHEN OTHERS THEN
            is_temporary := false;
          END;
          IF is_temporary IS NOT TRUE THEN
            PERFORM pg_notify('plinth_catalog', '');
          END IF;
        END
        $$`);
    await runner.query(`
      COMMENT ON FUNCTION plinth.notify_catalog_change() IS
        'Tells all instances of Plinth that the schema changed, so that the API follows at once.'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION plinth.notify_catalog_change() CASCADE');
  }
}
