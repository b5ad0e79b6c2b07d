import type { CheckedExpression } from '@plinth/expression';
import type { Collection, Field, Relation } from '@plinth/schema';

/** What of a record is in the answer. */
export interface SelectionPlan {
  readonly collection: Collection;
  /** In the order of the answer's keys. */
  readonly columns: readonly SelectedColumn[];
}

export type SelectedColumn = SelectedField | SelectedRelation;

export interface SelectedField {
  readonly kind: 'field';
  readonly name: string;
  readonly field: Field;
}

/** An embedded relation: one object or null, or a list. */
export interface SelectedRelation {
  readonly kind: 'relation';
  readonly name: string;
  readonly relation: Relation;
  /** Relation names from the root: `comments.author`. */
  readonly path: string;
  readonly selection: SelectionPlan;
  readonly filter: FilterPlan | null;
  /** Of a list; null for one object. */
  readonly list: { readonly sort: readonly SortKeyPlan[]; readonly limit: LimitPlan } | null;
}

/**
 * A number of rows. A usual one stands in the statement itself, because PostgreSQL plans a statement anew at every run
 * while it does not know how many rows are wanted; any other is bound under `input`, so that statements stay few.
 */
export type LimitPlan =
  { readonly kind: 'inline'; readonly rows: number } | { readonly kind: 'bound'; readonly input: string };

export interface FilterPlan {
  readonly expression: CheckedExpression;
  /** The request parameter that it came from, under which its literals are bound: `filter`, `comments.filter`. */
  readonly slot: string;
}

export type SortKeyPlan = SortFieldPlan | SortDigestPlan | SortPlacePlan;

export interface SortFieldPlan {
  readonly kind: 'field';
  /** To-one relations on the way to the field. */
  readonly path: readonly string[];
  readonly field: Field;
  readonly descending: boolean;
}

/** The tie-breaker where the key is hidden on some rows: a digest of it. */
export interface SortDigestPlan {
  readonly kind: 'digest';
  readonly fields: readonly Field[];
  readonly descending: boolean;
}

/** The row's place in its table: the tie-breaker where no key is. */
export interface SortPlacePlan {
  readonly kind: 'place';
  readonly column: 'tableoid' | 'ctid';
  readonly descending: boolean;
}
