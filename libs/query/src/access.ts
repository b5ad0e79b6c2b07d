import type { CheckedExpression } from '@plinth/expression';
import type { Collection } from '@plinth/schema';

/** What one set of roles may do, as the query compiler needs it. */
export interface AccessView {
  /** Equal keys mean equal rules (roles and the version of their policies): part of every plan's cache key. */
  readonly key: string;
  /** Undefined where nothing is allowed: the collection does not exist for the caller. */
  collection(name: string): CollectionAccess | undefined;
}

/** An empty array means that the action is not allowed at all. Rules add up: any one that applies is enough. */
export interface CollectionAccess {
  readonly read: readonly ReadRule[];
  readonly create: readonly WriteRule[];
  readonly update: readonly WriteRule[];
  readonly delete: readonly DeleteRule[];
}

export interface ReadRule {
  readonly id: string;
  /** Which rows; null is every row. Compiled over raw rows, without any policy in between. */
  readonly condition: CheckedExpression | null;
  readonly fields: ReadonlySet<string> | '*';
}

export interface WriteRule {
  readonly id: string;
  /** Of an update: the row as it was. Null is every row. */
  readonly condition: CheckedExpression | null;
  /** The row as it will be. */
  readonly check: CheckedExpression | null;
  readonly fields: ReadonlySet<string> | '*';
  readonly presets: ReadonlyMap<string, Preset>;
}

export interface DeleteRule {
  readonly id: string;
  readonly condition: CheckedExpression | null;
}

export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A value that the server sets on a write. */
export type Preset = { readonly expression: CheckedExpression } | { readonly value: JsonValue };

const everyRow: ReadRule = { id: 'unrestricted', condition: null, fields: '*' };
const everyWrite: WriteRule = { ...everyRow, check: null, presets: new Map() };

/** Every row, every field, every action: what the role `admin` has on each collection. */
export const UNRESTRICTED: CollectionAccess = {
  read: [everyRow],
  create: [everyWrite],
  update: [everyWrite],
  delete: [{ id: 'unrestricted', condition: null }],
};

/**
 * On which of the readable rows a field is visible: on all of them, or on those that one of the rules matches.
 * Undefined where no rule lists it, so that it does not exist for the caller.
 */
export type FieldVisibility = 'always' | readonly ReadRule[] | undefined;

/**
 * Finds out without looking at rows whether a field needs masking. It does not when a rule without a condition lists
 * it, or when every rule does: a row is only there because one of them matched.
 */
export function fieldVisibility(access: CollectionAccess, field: string): FieldVisibility {
  const listing = access.read.filter((rule) => rule.fields === '*' || rule.fields.has(field));
  if (listing.length === 0) return undefined;
  if (listing.length === access.read.length) return 'always';
  return listing.some((rule) => rule.condition === null) ? 'always' : listing;
}

/** The rules that pick the readable rows, or null where one of them has no condition: every row. */
export function rowConditions(access: CollectionAccess): readonly CheckedExpression[] | null {
  const conditions: CheckedExpression[] = [];
  for (const rule of access.read) {
    if (rule.condition === null) return null;
    conditions.push(rule.condition);
  }
  return conditions;
}

/** Names of the fields of a collection that are visible on some row at least, in the catalog's order. */
export const visibleFields = (access: CollectionAccess, collection: Collection): readonly string[] =>
  [...collection.fields.keys()].filter((name) => fieldVisibility(access, name) !== undefined);
