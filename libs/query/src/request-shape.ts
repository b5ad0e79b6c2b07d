import { liftLiterals, type Literal } from '@plinth/expression';
import type { Catalog, Collection } from '@plinth/schema';
import type { AccessView } from './access.js';
import { SEARCH_INPUT } from './compile/search.js';
import { QueryError } from './errors.js';
import type { QueryLimits } from './limits.js';
import type { Parameters } from './parse/parameters.js';
import { limitShape } from './plan/limit.js';
import { isSearching } from './plan/plan-list.js';

/** What requests have in common that can share one statement (`key`), and what of a request is left to be bound. */
export interface RequestShape {
  readonly key: string;
  readonly literals: ReadonlyMap<string, readonly Literal[]>;
  readonly inputs: Map<string, string | null>;
}

/**
 * Parts a request into shape and values without parsing it: the literals of filters, unusual limits, the words of a
 * search, places and keys are values; everything else is shape.
 */
export function readShape(
  kind: 'list' | 'record' | 'aggregate',
  context: { readonly catalog: Catalog; readonly access: AccessView; readonly collection: Collection },
  parameters: Parameters,
  limits: QueryLimits,
): RequestShape {
  const literals = new Map<string, readonly Literal[]>();
  const inputs = new Map<string, string | null>();
  let key = [kind, context.catalog.version, context.access.key, context.collection.name].join('\0');
  for (const [name, text] of parameters) {
    const shape = readParameter(name, text);
    // The length keeps one parameter's text from being read as the next parameter.
    if (shape !== null) key += `\0${name}\0${shape.length}\0${shape}`;
  }
  return { key: `${key}\0`, literals, inputs };

  function readParameter(name: string, text: string): string | null {
    if (name === 'cursor' || name === 'offset') return null;
    if (name === 'filter' || name.endsWith('.filter')) {
      const lifted = liftLiterals(text);
      literals.set(name, lifted.literals);
      return lifted.shape;
    }
    if (kind === 'aggregate' && name === 'limit') return null;
    if (name === 'limit' || name.endsWith('.limit')) {
      inputs.set(name, text);
      return limitShape(parameters, name, limits);
    }
    if (name === 'search') {
      if (text.length > limits.maxSearchLength) {
        const message = `search takes at most ${limits.maxSearchLength} characters`;
        throw new QueryError('invalid-search', message, { parameter: name });
      }
      inputs.set(SEARCH_INPUT, text);
      return isSearching(text) ? '?' : null;
    }
    return text;
  }
}
