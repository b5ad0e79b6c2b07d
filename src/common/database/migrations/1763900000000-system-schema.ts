import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What everything in the schema `plinth` builds on: the way for a statement to refuse itself, and shared secrets. */
export class SystemSchema1763900000000 implements MigrationInterface {
  readonly name = 'SystemSchema1763900000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION plinth.raise(code text, detail text DEFAULT '') RETURNS boolean
        LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
        SET search_path = pg_catalog
        AS $$
        BEGIN
          RAISE EXCEPTION USING ERRCODE = 'PL001', MESSAGE = code, DETAIL = detail;
        END
        $$`);
    await runner.query(`
      COMMENT ON FUNCTION plinth.raise(text, text) IS
        'Ends a statement of Plinth from inside, so that it changes nothing: SQLSTATE PL001, the code as message.'`);
    await runner.query(`
      CREATE TABLE plinth.secrets (
        name text PRIMARY KEY,
        value bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`
      COMMENT ON TABLE plinth.secrets IS 'Random keys that all instances share, such as the one that seals cursors.'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE plinth.secrets');
    await runner.query('DROP FUNCTION plinth.raise(text, text)');
  }
}
