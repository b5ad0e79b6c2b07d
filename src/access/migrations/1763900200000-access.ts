import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Roles, policies and API keys, with a version that every change of them raises, whoever makes it.
 *
 * The version's row is taken before a statement does anything else, so changes of access happen one after the other and
 * never wait for each other in a circle.
 */
export class Access1763900200000 implements MigrationInterface {
  readonly name = 'Access1763900200000';

  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner);
    await watchChanges(runner);
    await keepRolesAndKeysTogether(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE plinth.access_state, plinth.api_keys, plinth.policies, plinth.roles');
    await runner.query(`
      DROP FUNCTION plinth.bump_access_version(), plinth.keep_reserved_role(), plinth.follow_role(),
        plinth.check_key_roles()`);
  }
}

async function createTables(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE plinth.roles (
      name text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[A-Za-z][A-Za-z0-9_-]{0,62}$'),
      description text NOT NULL DEFAULT '',
      is_reserved boolean NOT NULL DEFAULT false,
      created_at timestamptz NOT NULL DEFAULT now()
    )`);
  await runner.query(`
    INSERT INTO plinth.roles (name, description, is_reserved) VALUES
      ('public', 'Everyone, signed in or not.', true),
      ('authenticated', 'Every signed-in user.', true),
      ('admin', 'Everything.', true)`);
  await runner.query(`
    CREATE TABLE plinth.policies (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
      role text COLLATE "C" NOT NULL REFERENCES plinth.roles (name) ON UPDATE CASCADE ON DELETE CASCADE,
      collection text NOT NULL,
      action text NOT NULL CHECK (action IN ('read', 'create', 'update', 'delete')),
      condition text,
      fields text[],
      "check" text,
      presets jsonb CHECK (jsonb_typeof(presets) = 'object'),
      description text NOT NULL DEFAULT '',
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now()
    )`);
  await runner.query('CREATE INDEX ON plinth.policies (role)');
  await runner.query(`
    CREATE TABLE plinth.api_keys (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
      name text NOT NULL,
      prefix text NOT NULL UNIQUE,
      hash bytea NOT NULL CHECK (octet_length(hash) = 32),
      roles text[] NOT NULL,
      claims jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(claims) = 'object'),
      expires_at timestamptz,
      last_used_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT now()
    )`);
  await runner.query(`
    CREATE TABLE plinth.access_state (
      version bigint NOT NULL,
      is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row)
    )`);
  await runner.query('INSERT INTO plinth.access_state (version) VALUES (1)');
}

async function watchChanges(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE FUNCTION plinth.bump_access_version() RETURNS trigger
      LANGUAGE plpgsql
      SET search_path = pg_catalog
      AS $$
      BEGIN
        UPDATE plinth.access_state SET version = version + 1;
        PERFORM pg_notify('plinth_access', '');
        RETURN NULL;
      END
      $$`);
  const keyColumns = 'id, name, prefix, hash, roles, claims, expires_at';
  const changes = [
    ['roles', 'INSERT OR DELETE OR UPDATE OR TRUNCATE'],
    ['policies', 'INSERT OR DELETE OR UPDATE OR TRUNCATE'],
    // last_used_at is left out: using a key changes nobody's access.
    ['api_keys', `INSERT OR DELETE OR UPDATE OF ${keyColumns} OR TRUNCATE`],
  ];
  for (const [table, events] of changes) {
    await runner.query(`
      CREATE TRIGGER bump_access_version BEFORE ${events} ON plinth.${table}
        FOR EACH STATEMENT EXECUTE FUNCTION plinth.bump_access_version()`);
    // Also for sessions that replay what another server did.
    await runner.query(`ALTER TABLE plinth.${table} ENABLE ALWAYS TRIGGER bump_access_version`);
  }
}

/**
 * What a foreign key would do, were the roles of a key not a list. It needs no locks of its own: whoever changes a role
 * waits for the version's row, which this statement holds until it is committed.
 */
async function keepRolesAndKeysTogether(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE FUNCTION plinth.check_key_roles() RETURNS trigger
      LANGUAGE plpgsql
      SET search_path = pg_catalog
      AS $$
      DECLARE
        missing text;
      BEGIN
        SELECT n INTO missing FROM unnest(NEW.roles) n
          WHERE NOT EXISTS (SELECT FROM plinth.roles r WHERE r.name = n) LIMIT 1;
        IF FOUND THEN
          RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation',
            MESSAGE = format('There is no role %L for the key %L.', missing, NEW.name);
        END IF;
        RETURN NEW;
      END
      $$`);
  await runner.query(`
    CREATE TRIGGER check_key_roles BEFORE INSERT OR UPDATE OF roles ON plinth.api_keys
      FOR EACH ROW EXECUTE FUNCTION plinth.check_key_roles()`);
  await runner.query(`
    CREATE FUNCTION plinth.follow_role() RETURNS trigger
      LANGUAGE plpgsql
      SET search_path = pg_catalog
      AS $$
      BEGIN
        IF TG_OP = 'DELETE' THEN
          UPDATE plinth.api_keys SET roles = array_remove(roles, OLD.name) WHERE OLD.name = ANY (roles);
        ELSE
          UPDATE plinth.api_keys SET roles = array_replace(roles, OLD.name, NEW.name) WHERE OLD.name = ANY (roles);
        END IF;
        RETURN NULL;
      END
      $$`);
  await runner.query(`
    CREATE TRIGGER follow_role AFTER DELETE OR UPDATE OF name ON plinth.roles
      FOR EACH ROW EXECUTE FUNCTION plinth.follow_role()`);
  await runner.query(`
    CREATE FUNCTION plinth.keep_reserved_role() RETURNS trigger
      LANGUAGE plpgsql
      SET search_path = pg_catalog
      AS $$
      BEGIN
        RAISE EXCEPTION USING ERRCODE = 'restrict_violation',
          MESSAGE = format('The role %L is reserved: it can be neither deleted nor renamed.', OLD.name);
      END
      $$`);
  await runner.query(`
    CREATE TRIGGER keep_reserved_role BEFORE DELETE OR UPDATE OF name, is_reserved ON plinth.roles
      FOR EACH ROW WHEN (OLD.is_reserved) EXECUTE FUNCTION plinth.keep_reserved_role()`);
}
