import { QueryError } from '../errors.js';
import type { QueryLimits } from '../limits.js';
import { NameReader, printName, type NameNode } from './name-reader.js';

export interface SortNode {
  /** Relations on the way, then the field. */
  readonly path: readonly NameNode[];
  readonly descending: boolean;
}

/** Parses `-published_at,title,author.name`. Throws `QueryError` (`invalid-sort`, `query-too-complex`). */
export function parseSort(text: string, limits: QueryLimits, parameter = 'sort'): readonly SortNode[] {
  const reader = new NameReader(text, 'invalid-sort', parameter);
  const nodes: SortNode[] = [];
  do {
    const descending = reader.take('-');
    nodes.push({ path: reader.readPath(), descending });
  } while (reader.take(','));
  reader.expectEnd();
  if (nodes.length > limits.maxSortKeys) {
    throw new QueryError('query-too-complex', `${parameter} takes at most ${limits.maxSortKeys} keys`, {
      parameter,
    });
  }
  return nodes;
}

/** The text that `parseSort` reads as the same list, positions apart. */
export const printSort = (nodes: readonly SortNode[]): string =>
  nodes.map(({ path, descending }) => `${descending ? '-' : ''}${printPath(path)}`).join(',');

export const printPath = (path: readonly NameNode[]): string =>
  path.map(({ name }) => printName(name)).join('.');
