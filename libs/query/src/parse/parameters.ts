import { suggestName } from '@plinth/expression';
import { QueryError } from '../errors.js';
import type { QueryLimits } from '../limits.js';
import { NameReader } from './name-reader.js';
import { printPath } from './sort.js';

/** A request's query parameters by name, each known and given once. */
export type Parameters = ReadonlyMap<string, string>;

export const LIST_PARAMETERS: ReadonlySet<string> = new Set([
  'fields',
  'filter',
  'sort',
  'limit',
  'cursor',
  'offset',
  'count',
  'search',
]);
export const RECORD_PARAMETERS: ReadonlySet<string> = new Set(['fields']);
export const AGGREGATE_PARAMETERS: ReadonlySet<string> = new Set([
  'measures',
  'groupBy',
  'filter',
  'search',
  'sort',
  'limit',
  'offset',
]);

const RELATION_PARAMETER = /\.(?:limit|sort|filter)$/;

/** What a request says of one embedded relation: the names of its parameters, where they are given. */
export interface RelationParameters {
  limit?: string;
  sort?: string;
  filter?: string;
}

/**
 * Takes a request's parameters in: every name must be in `known`, or be `<relation path>.limit|sort|filter` where the
 * set has `fields`. Throws `QueryError` for any other name, a second one, and a text that is too long or holds NUL.
 */
export function readParameters(
  entries: Iterable<readonly [name: string, value: string]>,
  known: ReadonlySet<string>,
  limits: QueryLimits,
): Parameters {
  const parameters = new Map<string, string>();
  for (const [name, value] of entries) {
    if (!known.has(name) && !(known.has('fields') && RELATION_PARAMETER.test(name))) {
      throw unknownParameter(name, known);
    }
    if (parameters.has(name)) {
      throw new QueryError('duplicate-parameter', `the parameter ${name} is given twice`, {
        parameter: name,
        name,
      });
    }
    if (parameters.size >= limits.maxParameters) {
      throw new QueryError('query-too-complex', `at most ${limits.maxParameters} parameters are taken`);
    }
    if (value.length > limits.maxParameterLength) {
      throw new QueryError('query-too-complex', `the parameter ${name} is too long`, { parameter: name });
    }
    if (value.includes('\0') || name.includes('\0')) {
      throw new QueryError('invalid-parameter', 'a parameter holds a NUL character', { parameter: name });
    }
    parameters.set(name, value);
  }
  return parameters;
}

function unknownParameter(name: string, known: Iterable<string>): QueryError {
  const suggestion = suggestName(name, known);
  return new QueryError('unknown-parameter', `the parameter ${JSON.stringify(name)} is not known`, {
    parameter: name,
    name,
    suggestion,
  });
}

/** The parameters of embedded relations, by relation path (`comments.author`). */
export function readRelationParameters(parameters: Parameters): ReadonlyMap<string, RelationParameters> {
  const relations = new Map<string, RelationParameters>();
  for (const name of parameters.keys()) {
    const aspect = name.slice(name.lastIndexOf('.') + 1);
    if (aspect === name || !(aspect === 'limit' || aspect === 'sort' || aspect === 'filter')) continue;
    const reader = new NameReader(name.slice(0, -aspect.length - 1), 'unknown-parameter', name);
    const path = printPath(reader.readPath());
    reader.expectEnd();
    const relation = relations.get(path) ?? {};
    if (relation[aspect] !== undefined) {
      throw new QueryError('duplicate-parameter', `the parameter ${name} is given twice`, {
        parameter: name,
        name,
      });
    }
    relation[aspect] = name;
    relations.set(path, relation);
  }
  return relations;
}

/** A whole number from `min` to `max`, or a `QueryError`. */
export function readInteger(
  parameters: Parameters,
  name: string,
  bounds: { readonly min: number; readonly max: number; readonly code: 'invalid-limit' | 'invalid-offset' },
): number | null {
  const text = parameters.get(name);
  if (text === undefined) return null;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= bounds.min && value <= bounds.max) return value;
  throw new QueryError(bounds.code, `${name} must be a whole number from ${bounds.min} to ${bounds.max}`, {
    parameter: name,
  });
}
