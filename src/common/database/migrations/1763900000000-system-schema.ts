import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What everything in the schema `plinth` builds on: secrets that all instances share. */
export class SystemSchema1763900000000 implements MigrationInterface {
  readonly name = 'SystemSchema1763900000000';

  async up(runner: QueryRunner): Promise<void> {
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
  }
}
