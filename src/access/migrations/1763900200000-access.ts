import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Roles, policies and API keys, with a version that every change of them raises, whoever makes it. */
export class Access1763900200000 implements MigrationInterface {
  readonly name = 'Access1763900200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE plinth.roles (
        name text PRIMARY KEY CHECK (name ~ '^[A-Za-z][A-Za-z0-9_-]{0,62}$'),
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
        role text NOT NULL REFERENCES plinth.roles (name) ON UPDATE CASCADE ON DELETE CASCADE,
        collection text NOT NULL,
        action text NOT NULL CHECK (action IN ('read', 'create', 'update', 'delete')),
        condition text,
        fields text[],
        "check" text,
        presets jsonb,
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
        hash bytea NOT NULL,
        roles text[] NOT NULL,
        claims jsonb NOT NULL DEFAULT '{}',
        expires_at timestamptz,
        last_used_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query('CREATE TABLE plinth.access_state (version bigint NOT NULL)');
    await runner.query('INSERT INTO plinth.access_state VALUES (1)');
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
    await runner.query(`
      CREATE FUNCTION plinth.forget_role() RETURNS trigger
        LANGUAGE plpgsql
        SET search_path = pg_catalog
        AS $$
        BEGIN
          UPDATE plinth.api_keys SET roles = array_remove(roles, OLD.name) WHERE OLD.name = ANY (roles);
          RETURN NULL;
        END
        $$`);
    await runner.query(`
      CREATE TRIGGER forget_role AFTER DELETE ON plinth.roles
        FOR EACH ROW EXECUTE FUNCTION plinth.forget_role()`);
    // last_used_at is left out: using a key changes nobody's access.
    const changes = [
      ['roles', 'INSERT OR DELETE OR UPDATE OR TRUNCATE'],
      ['policies', 'INSERT OR DELETE OR UPDATE OR TRUNCATE'],
      ['api_keys', 'INSERT OR DELETE OR UPDATE OF id, name, prefix, hash, roles, claims, expires_at OR TRUNCATE'],
    ];
    for (const [table, events] of changes) {
      await runner.query(`
        CREATE TRIGGER bump_access_version AFTER ${events} ON plinth.${table}
          FOR EACH STATEMENT EXECUTE FUNCTION plinth.bump_access_version()`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE plinth.access_state, plinth.api_keys, plinth.policies, plinth.roles');
    await runner.query('DROP FUNCTION plinth.bump_access_version(), plinth.forget_role()');
  }
}
