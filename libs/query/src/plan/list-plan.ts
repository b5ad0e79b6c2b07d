import type { Collection, Field } from '@plinth/schema';
import type { FilterPlan, LimitPlan, SelectionPlan } from './selection-plan.js';
import type { SortPlan } from './plan-sort.js';

/** A page of records. */
export interface ListPlan {
  readonly kind: 'list';
  readonly collection: Collection;
  readonly selection: SelectionPlan;
  readonly filter: FilterPlan | null;
  /** The fields that `search` looks into, or null where it is not asked for. */
  readonly search: readonly Field[] | null;
  readonly sort: SortPlan;
  readonly limit: LimitPlan;
  readonly start: PageStart;
  readonly count: 'exact' | 'estimated' | null;
}

/** Where a page begins: at the front, so many rows further on, or after a cursor's row (where its values are null). */
export type PageStart =
  | { readonly kind: 'front' }
  | { readonly kind: 'offset' }
  | { readonly kind: 'after'; readonly nullValues: readonly boolean[] };

/** One record by its primary key. */
export interface RecordPlan {
  readonly kind: 'record';
  readonly collection: Collection;
  readonly selection: SelectionPlan;
  /** True where the row's version alone tells whether the answer has changed. */
  readonly isRowVersionSufficient: boolean;
}
