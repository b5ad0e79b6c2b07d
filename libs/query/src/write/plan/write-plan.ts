import type { Collection, Field } from '@plinth/schema';
import type { FilterPlan, SelectionPlan } from '../../plan/selection-plan.js';
import type { PermissionClause, PresetPlan } from './write-permission.js';

interface WritePlanBase {
  readonly collection: Collection;
  readonly answer: AnswerPlan;
}

/** What the statement gives back. */
export interface AnswerPlan {
  /** Null where only the effect is wanted. */
  readonly selection: SelectionPlan | null;
  /** One record with its version and key, or a list. */
  readonly isList: boolean;
}

/** Records of one body that send the same fields, so that the same columns are written and the same rules apply. */
export interface SentGroup {
  readonly fields: readonly Field[];
  /** Of a group without fields, which has no columns to take rows from: how many rows. */
  readonly emptyRows: number;
  /** What each new row must fulfil. */
  readonly create: readonly PermissionClause[];
}

export interface CreatePlan extends WritePlanBase {
  readonly kind: 'create';
  readonly groups: readonly SentGroup[];
  readonly presets: readonly PresetPlan[];
}

/** The rows that an update or a delete is about: one by its key, or those that match. */
export type WriteTarget =
  | { readonly kind: 'key'; readonly isConditional: boolean }
  | { readonly kind: 'filter'; readonly filter: FilterPlan; readonly isBounded: boolean };

export interface UpdatePlan extends WritePlanBase {
  readonly kind: 'update';
  readonly target: WriteTarget;
  readonly fields: readonly Field[];
  /** Those of `fields` that are sent as an object and hold one, and so are merged member by member (RFC 7396). */
  readonly merged: ReadonlySet<string>;
  readonly presets: readonly PresetPlan[];
  readonly permission: readonly PermissionClause[];
}

export interface DeletePlan extends WritePlanBase {
  readonly kind: 'delete';
  readonly target: WriteTarget;
  readonly permission: readonly PermissionClause[];
}

/** `match`: only a row of a certain version; `exists`: only where a row is; `none`: only where no row is. */
export type MergePrecondition = 'match' | 'exists' | 'none' | null;

/** An upsert, or a `PUT`: rows that are there are updated, the others created. */
export interface MergePlan extends WritePlanBase {
  readonly kind: 'merge';
  /** The fields that tell whether a row is there: a unique key. */
  readonly key: readonly Field[];
  readonly nullsNotDistinct: boolean;
  /** Whether the key's values come with the path and not with each record. */
  readonly isKeyInPath: boolean;
  readonly groups: readonly MergeGroup[];
  readonly createPresets: readonly PresetPlan[];
  readonly updatePresets: readonly PresetPlan[];
  readonly precondition: MergePrecondition;
  readonly canCreate: boolean;
}

export interface MergeGroup extends SentGroup {
  /** What an update sets; the key is not among them. */
  readonly updated: readonly Field[];
  /** What an update sets back to its default. */
  readonly reset: readonly Field[];
  readonly update: readonly PermissionClause[];
}
