import type { FieldSchema, RecordSchema, RelationSchema } from '@plinth/expression';
import type { Catalog, Collection, Relation } from '@plinth/schema';
import { type AccessView, fieldVisibility } from './access.js';

/**
 * A record as it is, without policies: what the conditions of policies are checked against.
 */
export class RawRecordSchema implements RecordSchema {
  readonly name: string;

  constructor(
    private readonly catalog: Catalog,
    private readonly collection: Collection,
  ) {
    this.name = collection.name;
  }

  field(name: string): FieldSchema | undefined {
    return this.collection.fields.get(name);
  }

  relation(name: string): RelationSchema | undefined {
    const relation = this.collection.relations.get(name);
    const target = relation && this.catalog.collections.get(relation.target);
    if (!relation || !target) return undefined;
    return { target: new RawRecordSchema(this.catalog, target), isList: relation.isList };
  }

  *names(): Iterable<string> {
    yield* this.collection.fields.keys();
    yield* this.collection.relations.keys();
  }
}

/**
 * A record as a caller sees it: what requests are checked against. A field that no rule lists and a relation whose
 * linking columns are hidden do not exist, so that neither an answer nor a suggestion can tell of them.
 */
export class VisibleRecordSchema implements RecordSchema {
  readonly name: string;

  constructor(
    private readonly catalog: Catalog,
    private readonly access: AccessView,
    private readonly collection: Collection,
  ) {
    this.name = collection.name;
  }

  field(name: string): FieldSchema | undefined {
    const field = this.collection.fields.get(name);
    const access = this.access.collection(this.collection.name);
    if (!field || !access) return undefined;
    const visibility = fieldVisibility(access, name);
    if (visibility === undefined) return undefined;
    return visibility === 'always' ? field : { type: field.type, nullable: true };
  }

  relation(name: string): RelationSchema | undefined {
    const relation = this.collection.relations.get(name);
    if (!relation || !isRelationVisible(this.catalog, this.access, this.collection, relation))
      return undefined;
    const target = this.catalog.collections.get(relation.target);
    return (
      target && {
        target: new VisibleRecordSchema(this.catalog, this.access, target),
        isList: relation.isList,
      }
    );
  }

  *names(): Iterable<string> {
    for (const name of this.collection.fields.keys()) if (this.field(name)) yield name;
    for (const name of this.collection.relations.keys()) if (this.relation(name)) yield name;
  }
}

/**
 * A relation says which rows have equal values in the linking columns. So it is there only for who may read those
 * columns on both sides, and on the join table between them; where they are hidden on some rows, it is empty there.
 */
export function isRelationVisible(
  catalog: Catalog,
  access: AccessView,
  collection: Collection,
  relation: Relation,
): boolean {
  const isVisible = (name: string, fields: readonly string[]): boolean => {
    const rules = access.collection(name);
    return (
      catalog.collections.has(name) &&
      rules !== undefined &&
      rules.read.length > 0 &&
      fields.every((field) => fieldVisibility(rules, field) !== undefined)
    );
  };
  const nearFields = relation.columns.map((pair) => pair.source);
  const linkedFields = relation.columns.map((pair) => pair.target);
  if (!isVisible(collection.name, nearFields)) return false;
  const { through } = relation;
  if (!through) return isVisible(relation.target, linkedFields);
  return (
    isVisible(through.collection, [...linkedFields, ...through.columns.map((pair) => pair.source)]) &&
    isVisible(
      relation.target,
      through.columns.map((pair) => pair.target),
    )
  );
}
