import { createHash } from 'node:crypto';
import { buildCollections } from './build-collections.js';
import type { CatalogRows } from './catalog-rows.js';
import { CATALOG_SQL } from './catalog-sql.js';
import { exposedSchemas, READABLE_SYSTEM_TABLES } from './exposed-schemas.js';
import type { Catalog } from './model.js';

/** A connection, a pool, or anything else that runs a statement. */
export interface CatalogClient {
  query(text: string, values: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
}

/**
 * Reads the structure of the exposed schemas in one statement.
 *
 * System schemas and Plinth's own are left out whatever `schemas` says, but for `READABLE_SYSTEM_TABLES`; a schema that
 * does not exist has no collections. The result is frozen through and through. It never waits for a table that somebody holds exclusively:
 * what cannot be read of that is taken from `previous`, or left out (see `isProvisional`).
 * @throws the client's error
 */
export async function readCatalog(
  client: CatalogClient,
  options: { readonly schemas: readonly string[]; readonly previous?: Catalog | null },
): Promise<Catalog> {
  const schemas = Object.freeze(exposedSchemas(options.schemas));
  const { rows } = await client.query(CATALOG_SQL, [schemas, READABLE_SYSTEM_TABLES]);
  const text = rows[0]?.['catalog'];
  if (typeof text !== 'string') throw new TypeError('The catalog statement gave no text.');
  const content: CatalogRows = JSON.parse(text);
  const built = buildCollections(content, schemas, options.previous ?? null);
  return Object.freeze({ version: digest(schemas, built.collections), schemas, ...built });
}

function digest(...content: readonly unknown[]): string {
  const text = JSON.stringify(content, (_key, value: unknown) =>
    value instanceof Map ? [...value.values()] : value,
  );
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
