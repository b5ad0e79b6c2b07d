import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Answers to writes that carried an Idempotency-Key, so that a retry gets the first answer. */
export class Idempotency1763900300000 implements MigrationInterface {
  readonly name = 'Idempotency1763900300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE plinth.idempotent_answers (
        actor text NOT NULL,
        key text NOT NULL,
        fingerprint bytea NOT NULL,
        status integer,
        headers jsonb,
        body text,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (actor, key)
      )`);
    await runner.query('CREATE INDEX ON plinth.idempotent_answers (created_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE plinth.idempotent_answers');
  }
}
