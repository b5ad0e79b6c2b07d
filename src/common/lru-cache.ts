import { LRUCache } from 'lru-cache';

/**
 * Remembers the entries that were used last, `maxEntries` at most. Memory is taken as they come: with lru-cache's own
 * `max` it would be taken for all of them at once.
 */
export function createLruCache<V extends {}>(
  maxEntries: number,
  options: Pick<LRUCache.Options<string, V, unknown>, 'dispose'> = {},
): LRUCache<string, V> {
  return new LRUCache<string, V>({ maxSize: maxEntries, sizeCalculation: () => 1, dispose: options.dispose });
}
