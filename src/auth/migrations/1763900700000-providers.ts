import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Identities at providers, users without an account, and sessions of those who act as somebody else.
 *
 * A role that a provider's groups gave is kept apart from one that was given by hand, and goes with the identity.
 */
export class Providers1763900700000 implements MigrationInterface {
  readonly name = 'Providers1763900700000';

  async up(runner: QueryRunner): Promise<void> {
    await createIdentities(runner);
    await keepRolesApart(runner);
    await allowAnonymous(runner);
    await runner.query(`
      ALTER TABLE plinth.sessions
        ADD COLUMN acting_session_id uuid REFERENCES plinth.sessions ON DELETE CASCADE`);
    await runner.query(
      'CREATE INDEX ON plinth.sessions (acting_session_id) WHERE acting_session_id IS NOT NULL',
    );
    await runner.query(`
      CREATE INDEX one_time_tokens_of_flows ON plinth.one_time_tokens ((data ->> 'from')) WHERE purpose = 'provider-state'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX plinth.one_time_tokens_of_flows`);
    await runner.query('ALTER TABLE plinth.sessions DROP COLUMN acting_session_id');
    await watchRights(runner, RIGHTS);
    await runner.query('ALTER TABLE plinth.users DROP COLUMN is_anonymous');
    await freeRole(runner);
    await runner.query('DELETE FROM plinth.user_roles WHERE identity_id IS NOT NULL');
    await runner.query('DROP INDEX plinth.user_roles_key');
    await runner.query(
      'ALTER TABLE plinth.user_roles DROP COLUMN identity_id, ADD PRIMARY KEY (user_id, role)',
    );
    await runner.query('DROP TABLE plinth.user_identities');
  }
}

/** The role stays, with the policies that it was given, as one that can be deleted. */
async function freeRole(runner: QueryRunner): Promise<void> {
  await runner.query('ALTER TABLE plinth.roles DISABLE TRIGGER keep_reserved_role');
  await runner.query(`UPDATE plinth.roles SET is_reserved = false WHERE name = 'anonymous'`);
  await runner.query('ALTER TABLE plinth.roles ENABLE TRIGGER keep_reserved_role');
}

async function createIdentities(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE plinth.user_identities (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      user_id uuid NOT NULL REFERENCES plinth.users ON DELETE CASCADE,
      provider text NOT NULL,
      issuer text NOT NULL,
      subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
      email text,
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      last_used_at timestamptz(3),
      UNIQUE (issuer, subject)
    )`);
  await runner.query('CREATE INDEX ON plinth.user_identities (user_id)');
}

/** Null is by hand. */
async function keepRolesApart(runner: QueryRunner): Promise<void> {
  await runner.query(`
    ALTER TABLE plinth.user_roles
      ADD COLUMN identity_id uuid REFERENCES plinth.user_identities ON DELETE CASCADE,
      DROP CONSTRAINT user_roles_pkey,
      ALTER COLUMN user_id SET NOT NULL,
      ALTER COLUMN role SET NOT NULL`);
  await runner.query(`
    CREATE UNIQUE INDEX user_roles_key ON plinth.user_roles
      (user_id, role, coalesce(identity_id, '00000000-0000-0000-0000-000000000000'))`);
  await runner.query('CREATE INDEX ON plinth.user_roles (identity_id) WHERE identity_id IS NOT NULL');
}

const RIGHTS = 'email, email_verified_at, username, status, claims';

async function allowAnonymous(runner: QueryRunner): Promise<void> {
  await runner.query('ALTER TABLE plinth.users ADD COLUMN is_anonymous boolean NOT NULL DEFAULT false');
  await runner.query('CREATE INDEX ON plinth.users (created_at) WHERE is_anonymous');
  await runner.query(`
    INSERT INTO plinth.roles (name, description, is_reserved)
    VALUES ('anonymous', 'Every user who began without an account.', true)
    ON CONFLICT (name) DO UPDATE SET is_reserved = true`);
  await watchRights(runner, `${RIGHTS}, is_anonymous`);
}

/** What a session's rights depend on, as the trigger of the first migration of this room watches it. */
async function watchRights(runner: QueryRunner, columns: string): Promise<void> {
  await runner.query('DROP TRIGGER bump_identity_on_update ON plinth.users');
  await runner.query(`
    CREATE TRIGGER bump_identity_on_update BEFORE UPDATE OF ${columns} ON plinth.users
      FOR EACH STATEMENT EXECUTE FUNCTION plinth.bump_identity_version()`);
  await runner.query('ALTER TABLE plinth.users ENABLE ALWAYS TRIGGER bump_identity_on_update');
}
