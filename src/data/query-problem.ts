import { QueryError, type QueryErrorCode } from '@plinth/query';
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
  'too-costly': 'query-too-complex',
};

/** A mistake that the query engine found, as a problem: which parameter, where in it, and what may have been meant. */
export function queryProblem(error: QueryError): Problem {
  const { parameter, position, suggestion } = error.detail;
  const detail =
    sentence(error.message) +
    (suggestion === undefined ? '' : ` Did you mean ${JSON.stringify(suggestion)}?`);
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
