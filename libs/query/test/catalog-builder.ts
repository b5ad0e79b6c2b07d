import type { Catalog, Collection, DataType, Field, Relation } from '@plinth/schema';

/** A catalog written down by hand, for what needs no database. */
export function catalogOf(collections: readonly Collection[]): Catalog {
  return {
    version: 'test',
    schemas: ['public'],
    collections: new Map(collections.map((collection) => [collection.name, collection])),
  };
}

const scalar = (name: string): DataType => ({ kind: 'scalar', name, sql: name, castSql: name });

export interface CollectionText {
  /** Types by field; a `?` at the end makes it nullable. */
  readonly fields: Readonly<Record<string, string | DataType>>;
  readonly primaryKey?: readonly string[];
  readonly relations?: readonly Relation[];
  readonly changes?: Partial<Collection>;
}

export function collectionOf(name: string, text: CollectionText): Collection {
  const fields = Object.entries(text.fields).map(([fieldName, type], index): Field => {
    const nullable = typeof type === 'string' && type.endsWith('?');
    return {
      name: fieldName,
      position: index + 1,
      type: typeof type === 'string' ? scalar(type.replace('?', '')) : type,
      nullable,
      default: null,
      identity: null,
      generated: null,
      comment: null,
      writable: true,
    };
  });
  return {
    name,
    schema: 'public',
    table: name,
    oid: 1,
    kind: 'table',
    comment: null,
    fields: new Map(fields.map((field) => [field.name, field])),
    primaryKey: text.primaryKey ?? ['id'],
    uniqueKeys: [],
    checks: [],
    foreignKeys: [],
    indexes: [],
    relations: new Map((text.relations ?? []).map((relation) => [relation.name, relation])),
    insertable: true,
    updatable: true,
    deletable: true,
    hasRowVersion: true,
    divertsWrites: false,
    privileges: { select: true, insert: true, update: true, delete: true },
    ...text.changes,
  };
}

export const toOne = (name: string, source: string, target: string): Relation => ({
  name,
  kind: 'many-to-one',
  isList: false,
  target,
  columns: [{ source, target: 'id' }],
  nullable: true,
  foreignKey: `${name}_fkey`,
});

export const toMany = (name: string, target: string, column: string): Relation => ({
  name,
  kind: 'one-to-many',
  isList: true,
  target,
  columns: [{ source: 'id', target: column }],
  nullable: true,
  foreignKey: `${name}_fkey`,
});
