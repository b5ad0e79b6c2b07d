import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is mailed to sign in with: a code and a link, good once together. They stay for a day, to count wrong guesses. */
export class SignInCodes1763900510000 implements MigrationInterface {
  readonly name = 'SignInCodes1763900510000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE plinth.sign_in_codes (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        email text NOT NULL,
        code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
        link_hash bytea NOT NULL UNIQUE CHECK (octet_length(link_hash) = 32),
        failures int NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        used_at timestamptz
      )`);
    await runner.query('CREATE INDEX ON plinth.sign_in_codes (email, id)');
    await runner.query('CREATE INDEX ON plinth.sign_in_codes (created_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE plinth.sign_in_codes');
  }
}
