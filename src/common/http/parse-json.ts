import { parseJsonBody, WriteError } from '@plinth/query';
import { Problem } from '../errors/index.js';

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
 * @throws Problem `invalid-json` or `invalid-request`
 */
export function parseJson(text: string): unknown {
  refuseUnclearJson(text);
  return JSON.parse(text, refuseForbiddenKeys) as unknown;
}

/** `JSON.parse` keeps the last of two equal keys without a word. */
function refuseUnclearJson(text: string): void {
  try {
    parseJsonBody(text, { maxLength: Number.POSITIVE_INFINITY });
  } catch (error) {
    if (!(error instanceof WriteError)) throw error;
    throw new Problem(error.code === 'invalid-json' ? 'invalid-json' : 'invalid-request', {
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
