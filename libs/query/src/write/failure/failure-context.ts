import type { Catalog, Collection } from '@plinth/schema';
import type { AccessView } from '../../access.js';
import { pointerStep, type FieldProblem, type FieldProblemCode } from '../write-error.js';
import type { DatabaseProblem, DatabaseProblemType } from './database-problem.js';

/** What is known of the request that failed; a `WriteQuery` is one, but for the last. */
export interface FailureContext {
  readonly catalog: Catalog;
  readonly access: AccessView;
  readonly collection: Collection;
  /** How many records the body has. */
  readonly records: number;
  readonly pointer: (index: number) => string;
  readonly sentFields: ReadonlySet<string>;
  /** Names that the caller may be told of. */
  readonly knownFields: ReadonlySet<string>;
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
