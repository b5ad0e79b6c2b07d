import type { FieldProblem } from '../write-error.js';

/** What an error of the database is to a client; the names are those of the HTTP layer's problem types. */
export type DatabaseProblemType =
  | 'unique-violation'
  | 'foreign-key-violation'
  | 'exclusion-violation'
  | 'not-null-violation'
  | 'check-violation'
  | 'value-rejected'
  | 'invalid-record'
  | 'check-failed'
  | 'forbidden'
  | 'not-found'
  | 'precondition-failed'
  | 'query-too-complex'
  | 'serialization-failure'
  | 'lock-timeout'
  | 'statement-timeout'
  | 'database-unavailable'
  | 'database-permission'
  | 'internal-error';

export interface DatabaseProblem {
  readonly type: DatabaseProblemType;
  /** For the client: no SQL, no values, no names that it may not know. */
  readonly detail: string;
  readonly errors: readonly FieldProblem[];
  /**
   * What may be done before the client is told: `statement`, run it again (in a transaction: after going back to the
   * savepoint before it); `race`, the same, but once: another request may just have written the record that this one
   * would have found; `transaction`, all of it again; `schema`, read the catalog and plan anew.
   */
  readonly retry: 'statement' | 'race' | 'transaction' | 'schema' | null;
  /** For the log: what an operator can do about it. */
  readonly operatorHint: string | null;
  /** True where one record of many is at fault and `locateFailure` can find out which. */
  readonly isOfOneRecord: boolean;
}

/** The parts of the driver's error that are used; `pg`'s `DatabaseError` has them all. */
export interface DatabaseErrorLike {
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly dataType?: string;
  readonly constraint?: string;
  /** The function of PostgreSQL's source that reported it. */
  readonly routine?: string;
}

/** Whether an error came from PostgreSQL, and not from the driver or the system. */
export function isDatabaseError(error: unknown): error is Error & DatabaseErrorLike {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    /^[0-9A-Z]{5}$/.test(error.code)
  );
}
