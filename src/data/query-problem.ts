import { type QueryError, type QueryErrorCode, type WriteError, type WriteErrorCode } from '@plinth/query';
import { Problem, type ProblemType } from '../common/errors/index.js';

const PROBLEM_TYPES: Readonly<Record<QueryErrorCode, ProblemType>> = {
  'unknown-collection': 'unknown-collection',
  'unknown-field': 'unknown-field',
  'unknown-parameter': 'unknown-parameter',
  'duplicate-parameter': 'invalid-parameter',
  'conflicting-parameters': 'invalid-parameter',
  'invalid-parameter': 'invalid-parameter',
  'invalid-fields': 'invalid-parameter',
  'invalid-sort': 'invalid-parameter',
  'invalid-filter': 'invalid-filter',
  'invalid-limit': 'invalid-parameter',
  'invalid-offset': 'invalid-parameter',
  'invalid-cursor': 'invalid-cursor',
  'invalid-count': 'invalid-parameter',
  'invalid-search': 'invalid-parameter',
  'invalid-measure': 'invalid-parameter',
  'invalid-group': 'invalid-parameter',
  'invalid-key': 'invalid-key',
  'query-too-complex': 'query-too-complex',
};

/** A mistake that the query engine found, as a problem: which parameter, where in it, and what may have been meant. */
export function queryProblem(error: QueryError): Problem {
  const { parameter, position, suggestion } = error.detail;
  // What the expression engine says of a name ends with the near match already.
  const isHintDue = suggestion !== undefined && !error.message.includes('Did you mean');
  const hint = isHintDue ? ` Did you mean ${JSON.stringify(suggestion)}?` : '';
  const detail = sentence(error.message) + hint;
  return new Problem(PROBLEM_TYPES[error.code], {
    detail,
    ...(parameter === undefined
      ? {}
      : {
          errors: [
            {
              pointer: `?${parameter}`,
              code: error.detail.reason ?? error.code,
              message: error.message,
              position,
            },
          ],
        }),
    cause: error,
  });
}

function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

const WRITE_PROBLEM_TYPES: Readonly<Record<WriteErrorCode, ProblemType>> = {
  'invalid-json': 'invalid-json',
  'invalid-body': 'invalid-request',
  'body-too-large': 'body-too-large',
  'invalid-record': 'invalid-record',
  forbidden: 'forbidden',
  'not-supported': 'not-implemented',
  'invalid-upsert': 'invalid-parameter',
  'invalid-batch': 'invalid-request',
  'filter-required': 'filter-required',
};

/** A write that was refused before it reached the database, as a problem with every field at fault. */
export function writeProblem(error: WriteError): Problem {
  return new Problem(WRITE_PROBLEM_TYPES[error.code], {
    detail: sentence(error.message),
    ...(error.errors.length > 0 ? { errors: error.errors } : {}),
    cause: error,
  });
}
