/** Schemas that hold no user's tables: PostgreSQL's and Plinth's own. */
const isReserved = (schema: string): boolean =>
  schema === 'plinth' ||
  schema === 'plinth_jobs' ||
  schema === 'information_schema' ||
  schema.startsWith('pg_');

/** The schemas that may be exposed, each once, in the given order. */
export function exposedSchemas(schemas: readonly string[]): string[] {
  return [...new Set(schemas)].filter((schema) => !isReserved(schema));
}

/**
 * Tables of Plinth's own schema that hold what is every application's: records refer to them, and they are read like any
 * collection. They are never written that way, and hold no secrets.
 */
export const READABLE_SYSTEM_TABLES: readonly string[] = Object.freeze(['plinth.users']);
