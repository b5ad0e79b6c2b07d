import {
  fieldVisibility,
  isRelationVisible,
  planPresets,
  sendableFields,
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
  /** Names of those that must be sent. */
  readonly required: readonly string[];
}

/** What a caller can do with a collection, as far as that is known without looking at rows. */
export interface CollectionView {
  readonly collection: Collection;
  readonly canRead: boolean;
  readonly fields: readonly VisibleField[];
  readonly relations: readonly Relation[];
  /** The fields of the primary key, or null where records cannot be addressed by the caller. */
  readonly key: readonly Field[] | null;
  readonly create: WritableFields | null;
  /** With the unique keys that `upsertOn` may name. */
  readonly upsert: (WritableFields & { readonly keys: readonly (readonly string[])[] }) | null;
  readonly update: WritableFields | null;
  readonly replace: WritableFields | null;
  readonly canDelete: boolean;
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
  const { privileges, primaryKey } = collection;
  const canRead = rules.read.length > 0 && privileges.select;
  const fields = canRead ? listVisibleFields(collection, rules) : [];
  const visible = new Set(fields.map(({ field }) => field.name));
  const isKeyVisible = primaryKey.length > 0 && primaryKey.every((name) => visible.has(name));
  // Without a key or a version of rows, one row could not be told from another.
  const hasRows = primaryKey.length > 0 || collection.hasRowVersion;
  const isInsertable = collection.insertable && privileges.insert;
  const isUpdatable = collection.updatable && privileges.update && hasRows;
  return {
    collection,
    canRead,
    fields,
    relations: canRead
      ? [...collection.relations.values()].filter((relation) =>
          isRelationVisible(catalog, access, collection, relation),
        )
      : [],
    key: isKeyVisible ? primaryKey.flatMap((name) => collection.fields.get(name) ?? []) : null,
    create: isInsertable && rules.create.length > 0 ? viewCreate(collection, rules.create) : null,
    upsert: isInsertable && isUpdatable ? viewUpsert(collection, rules, visible) : null,
    update: isUpdatable && rules.update.length > 0 ? viewUpdate(collection, rules.update) : null,
    replace: isInsertable && isUpdatable ? viewReplace(collection, rules) : null,
    canDelete: rules.delete.length > 0 && collection.deletable && privileges.delete && hasRows,
  };
}

function viewCreate(collection: Collection, rules: readonly WriteRule[]): WritableFields {
  const fields = listSendable(collection, rules);
  return { fields, required: namesOf(fields.filter(isNeeded)) };
}

const viewUpdate = (collection: Collection, rules: readonly WriteRule[]): WritableFields => ({
  fields: listSendable(collection, rules),
  required: [],
});

/** What is left out of a record that is there stays, so only the key has to be sent. */
function viewUpsert(
  collection: Collection,
  rules: CollectionAccess,
  visible: ReadonlySet<string>,
): CollectionView['upsert'] {
  const creating = rules.create.length > 0 ? rules.create : rules.update;
  const settable = new Set(namesOf(listSendable(collection, creating)));
  const keys = collection.uniqueKeys
    .filter(({ isDeferrable }) => isDeferrable !== true)
    .map((key) => key.fields)
    .filter((key) => key.every((name) => settable.has(name) && visible.has(name)));
  const [first] = keys;
  if (!first) return null;
  const inAll = first.filter((name) => keys.every((key) => key.includes(name)));
  return { fields: listSendable(collection, rules.create, rules.update), required: inAll, keys };
}

/** The key is in the path; the body may repeat it. */
function viewReplace(collection: Collection, rules: CollectionAccess): WritableFields | null {
  if (rules.create.length === 0 && rules.update.length === 0) return null;
  const key = new Set(collection.primaryKey);
  const sendable = new Set(listSendable(collection, rules.create, rules.update));
  const preset = new Set(
    [...planPresets(rules.create, collection), ...planPresets(rules.update, collection)].map(
      ({ field }) => field,
    ),
  );
  return {
    fields: [...collection.fields.values()].filter((field) => sendable.has(field) || key.has(field.name)),
    required: namesOf(
      [...sendable].filter((field) => isNeeded(field) && !key.has(field.name) && !preset.has(field.name)),
    ),
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

/** Fields that any of these sets of rules lets the caller send, in the catalog's order. */
function listSendable(collection: Collection, ...sets: readonly (readonly WriteRule[])[]): Field[] {
  const sendable = sets.map((rules) => sendableFields(rules, collection));
  return [...collection.fields.values()].filter(
    (field) => field.writable && sendable.some((names) => names.has(field.name)),
  );
}

const namesOf = (fields: readonly Field[]): string[] => fields.map(({ name }) => name);

/** Whether a row cannot be without a value for the field; of a domain, which may have its own default, nobody knows. */
const isNeeded = (field: Field): boolean =>
  !field.nullable &&
  field.default === null &&
  field.identity === null &&
  field.generated === null &&
  field.type.kind !== 'domain';
