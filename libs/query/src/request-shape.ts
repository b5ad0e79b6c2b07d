import { DEFAULT_EXPRESSION_LIMITS, liftLiterals, type Literal } from '@plinth/expression';
import type { Catalog, Collection } from '@plinth/schema';
import type { AccessView } from './access.js';
import { ORDER_INPUT } from './compile/hidden-order.js';
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

/** Calls of `matches` in all filters together, however many filters they are spread over. */
const countPatterns = (shape: string): number => shape.match(/\bmatches\s*\(/g)?.length ?? 0;

const maxPatterns = ({ expression }: QueryLimits): number =>
  expression.maxPatterns ?? DEFAULT_EXPRESSION_LIMITS.maxPatterns;

function tooManyPatterns(parameter: string, limits: QueryLimits): QueryError {
  const message = `at most ${maxPatterns(limits)} patterns are matched in one request`;
  return new QueryError('query-too-complex', message, { parameter });
}

/** No text has this shape: NUL stands only before a placeholder's letter. */
const TOO_LONG = '\0too long';

/**
 * Parts a request into shape and values without parsing it: the literals of filters, unusual limits, the words of a
 * search, places and keys are values; everything else is shape.
 */
export function readShape(
  kind: 'list' | 'record' | 'aggregate',
  context: { readonly catalog: Catalog; readonly access: AccessView; readonly collection: Collection },
  parameters: Parameters,
  { limits, orderSecret }: { readonly limits: QueryLimits; readonly orderSecret: () => string },
): RequestShape {
  const maxFilterLength = limits.expression.maxLength ?? DEFAULT_EXPRESSION_LIMITS.maxLength;
  const literals = new Map<string, readonly Literal[]>();
  const inputs = new Map<string, string | null>([[ORDER_INPUT, orderSecret()]]);
  let patterns = 0;
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
      // Of the same shape as a text that was short enough once; planning it says what is wrong.
      if (text.length > maxFilterLength) return TOO_LONG;
      const lifted = liftLiterals(text);
      literals.set(name, lifted.literals);
      patterns += countPatterns(lifted.shape);
      if (patterns > maxPatterns(limits)) throw tooManyPatterns(name, limits);
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
      // PostgreSQL's parser keeps each of them on a stack of 32.
      if (/(?:-\s*){17}/.test(text)) {
        const message = 'search takes at most 16 minus signs in a row';
        throw new QueryError('invalid-search', message, { parameter: name });
      }
      inputs.set(SEARCH_INPUT, text);
      return isSearching(text) ? '?' : null;
    }
    return text;
  }
}
