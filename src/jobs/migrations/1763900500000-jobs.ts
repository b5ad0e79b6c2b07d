import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The record of graphile-worker's own migrations, which it then finds and makes everything else by. It would make this too,
 * but with a statement that needs the right to create schemas.
 */
export class Jobs1763900500000 implements MigrationInterface {
  readonly name = 'Jobs1763900500000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE IF NOT EXISTS plinth_jobs.migrations (
        id int PRIMARY KEY,
        ts timestamptz NOT NULL DEFAULT now(),
        breaking boolean NOT NULL DEFAULT false
      )`);
    await runner.query(`
      COMMENT ON SCHEMA plinth_jobs IS 'The queue of background jobs: tables of graphile-worker. See /system/jobs.'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA plinth_jobs CASCADE');
    await runner.query('CREATE SCHEMA plinth_jobs');
  }
}
