import { Problem } from '../common/errors/index.js';

/**
 * For routes that take no query parameters: a mistyped one is told and not ignored.
 * @throws Problem `unknown-parameter`
 */
export function refuseParameters(query: Readonly<Record<string, unknown>>): void {
  const [name] = Object.keys(query);
  if (name === undefined) return;
  throw new Problem('unknown-parameter', {
    detail: `The parameter ${JSON.stringify(name)} is not known; this address takes none.`,
    errors: [{ pointer: `?${name}`, code: 'unknown-parameter', message: 'is not known' }],
  });
}
