import { describe, expect, it } from 'vitest';
import { createLruCache } from './lru-cache.js';

describe('a cache of the entries used last', () => {
  it('forgets the one that was not used for the longest time, and tells so', () => {
    const forgotten: number[] = [];
    const cache = createLruCache<number>(3, { dispose: (value) => forgotten.push(value) });
    for (const [index, key] of ['a', 'b', 'c'].entries()) cache.set(key, index);
    expect(cache.get('a')).toBe(0);
    cache.set('d', 3);
    expect(forgotten).toEqual([1]);
    expect([...cache.keys()].toSorted()).toEqual(['a', 'c', 'd']);
    cache.set('a', 4);
    expect(cache.size).toBe(3);
  });
});
