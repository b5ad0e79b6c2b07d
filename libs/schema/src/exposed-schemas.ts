/** Schemas that hold no user's tables: PostgreSQL's and Plinth's own. */
const isReserved = (schema: string): boolean =>
  schema === 'plinth' || schema === 'information_schema' || schema.startsWith('pg_');

/** The schemas that may be exposed, each once, in the given order. */
export function exposedSchemas(schemas: readonly string[]): string[] {
  return [...new Set(schemas)].filter((schema) => !isReserved(schema));
}
