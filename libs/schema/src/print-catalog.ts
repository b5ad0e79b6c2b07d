import type { Catalog, Collection, Field, Relation } from './model.js';

/** The catalog as text for people: one block a collection, collections by name. */
export function printCatalog(catalog: Catalog): string {
  const collections = [...catalog.collections.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const blocks = collections.map(printCollection);
  return (
    [`catalog ${catalog.version}, schemas: ${catalog.schemas.join(', ')}`, ...blocks].join('\n\n') + '\n'
  );
}

function printCollection(collection: Collection): string {
  const { name, kind, comment, uniqueKeys, checks, foreignKeys, indexes } = collection;
  const keys = new Set(uniqueKeys.map((key) => key.name));
  const lines = [
    ...printColumns([...collection.fields.values()].map((field) => printField(field, collection))),
    ...uniqueKeys.map((key) => `${key.isPrimary ? 'primary key' : 'unique'} (${key.fields.join(', ')})`),
    ...foreignKeys.map((key) => {
      const target = key.target ?? `${key.targetSchema}.${key.targetTable} (not exposed)`;
      return `foreign key (${key.fields.join(', ')}) -> ${target} (${key.targetFields.join(', ')})`;
    }),
    ...checks.map(({ name, definition }) => `${definition} as ${name}`),
    ...indexes.filter((index) => !keys.has(index.name)).map(({ definition }) => definition),
    ...printColumns([...collection.relations.values()].map(printRelation)),
  ];
  const title = [
    name,
    `(${kind.replaceAll('-', ' ')}${printReadOnly(collection)})`,
    ...(comment ? [comment] : []),
  ];
  return [title.join('  '), ...lines.map((line) => `  ${line}`)].join('\n');
}

function printReadOnly({ insertable, updatable, deletable }: Collection): string {
  if (insertable && updatable && deletable) return '';
  const events = [insertable && 'insert', updatable && 'update', deletable && 'delete'].filter(Boolean);
  return events.length === 0 ? ', read only' : `, ${events.join(' and ')} only`;
}

function printField(field: Field, { kind }: Collection): string[] {
  const isTable = kind !== 'view' && kind !== 'materialized-view';
  const facts = [
    field.nullable || !isTable ? '' : 'not null',
    field.identity === null ? '' : `identity ${field.identity.replace('-', ' ')}`,
    field.generated === null ? '' : `generated ${field.generated}`,
    field.default === null ? '' : `default ${field.default}`,
  ];
  return [field.name, field.type.sql, facts.filter((fact) => fact !== '').join(', '), field.comment ?? ''];
}

function printRelation(relation: Relation): string[] {
  const way = relation.columns.map(({ source, target }) => `${source} = ${target}`).join(', ');
  const through = relation.through === undefined ? '' : ` through ${relation.through.collection}`;
  return [`${relation.name}(...)`, `${relation.kind} ${relation.target}${through}`, `on ${way}`];
}

/** Rows of cells, each column as wide as its widest cell. */
function printColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  }
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
