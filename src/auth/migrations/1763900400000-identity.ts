import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Users, what they sign in with, their sessions, and the keys that tokens are signed with.
 *
 * `plinth.users` can be read like any collection, and tables of an application refer to it; so what is secret is never
 * there but in a table of its own.
 */
export class Identity1763900400000 implements MigrationInterface {
  readonly name = 'Identity1763900400000';

  async up(runner: QueryRunner): Promise<void> {
    await createUsers(runner);
    await createSessions(runner);
    await createSignIn(runner);
    await createSigningKeys(runner);
    await tellChanges(runner);
    await endSessionsOfBlocked(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE plinth.signing_keys, plinth.sign_in_attempts, plinth.sign_in_events, plinth.one_time_tokens,
        plinth.sessions, plinth.user_roles, plinth.user_passwords, plinth.users, plinth.identity_state`);
    await runner.query(`
      DROP FUNCTION plinth.bump_identity_version(), plinth.tell_identity_change(), plinth.end_sessions_of_blocked(),
        plinth.take_sign_in_attempt(bytea[], int[], int[])`);
  }
}

async function createUsers(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE plinth.users (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      email text CHECK (length(email) <= 254),
      email_verified_at timestamptz,
      username text CHECK (username ~ '^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$'),
      status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'invited', 'blocked')),
      profile jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(profile) = 'object'),
      claims jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(claims) = 'object'),
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      updated_at timestamptz(3) NOT NULL DEFAULT now()
    )`);
  // Of the collation C, so that no locale folds two addresses into one.
  await runner.query('CREATE UNIQUE INDEX users_email_key ON plinth.users (lower(email COLLATE "C"))');
  await runner.query('CREATE UNIQUE INDEX users_username_key ON plinth.users (lower(username COLLATE "C"))');
  await runner.query('CREATE INDEX ON plinth.users (created_at, id)');
  await runner.query(`
    COMMENT ON TABLE plinth.users IS 'People who can sign in. Changed under /system/users and /auth/me.'`);
  await runner.query(`
    CREATE TABLE plinth.user_passwords (
      user_id uuid PRIMARY KEY REFERENCES plinth.users ON DELETE CASCADE,
      hash text NOT NULL CHECK (hash LIKE '$argon2id$%'),
      changed_at timestamptz NOT NULL DEFAULT now()
    )`);
  await runner.query(`
    CREATE TABLE plinth.user_roles (
      user_id uuid REFERENCES plinth.users ON DELETE CASCADE,
      role text COLLATE "C" REFERENCES plinth.roles ON UPDATE CASCADE ON DELETE CASCADE,
      PRIMARY KEY (user_id, role)
    )`);
  await runner.query('CREATE INDEX ON plinth.user_roles (role)');
}

async function createSessions(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE plinth.sessions (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      user_id uuid NOT NULL REFERENCES plinth.users ON DELETE CASCADE,
      kind text NOT NULL CHECK (kind IN ('token', 'cookie')),
      family_hash bytea NOT NULL CHECK (octet_length(family_hash) = 32),
      refresh_hash bytea CHECK (octet_length(refresh_hash) = 32),
      previous_hash bytea CHECK (octet_length(previous_hash) = 32),
      rotated_at timestamptz,
      user_agent text,
      address text NOT NULL,
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      authenticated_at timestamptz NOT NULL DEFAULT now(),
      last_used_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      CHECK ((kind = 'token') = (refresh_hash IS NOT NULL))
    )`);
  await runner.query('CREATE INDEX ON plinth.sessions (user_id)');
  await runner.query('CREATE INDEX ON plinth.sessions (created_at, id)');
  await runner.query('CREATE INDEX ON plinth.sessions (expires_at)');
}

async function createSignIn(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE plinth.one_time_tokens (
      hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
      purpose text NOT NULL,
      user_id uuid REFERENCES plinth.users ON DELETE CASCADE,
      data jsonb,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL
    )`);
  await runner.query('CREATE INDEX ON plinth.one_time_tokens (expires_at)');
  await runner.query('CREATE INDEX ON plinth.one_time_tokens (user_id)');
  // The users that it names may be gone: what they did stays.
  await runner.query(`
    CREATE TABLE plinth.sign_in_events (
      position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      at timestamptz NOT NULL DEFAULT now(),
      kind text NOT NULL,
      user_id uuid,
      session_id uuid,
      email text,
      address text NOT NULL,
      user_agent text,
      request_id text NOT NULL,
      actor text NOT NULL
    )`);
  await runner.query('CREATE INDEX ON plinth.sign_in_events (user_id, position)');
  await runner.query('CREATE INDEX ON plinth.sign_in_events (at)');
  await runner.query(`
    CREATE TABLE plinth.sign_in_attempts (
      key bytea PRIMARY KEY,
      failures int NOT NULL DEFAULT 0,
      last_at timestamptz NOT NULL DEFAULT now(),
      next_at timestamptz NOT NULL DEFAULT now(),
      succeeded_at timestamptz
    )`);
  await runner.query('CREATE INDEX ON plinth.sign_in_attempts (last_at)');
  await runner.query(TAKE_SIGN_IN_ATTEMPT);
}

/**
 * Counts an attempt under each of the keys, before it is known whether it succeeds, so that a hundred at once are a
 * hundred. The first key is that of the account at this address, the second that of the account anywhere: it does not
 * count where the first has signed in within a month. A quarter of an hour forgives one failure. Gives the seconds to wait, where
 * nothing was counted, or 0.
 *
 * Rows are locked in the order of the keys, which all callers give in the same one.
 */
const TAKE_SIGN_IN_ATTEMPT = `
  CREATE FUNCTION plinth.take_sign_in_attempt(keys bytea[], free int[], longest int[]) RETURNS double precision
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    DECLARE
      known plinth.sign_in_attempts;
      is_familiar boolean := false;
      wait double precision := 0;
    BEGIN
      FOR place IN 1 .. cardinality(keys) LOOP
        INSERT INTO plinth.sign_in_attempts (key) VALUES (keys[place]) ON CONFLICT (key) DO NOTHING;
        SELECT * INTO known FROM plinth.sign_in_attempts a WHERE a.key = keys[place] FOR UPDATE;
        IF place = 1 THEN
          is_familiar := known.succeeded_at IS NOT NULL AND known.succeeded_at > clock_timestamp() - interval '30 days';
        END IF;
        IF place <> 2 OR NOT is_familiar THEN
          wait := greatest(wait, extract(epoch FROM known.next_at - clock_timestamp()));
        END IF;
      END LOOP;
      IF wait > 0 THEN
        RETURN wait;
      END IF;
      UPDATE plinth.sign_in_attempts a
        SET failures = n.failures,
            last_at = clock_timestamp(),
            next_at = clock_timestamp() + make_interval(secs => CASE
              WHEN n.failures < k.free THEN 0
              ELSE least(k.longest, 8 * power(2, n.failures - k.free))
            END)
        FROM unnest(keys, free, longest) WITH ORDINALITY AS k (key, free, longest, place)
        CROSS JOIN LATERAL (
          SELECT 1 + least(k.free + 20, greatest(0,
            b.failures - floor(extract(epoch FROM clock_timestamp() - b.last_at) / 900)::int)) AS failures
          FROM plinth.sign_in_attempts b WHERE b.key = k.key
        ) AS n
        WHERE a.key = k.key AND (k.place <> 2 OR NOT is_familiar);
      RETURN 0;
    END
    $$`;

async function createSigningKeys(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE plinth.signing_keys (
      id text PRIMARY KEY,
      public_key jsonb NOT NULL,
      private_key bytea NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now()
    )`);
  await runner.query(`
    COMMENT ON COLUMN plinth.signing_keys.private_key IS 'Encrypted with a key that is not in the database.'`);
}

/**
 * Every change that a session's rights depend on raises a version and tells whose they are, whoever makes it.
 *
 * The version's row is taken before a statement does anything else, so such changes happen one after the other and never
 * wait for each other in a circle.
 */
async function tellChanges(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE plinth.identity_state (
      version bigint NOT NULL,
      is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row)
    )`);
  await runner.query('INSERT INTO plinth.identity_state (version) VALUES (1)');
  await runner.query(`
    CREATE FUNCTION plinth.bump_identity_version() RETURNS trigger
      LANGUAGE plpgsql
      SET search_path = pg_catalog
      AS $$
      BEGIN
        UPDATE plinth.identity_state SET version = version + 1;
        IF TG_NAME = 'bump_identity_of_all' THEN
          PERFORM pg_notify('plinth_identity', (SELECT version || ' *' FROM plinth.identity_state));
        END IF;
        RETURN NULL;
      END
      $$`);
  await runner.query(`
    CREATE FUNCTION plinth.tell_identity_change() RETURNS trigger
      LANGUAGE plpgsql
      SET search_path = pg_catalog
      AS $$
      DECLARE
        whose uuid[];
      BEGIN
        IF TG_TABLE_NAME = 'users' THEN
          SELECT array_agg(id) INTO whose FROM (SELECT c.id FROM changed c LIMIT 2) AS found;
        ELSE
          SELECT array_agg(user_id) INTO whose FROM (SELECT DISTINCT c.user_id FROM changed c LIMIT 2) AS found;
        END IF;
        PERFORM pg_notify('plinth_identity', (
          SELECT version || CASE cardinality(whose) WHEN 1 THEN ' ' || whose[1] WHEN 2 THEN ' *' ELSE ' -' END
          FROM plinth.identity_state
        ));
        RETURN NULL;
      END
      $$`);
  const rights = 'email, email_verified_at, username, status, claims';
  await watch(runner, 'users', 'UPDATE', `UPDATE OF ${rights}`);
  await watch(runner, 'users', 'DELETE');
  await watch(runner, 'user_roles', 'INSERT');
  await watch(runner, 'user_roles', 'DELETE');
  await watch(runner, 'sessions', 'DELETE');
  await watchWhole(runner, 'users', 'TRUNCATE');
  await watchWhole(runner, 'user_roles', 'UPDATE OR TRUNCATE');
  await watchWhole(runner, 'sessions', 'TRUNCATE');
  await watchWhole(runner, 'signing_keys', 'INSERT OR UPDATE OR DELETE OR TRUNCATE');
}

async function watch(
  runner: QueryRunner,
  table: string,
  event: 'INSERT' | 'UPDATE' | 'DELETE',
  before: string = event,
): Promise<void> {
  const name = event.toLowerCase();
  await runner.query(`
    CREATE TRIGGER bump_identity_on_${name} BEFORE ${before} ON plinth.${table}
      FOR EACH STATEMENT EXECUTE FUNCTION plinth.bump_identity_version()`);
  await runner.query(`
    CREATE TRIGGER tell_identity_on_${name} AFTER ${event} ON plinth.${table}
      REFERENCING ${event === 'DELETE' ? 'OLD' : 'NEW'} TABLE AS changed
      FOR EACH STATEMENT EXECUTE FUNCTION plinth.tell_identity_change()`);
  await runner.query(`
    ALTER TABLE plinth.${table} ENABLE ALWAYS TRIGGER bump_identity_on_${name},
      ENABLE ALWAYS TRIGGER tell_identity_on_${name}`);
}

async function watchWhole(runner: QueryRunner, table: string, events: string): Promise<void> {
  await runner.query(`
    CREATE TRIGGER bump_identity_of_all BEFORE ${events} ON plinth.${table}
      FOR EACH STATEMENT EXECUTE FUNCTION plinth.bump_identity_version()`);
  await runner.query(`ALTER TABLE plinth.${table} ENABLE ALWAYS TRIGGER bump_identity_of_all`);
}

/** So that they do not come back to life with the user. */
async function endSessionsOfBlocked(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE FUNCTION plinth.end_sessions_of_blocked() RETURNS trigger
      LANGUAGE plpgsql
      SET search_path = pg_catalog
      AS $$
      BEGIN
        DELETE FROM plinth.sessions WHERE user_id = NEW.id;
        RETURN NULL;
      END
      $$`);
  await runner.query(`
    CREATE TRIGGER end_sessions_of_blocked AFTER UPDATE OF status ON plinth.users
      FOR EACH ROW WHEN (NEW.status <> 'active') EXECUTE FUNCTION plinth.end_sessions_of_blocked()`);
}
