import { parseJsonBody, WriteError, type WriteErrorCode } from '@plinth/query';
import { Problem, type ProblemType } from '../errors/index.js';

/**
 * Names that could reach a prototype, and those that every object has from its own: class-transformer drops members
 * that are called so without a word, and a preset or a claim must not get lost.
 */
export const PROTOTYPE_NAMES: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  'prototype',
]);

/**
 * Parses a body for a DTO: JSON, as strict as for records, without keys that have to do with prototypes.
 * @throws Problem `invalid-json`, `invalid-request` or `body-too-large`
 */
export function parseJson(text: string): unknown {
  refuseUnclearJson(text);
  return JSON.parse(text, refuseForbiddenKeys) as unknown;
}

/**
 * The length is bounded before the text is there. The work of class-transformer grows with the square of an object's
 * members; no table has more than 1,600 columns.
 */
const LIMITS = {
  maxLength: Number.POSITIVE_INFINITY,
  maxRecords: Number.POSITIVE_INFINITY,
  maxMembers: 2000,
};

const PROBLEM_TYPES: Readonly<Partial<Record<WriteErrorCode, ProblemType>>> = {
  'invalid-json': 'invalid-json',
  'body-too-large': 'body-too-large',
};

/** `JSON.parse` keeps the last of two equal keys without a word. */
function refuseUnclearJson(text: string): void {
  try {
    parseJsonBody(text, LIMITS);
  } catch (error) {
    if (!(error instanceof WriteError)) throw error;
    throw new Problem(PROBLEM_TYPES[error.code] ?? 'invalid-request', {
      detail: error.message,
      ...(error.errors.length > 0 ? { errors: error.errors } : {}),
      cause: error,
    });
  }
}

function refuseForbiddenKeys(key: string, value: unknown): unknown {
  if (PROTOTYPE_NAMES.has(key)) {
    throw new Problem('invalid-request', {
      detail: `The key "${key}" is not allowed.`,
      errors: [{ pointer: `/${key}`, code: 'unknown-field', message: 'is not a field' }],
    });
  }
  return value;
}
