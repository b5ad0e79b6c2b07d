import { Query } from '@nestjs/common';
import { Problem } from '../common/errors/index.js';

/** For routes that take no query parameters: a mistyped one is told and not ignored. */
export const NoParameters = (): ParameterDecorator =>
  Query({
    transform(query: Readonly<Record<string, unknown>>): undefined {
      const [name] = Object.keys(query);
      if (name === undefined) return undefined;
      throw new Problem('unknown-parameter', {
        detail: `The parameter ${JSON.stringify(name)} is not known; this address takes none.`,
        errors: [{ pointer: `?${name}`, code: 'unknown-parameter', message: 'is not known' }],
      });
    },
  });
