import {
  isDatabaseError,
  translateDatabaseError,
  type DatabaseErrorLike,
  type DatabaseProblem,
  type FailureContext,
  type WriteDescription,
} from '@plinth/query';
import { Problem } from '../common/errors/index.js';

/** What a failed statement was about, as far as its error is told with it. */
export type FailedRequest = FailureContext & Partial<Pick<WriteDescription, 'prefix'>>;

/** A statement that PostgreSQL refused, with what that means to the client and whether trying again may help. */
export class DatabaseFailure extends Error {
  override readonly name = 'DatabaseFailure';
  readonly meaning: DatabaseProblem;

  constructor(
    readonly error: Error & DatabaseErrorLike,
    readonly request: FailedRequest,
  ) {
    super(error.message, { cause: error });
    this.meaning = translateDatabaseError(error, request);
  }

  /** The same failure, with the record at fault known. */
  at(failingRecord: number): DatabaseFailure {
    return new DatabaseFailure(this.error, { ...this.request, failingRecord });
  }

  toProblem(): Problem {
    const { type, detail, errors, operatorHint } = this.meaning;
    return new Problem(type, {
      detail,
      ...(errors.length > 0 ? { errors } : {}),
      ...(new Problem(type).status === 503 ? { headers: { 'retry-after': '1' } } : {}),
      cause: operatorHint === null ? this.error : new Error(operatorHint, { cause: this.error }),
    });
  }
}

/** Runs a statement; an error of PostgreSQL becomes a `DatabaseFailure`, any other one passes. */
export const explainFailure = <T>(request: () => FailedRequest, statement: () => Promise<T>): Promise<T> =>
  statement().catch((error: unknown) => {
    throw isDatabaseError(error) ? new DatabaseFailure(error, request()) : error;
  });
