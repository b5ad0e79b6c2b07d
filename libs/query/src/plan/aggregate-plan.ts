import type { Collection, Field } from '@plinth/schema';
import type { MeasureFunction, TimeUnit } from '../parse/aggregate.js';
import { readInteger, type Parameters } from '../parse/parameters.js';
import type { QueryLimits } from '../limits.js';
import type { FilterPlan } from './selection-plan.js';

/** Groups of records with figures over each; without `groups` one row over all. */
export interface AggregatePlan {
  readonly kind: 'aggregate';
  readonly collection: Collection;
  readonly groups: readonly GroupPlan[];
  readonly measures: readonly MeasurePlan[];
  readonly filter: FilterPlan | null;
  readonly search: readonly Field[] | null;
  /** Columns of the result in order of weight; every group is among them, so that the order is complete. */
  readonly sort: readonly { readonly column: number; readonly descending: boolean }[];
}

interface ResultColumn {
  /** Its key in the rows of the answer. */
  readonly name: string;
}

export interface GroupPlan extends ResultColumn {
  readonly path: readonly string[];
  readonly field: Field;
  readonly unit: TimeUnit | null;
}

export interface MeasurePlan extends ResultColumn {
  readonly function: MeasureFunction;
  /** Null for the number of rows. */
  readonly operand: { readonly path: readonly string[]; readonly field: Field } | null;
}

/** How many groups are answered. Throws `QueryError` (`invalid-limit`). */
export const readGroupLimit = (parameters: Parameters, limits: QueryLimits): number =>
  readInteger(parameters, 'limit', { min: 1, max: limits.maxGroups, code: 'invalid-limit' }) ??
  limits.defaultGroups;
