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
 * Parses a body for a DTO: plain JSON without keys that have to do with prototypes.
 * @throws Problem `invalid-json` or `invalid-request`
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, refuseForbiddenKeys) as unknown;
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('invalid-json', { detail: (error as Error).message, cause: error });
  }
}

function refuseForbiddenKeys(key: string, value: unknown): unknown {
  if (PROTOTYPE_NAMES.has(key)) {
    throw new Problem('invalid-request', {
      detail: `The key "${key}" is not allowed.`,
      errors: [{ pointer: `/${key}`, code: 'unknown-field', message: 'is not a field' }],
    });
  }
  if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())) {
    throw new Problem('invalid-request', {
      detail: 'Text must be well-formed Unicode without NUL characters.',
      errors: [{ pointer: `/${key}`, code: 'format', message: 'must be well-formed Unicode without NUL' }],
    });
  }
  return value;
}
