/**
 * The name of a table in the API: its own in the first exposed schema, `schema.table` elsewhere.
 *
 * No two tables have the same name, and a name never depends on what else there is. A table of the first schema whose
 * name has a dot in it gets its schema as well, so `public."billing.invoices"` is `public.billing.invoices` and cannot
 * be taken for `billing.invoices`. A schema whose name has a dot or a quote in it is written in quotes, as in SQL.
 */
export function nameCollection(schema: string, table: string, schemas: readonly string[]): string {
  if (schema === schemas[0] && !table.includes('.')) return table;
  const label = /[."]/.test(schema) ? `"${schema.replaceAll('"', '""')}"` : schema;
  return `${label}.${table}`;
}
