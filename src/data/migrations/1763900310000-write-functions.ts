import { WRITE_FUNCTIONS_SQL } from '@plinth/query';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The functions that write statements call. */
export class WriteFunctions1763900310000 implements MigrationInterface {
  readonly name = 'WriteFunctions1763900310000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(WRITE_FUNCTIONS_SQL);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION plinth.raise(text, text), plinth.merge_patch(jsonb, jsonb)');
  }
}
