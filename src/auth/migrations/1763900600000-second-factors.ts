import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Second factors: authenticator apps, passkeys and recovery codes; and how a session was proved. */
export class SecondFactors1763900600000 implements MigrationInterface {
  readonly name = 'SecondFactors1763900600000';

  async up(runner: QueryRunner): Promise<void> {
    await proveSessions(runner);
    await createTotp(runner);
    await createPasskeys(runner);
    await tellChanges(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE plinth.recovery_codes, plinth.passkeys, plinth.totp_enrolments, plinth.user_totp',
    );
    await runner.query('DROP TRIGGER tell_identity_on_proof ON plinth.sessions');
    await runner.query('DROP TRIGGER bump_identity_on_proof ON plinth.sessions');
    await runner.query('DROP FUNCTION plinth.tell_session_proof()');
    await runner.query('ALTER TABLE plinth.sessions DROP COLUMN amr, DROP COLUMN second_factor_at');
  }
}

/** Until now there were passwords only. */
async function proveSessions(runner: QueryRunner): Promise<void> {
  await runner.query(`
    ALTER TABLE plinth.sessions
      ADD COLUMN amr text[] NOT NULL DEFAULT '{pwd}',
      ADD COLUMN second_factor_at timestamptz`);
  await runner.query('ALTER TABLE plinth.sessions ALTER COLUMN amr DROP DEFAULT');
}

async function createTotp(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE plinth.user_totp (
      user_id uuid PRIMARY KEY REFERENCES plinth.users ON DELETE CASCADE,
      secret bytea NOT NULL,
      last_step bigint NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now()
    )`);
  await runner.query(`
    COMMENT ON COLUMN plinth.user_totp.secret IS 'Encrypted with a key that is not in the database.'`);
  await runner.query(`
    COMMENT ON COLUMN plinth.user_totp.last_step IS 'Of the last code that was taken: none up to it is good again.'`);
  await runner.query(`
    CREATE TABLE plinth.totp_enrolments (
      user_id uuid PRIMARY KEY REFERENCES plinth.users ON DELETE CASCADE,
      secret bytea NOT NULL,
      expires_at timestamptz NOT NULL
    )`);
  await runner.query('CREATE INDEX ON plinth.totp_enrolments (expires_at)');
  await runner.query(`
    CREATE TABLE plinth.recovery_codes (
      user_id uuid REFERENCES plinth.users ON DELETE CASCADE,
      hash bytea CHECK (octet_length(hash) = 32),
      PRIMARY KEY (user_id, hash)
    )`);
}

async function createPasskeys(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE plinth.passkeys (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      user_id uuid NOT NULL REFERENCES plinth.users ON DELETE CASCADE,
      credential_id bytea NOT NULL CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),
      public_key bytea NOT NULL,
      counter bigint NOT NULL,
      transports text[] NOT NULL,
      is_synced boolean NOT NULL,
      name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      last_used_at timestamptz(3)
    )`);
  await runner.query('CREATE UNIQUE INDEX passkeys_credential_key ON plinth.passkeys (credential_id)');
  await runner.query('CREATE INDEX ON plinth.passkeys (user_id)');
}

/** As for all that a session's rights depend on: the version's row is taken first. */
async function tellChanges(runner: QueryRunner): Promise<void> {
  for (const table of ['user_totp', 'passkeys']) {
    await watch(runner, table, 'INSERT', 'NEW');
    await watch(runner, table, 'DELETE', 'OLD');
    await runner.query(`
      CREATE TRIGGER bump_identity_of_all BEFORE TRUNCATE ON plinth.${table}
        FOR EACH STATEMENT EXECUTE FUNCTION plinth.bump_identity_version()`);
    await runner.query(`ALTER TABLE plinth.${table} ENABLE ALWAYS TRIGGER bump_identity_of_all`);
  }
  // By row, because triggers with a table of changes cannot be for some columns only, and sessions change with each use.
  await runner.query(`
    CREATE FUNCTION plinth.tell_session_proof() RETURNS trigger
      LANGUAGE plpgsql
      SET search_path = pg_catalog
      AS $$
      BEGIN
        PERFORM pg_notify('plinth_identity', (
          SELECT version || ' ' || NEW.user_id FROM plinth.identity_state
        ));
        RETURN NULL;
      END
      $$`);
  const columns = 'authenticated_at, second_factor_at, amr';
  await runner.query(`
    CREATE TRIGGER bump_identity_on_proof BEFORE UPDATE OF ${columns} ON plinth.sessions
      FOR EACH STATEMENT EXECUTE FUNCTION plinth.bump_identity_version()`);
  await runner.query(`
    CREATE TRIGGER tell_identity_on_proof AFTER UPDATE OF ${columns} ON plinth.sessions
      FOR EACH ROW EXECUTE FUNCTION plinth.tell_session_proof()`);
  await runner.query(`
    ALTER TABLE plinth.sessions ENABLE ALWAYS TRIGGER bump_identity_on_proof,
      ENABLE ALWAYS TRIGGER tell_identity_on_proof`);
}

async function watch(
  runner: QueryRunner,
  table: string,
  event: 'INSERT' | 'DELETE',
  rows: 'NEW' | 'OLD',
): Promise<void> {
  const name = event.toLowerCase();
  await runner.query(`
    CREATE TRIGGER bump_identity_on_${name} BEFORE ${event} ON plinth.${table}
      FOR EACH STATEMENT EXECUTE FUNCTION plinth.bump_identity_version()`);
  await runner.query(`
    CREATE TRIGGER tell_identity_on_${name} AFTER ${event} ON plinth.${table}
      REFERENCING ${rows} TABLE AS changed
      FOR EACH STATEMENT EXECUTE FUNCTION plinth.tell_identity_change()`);
  await runner.query(`
    ALTER TABLE plinth.${table} ENABLE ALWAYS TRIGGER bump_identity_on_${name},
      ENABLE ALWAYS TRIGGER tell_identity_on_${name}`);
}
