import {
  fieldVisibility,
  isRelationVisible,
  type AccessView,
  type CollectionAccess,
  type WriteRule,
} from '@plinth/query';
import type { Catalog, Collection, Field, Relation } from '@plinth/schema';
import { isNotNullType } from './type-schema.js';

export interface VisibleField {
  readonly field: Field;
  /** Null is also what the caller gets on rows where the field is hidden. */
  readonly isNullable: boolean;
}

/** The fields that a kind of write takes. */
export interface WritableFields {
  readonly fields: readonly Field[];
  /** Names of those that a new record cannot do without. */
  readonly required: readonly string[];
}

/** What a caller can do with a collection, as far as that is known without looking at rows. */
export interface CollectionView {
  readonly collection: Collection;
  readonly fields: readonly VisibleField[];
  readonly relations: readonly Relation[];
  /** The fields of the primary key, or null where records cannot be addressed by the caller. */
  readonly key: readonly Field[] | null;
  readonly canRead: boolean;
  readonly create: WritableFields | null;
  readonly update: WritableFields | null;
  readonly canDelete: boolean;
  /** Values of `upsertOn`. */
  readonly upsertKeys: readonly (readonly string[])[];
}

/** Collections that exist for the caller, in the catalog's order. */
export function listCollectionViews(catalog: Catalog, access: AccessView): CollectionView[] {
  return [...catalog.collections.values()].flatMap((collection) => {
    const rules = access.collection(collection.name);
    return rules ? [viewCollection(catalog, access, collection, rules)] : [];
  });
}

function viewCollection(
  catalog: Catalog,
  access: AccessView,
  collection: Collection,
  rules: CollectionAccess,
): CollectionView {
  const { privileges } = collection;
  const canRead = rules.read.length > 0 && privileges.select;
  const fields = canRead ? listVisibleFields(collection, rules) : [];
  const visible = new Set(fields.map(({ field }) => field.name));
  const isKeyVisible =
    collection.primaryKey.length > 0 && collection.primaryKey.every((name) => visible.has(name));
  const canCreate = rules.create.length > 0 && collection.insertable && privileges.insert;
  const canUpdate = rules.update.length > 0 && collection.updatable && privileges.update;
  const create = canCreate ? listWritableFields(collection, rules.create) : null;
  const update = canUpdate ? listWritableFields(collection, rules.update) : null;
  return {
    collection,
    fields,
    relations: [...collection.relations.values()].filter((relation) =>
      isRelationVisible(catalog, access, collection, relation),
    ),
    key: isKeyVisible ? collection.primaryKey.flatMap((name) => collection.fields.get(name) ?? []) : null,
    canRead,
    create,
    update,
    canDelete: rules.delete.length > 0 && collection.deletable && privileges.delete,
    upsertKeys:
      create && update
        ? collection.uniqueKeys
            .filter((key) => key.isDeferrable !== true && key.fields.every((name) => visible.has(name)))
            .map((key) => key.fields)
        : [],
  };
}

/** A domain that refuses null does so in tables; a view may still have null where its query found no row. */
const canBeNull = (field: Field, { kind }: Collection): boolean =>
  field.nullable && (kind === 'view' || kind === 'materialized-view' || !isNotNullType(field.type));

function listVisibleFields(collection: Collection, rules: CollectionAccess): VisibleField[] {
  return [...collection.fields.values()].flatMap((field) => {
    const visibility = fieldVisibility(rules, field.name);
    if (visibility === undefined) return [];
    return [{ field, isNullable: canBeNull(field, collection) || visibility !== 'always' }];
  });
}

/** What a rule sets itself, it takes out of the caller's hands. */
function listWritableFields(collection: Collection, rules: readonly WriteRule[]): WritableFields {
  const isListed = (name: string): boolean =>
    rules.some(({ fields, presets }) => !presets.has(name) && (fields === '*' || fields.has(name)));
  const fields = [...collection.fields.values()].filter((field) => field.writable && isListed(field.name));
  return { fields, required: fields.filter((field) => isNeeded(field)).map(({ name }) => name) };
}

/** Whether a row cannot be without a value for the field; of a domain, which may have its own default, nobody knows. */
const isNeeded = (field: Field): boolean =>
  !field.nullable &&
  field.default === null &&
  field.identity === null &&
  field.generated === null &&
  field.type.kind !== 'domain';
