import { OWN_SCHEMAS } from './system-schema.js';

/** What Plinth does with tables of the exposed schemas. */
const TABLE_PRIVILEGES = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;
type TablePrivilege = (typeof TABLE_PRIVILEGES)[number];

/** Beyond so many, a grant names all tables of a schema and not each. */
const MAX_NAMED = 10;

export interface GrantOptions {
  /** The role that Plinth connects as. */
  readonly role: string;
  /** The exposed schemas. */
  readonly schemas: readonly string[];
  /** Whether records are only ever read. */
  readonly isReadOnly?: boolean;
}

/** Everything that the role needs and does not have by itself, as statements for an administrator of the database. */
export function listGrants({ role, schemas, isReadOnly = false }: GrantOptions): readonly string[] {
  const grantee = quote(role);
  const privileges = isReadOnly ? 'SELECT' : TABLE_PRIVILEGES.join(', ');
  const ofSchema = (schema: string): string[] => [
    `GRANT USAGE ON SCHEMA ${schema} TO ${grantee};`,
    `GRANT ${privileges} ON ALL TABLES IN SCHEMA ${schema} TO ${grantee};`,
    `ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT ${privileges} ON TABLES TO ${grantee};`,
  ];
  const ofSequences = (schema: string): string[] => [
    `GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${grantee};`,
    `ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT USAGE ON SEQUENCES TO ${grantee};`,
  ];
  return [
    ...OWN_SCHEMAS.map((schema) => `CREATE SCHEMA IF NOT EXISTS ${quote(schema)} AUTHORIZATION ${grantee};`),
    ...schemas.map(quote).flatMap(ofSchema),
    ...(isReadOnly ? [] : schemas.map(quote).flatMap(ofSequences)),
  ];
}

/** Something that the role may not do. */
export interface MissingGrant {
  /** What is missing, as half a sentence. */
  readonly what: string;
  /** The statement that mends it. */
  readonly statement: string;
  /** What cannot be done without it. Reading or writing of some tables may be missing on purpose. */
  readonly neededFor: 'anything' | 'reading' | 'writing';
}

/** Runs a statement and gives its rows. */
export type RunQuery = <Row>(text: string, values: readonly unknown[]) => Promise<readonly Row[]>;

interface OwnSchemaRow {
  readonly name: string;
  readonly role: string;
  readonly exists: boolean;
  readonly may_create: boolean;
  readonly may_use: boolean;
  readonly foreign: readonly string[];
}

interface SchemaRow {
  readonly name: string;
  readonly may_use: boolean;
  readonly closed: Readonly<Record<TablePrivilege, readonly string[]>>;
  readonly sequences: readonly string[];
}

/** Finds out what the role of a connection lacks for the exposed schemas. Schemas that do not exist lack nothing. */
export async function findMissingGrants(
  query: RunQuery,
  schemas: readonly string[],
): Promise<readonly MissingGrant[]> {
  const own = await query<OwnSchemaRow>(OWN_SCHEMAS_SQL, [OWN_SCHEMAS]);
  const rows = await query<SchemaRow>(SCHEMAS_SQL, [schemas]);
  const role = quote(own[0]?.role ?? '');
  return [
    ...own.flatMap((row) => checkOwnSchema(row, role)),
    ...rows.flatMap((row) => checkSchema(row, role)),
  ];
}

/** Which of the exposed schemas are not there: a name that was mistyped, or one that is still to be made. */
export async function findMissingSchemas(
  query: RunQuery,
  schemas: readonly string[],
): Promise<readonly string[]> {
  const rows = await query<{ readonly name: string }>(
    `SELECT name FROM unnest($1::text[]) AS given (name)
     WHERE NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = name)`,
    [schemas],
  );
  return rows.map(({ name }) => name);
}

/** The role lacks what Plinth cannot start without; the message names the statements that mend it. */
export class MissingGrantError extends Error {
  override readonly name = 'MissingGrantError';
  /** PostgreSQL's state for it. */
  readonly code = '42501';
}

/**
 * To be asked before anything is done in Plinth's own schemas: what PostgreSQL says of a missing grant there is not always
 * that.
 * @throws MissingGrantError
 */
export async function requireSystemSchema(query: RunQuery): Promise<void> {
  const missing = await findMissingGrants(query, []);
  if (missing.length === 0) return;
  const lines = missing.map(({ what, statement }) => `  ${what}\n  -> as an administrator: ${statement}`);
  throw new MissingGrantError(['The database role lacks what Plinth needs:', ...lines].join('\n'));
}

function checkOwnSchema(row: OwnSchemaRow, role: string): readonly MissingGrant[] {
  const schema = quote(row.name);
  if (!row.exists) {
    return row.may_create
      ? []
      : [
          {
            what: `the schema ${schema} is missing and this role may not create it`,
            statement: `CREATE SCHEMA ${schema} AUTHORIZATION ${role};`,
            neededFor: 'anything',
          },
        ];
  }
  if (!row.may_use) {
    return [
      {
        what: `the schema ${schema} is there, but this role may not use it`,
        statement: `ALTER SCHEMA ${schema} OWNER TO ${role};`,
        neededFor: 'anything',
      },
    ];
  }
  return row.foreign.map((table): MissingGrant => ({
    what: `${schema}.${quote(table)} belongs to another role`,
    statement: `ALTER TABLE ${schema}.${quote(table)} OWNER TO ${role};`,
    neededFor: 'anything',
  }));
}

function checkSchema({ name, may_use, closed, sequences }: SchemaRow, role: string): readonly MissingGrant[] {
  const schema = quote(name);
  if (!may_use) {
    return [
      {
        what: `the schema ${schema} may not be used by this role`,
        statement: `GRANT USAGE ON SCHEMA ${schema} TO ${role};`,
        neededFor: 'anything',
      },
    ];
  }
  const tables = groupByTables(closed).map(({ privileges, names }): MissingGrant => ({
    what: `in the schema ${schema} this role has no ${privileges.join(', ')} on ${listNames(names)}`,
    statement: `GRANT ${privileges.join(', ')} ON ${objectsOf('TABLES', schema, names)} TO ${role};`,
    neededFor: privileges.includes('SELECT') ? 'reading' : 'writing',
  }));
  const ofSequences: MissingGrant = {
    what: `in the schema ${schema} this role has no USAGE on the sequences ${listNames(sequences)}`,
    statement: `GRANT USAGE ON ${objectsOf('SEQUENCES', schema, sequences)} TO ${role};`,
    neededFor: 'writing',
  };
  return sequences.length === 0 ? tables : [...tables, ofSequences];
}

interface ClosedTables {
  readonly privileges: TablePrivilege[];
  readonly names: readonly string[];
}

/** Privileges that are missing for the same tables are granted together. */
function groupByTables(closed: SchemaRow['closed']): readonly ClosedTables[] {
  const groups = new Map<string, ClosedTables>();
  for (const privilege of TABLE_PRIVILEGES) {
    const names = closed[privilege];
    if (names.length === 0) continue;
    const key = JSON.stringify(names);
    const group = groups.get(key) ?? { privileges: [], names };
    group.privileges.push(privilege);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function objectsOf(kind: 'TABLES' | 'SEQUENCES', schema: string, names: readonly string[]): string {
  if (names.length > MAX_NAMED) return `ALL ${kind} IN SCHEMA ${schema}`;
  const objects = names.map((name) => `${schema}.${quote(name)}`).join(', ');
  return kind === 'SEQUENCES' ? `SEQUENCE ${objects}` : objects;
}

const listNames = (names: readonly string[]): string =>
  names.length > MAX_NAMED
    ? `${names.slice(0, MAX_NAMED).join(', ')} and ${names.length - MAX_NAMED} more`
    : names.join(', ');

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const OWN_SCHEMAS_SQL = `
  SELECT own.name, current_user::text AS role, n.oid IS NOT NULL AS exists,
         has_database_privilege(current_database(), 'CREATE') AS may_create,
         coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE'), false) AS may_use,
         ARRAY(SELECT c.relname::text FROM pg_class c
               WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p') AND NOT pg_has_role(c.relowner, 'USAGE')
               ORDER BY c.relname) AS "foreign"
  FROM unnest($1::text[]) WITH ORDINALITY AS own (name, place) LEFT JOIN pg_namespace n ON n.nspname = own.name
  ORDER BY own.place`;

/** A sequence behind an identity column needs no grant; one behind a default does. */
const SCHEMAS_SQL = `
  WITH tables AS MATERIALIZED (
    SELECT c.oid, c.relname::text AS name, c.relnamespace AS schema, c.relkind IN ('r', 'p', 'f') AS is_written
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  ), sequences AS MATERIALIZED (
    SELECT c.oid, c.relname::text AS name, c.relnamespace AS schema
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY ($1::text[]) AND c.relkind = 'S'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i')
  )
  SELECT n.nspname::text AS name, has_schema_privilege(n.oid, 'USAGE') AS may_use,
         json_build_object(${TABLE_PRIVILEGES.map(
           (privilege) => `
             '${privilege}', ARRAY(SELECT t.name FROM tables t
                WHERE t.schema = n.oid AND ${privilege === 'SELECT' ? 'true' : 't.is_written'}
                  AND NOT has_table_privilege(t.oid, '${privilege}') ORDER BY t.name)`,
         ).join(',')}) AS closed,
         ARRAY(SELECT s.name FROM sequences s
               WHERE s.schema = n.oid AND NOT has_sequence_privilege(s.oid, 'USAGE') ORDER BY s.name) AS sequences
  FROM unnest($1::text[]) WITH ORDINALITY AS given (name, place) JOIN pg_namespace n ON n.nspname = given.name
  ORDER BY given.place`;
