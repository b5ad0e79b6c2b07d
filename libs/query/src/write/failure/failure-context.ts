import type { Catalog, Collection } from '@plinth/schema';
import type { AccessView } from '../../access.js';
import { pointerStep, type FieldProblem, type FieldProblemCode } from '../write-error.js';
import type { DatabaseProblem, DatabaseProblemType } from './database-problem.js';

/** What is known of the request that failed. */
export interface FailureContext {
  readonly catalog: Catalog;
  readonly access: AccessView;
  readonly collection: Collection;
  /** How many records the body has; 0 where there is none. */
  readonly records: number;
  /** JSON pointer of the n-th record in the body. */
  readonly pointer: (index: number) => string;
  /** Names of the fields that are sent in any of the records. */
  readonly sentFields: ReadonlySet<string>;
  /** Names that the caller may be told of. */
  readonly knownFields: ReadonlySet<string>;
  /** Whether records that are there already are updated, by `upsertOn` or `PUT`. */
  readonly isMerge: boolean;
  /** Which record is at fault, where that was found out. */
  readonly failingRecord?: number;
}

/** The parts of a problem that are not as in most of them. */
export type ProblemParts = Partial<Omit<DatabaseProblem, 'type' | 'detail'>>;

export const problem = (
  type: DatabaseProblemType,
  detail: string,
  parts: ProblemParts = {},
): DatabaseProblem => ({
  type,
  detail,
  errors: [],
  retry: null,
  operatorHint: null,
  isOfOneRecord: false,
  ...parts,
});

/**
 * The faults of fields, with pointers, as far as the caller knows them and the record is known: none for one record of
 * many that was not found out yet, because a wrong pointer is worse than none.
 */
export function fieldProblems(
  context: FailureContext,
  names: readonly string[],
  code: FieldProblemCode,
  message: string,
): readonly FieldProblem[] {
  const index = context.failingRecord ?? (context.records <= 1 ? 0 : null);
  if (index === null) return [];
  const base = context.pointer(index);
  return names
    .filter((name) => context.knownFields.has(name))
    .map((name) => ({ pointer: base + pointerStep(name), code, message }));
}
