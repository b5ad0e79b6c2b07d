import { Query } from '@nestjs/common';
import { Problem } from '../errors/index.js';

/**
 * For routes that take no query parameters: a mistyped one is told and not ignored.
 * @throws Problem `unknown-parameter`
 */
export function refuseParameters(query: Readonly<Record<string, unknown>>): void {
  const [name] = Object.keys(query);
  if (name !== undefined) throw unknownParameter(name, '; this address takes none');
}

/** The same as a parameter of a handler. */
export const NoParameters = (): ParameterDecorator => Query({ transform: refuseParameters });

export const unknownParameter = (name: string, reason = ''): Problem =>
  new Problem('unknown-parameter', {
    detail: `The parameter ${JSON.stringify(name)} is not known${reason}.`,
    errors: [{ pointer: `?${name}`, code: 'unknown-parameter', message: 'is not known' }],
  });
