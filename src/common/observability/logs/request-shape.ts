import type { ObservedRequest } from '../observed-request.js';

const REFUSED = 400;

/** Parameters of the records API that a line may name, whatever else is wrong with the request. */
const KNOWN = new Set([
  'fields',
  'filter',
  'sort',
  'limit',
  'offset',
  'cursor',
  'count',
  'search',
  'measures',
  'groupBy',
  'upsertOn',
]);

const OTHER = '(other)';

/**
 * The names of a request's query parameters, without their values. Names that a client made up could hold anything, so
 * those that are not fixed ones, such as `comments.filter`, are given only where the request was understood.
 */
export function listParameterNames({ incoming, status }: ObservedRequest): readonly string[] {
  const [, query] = (incoming.url ?? '').split('?', 2);
  if (query === undefined || query === '') return [];
  const names = [...new URLSearchParams(query).keys()];
  const isUnderstood = status > 0 && status < REFUSED;
  return [...new Set(names.map((name) => (isUnderstood || KNOWN.has(name) ? name : OTHER)))];
}
