import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateKey, hashKey, parseKeyPrefix } from './key-format.js';

describe('keys', () => {
  it('have a prefix to be found by and 190 random bits', () => {
    const keys = Array.from({ length: 200 }, () => generateKey());
    for (const { key, prefix } of keys) {
      expect(key).toMatch(/^plinth_[0-9A-Za-z]{10}_[0-9A-Za-z]{38}$/);
      expect(parseKeyPrefix(key)).toBe(prefix);
      expect(hashKey(key)).toHaveLength(32);
    }
    expect(new Set(keys.map(({ prefix }) => prefix)).size).toBe(200);
    const secrets = keys.map(({ key }) => key.slice(18, 50)).join('');
    // Each of 62 letters is expected 103 times.
    const counts = new Map<string, number>();
    for (const letter of secrets) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    expect(counts.size).toBe(62);
    expect(Math.min(...counts.values())).toBeGreaterThan(50);
    expect(Math.max(...counts.values())).toBeLessThan(170);
  });

  it('are refused with any letter changed, dropped or doubled', () => {
    const { key } = generateKey();
    for (let at = 0; at < key.length; at += 1) {
      const other = key[at] === 'x' ? 'y' : 'x';
      expect(parseKeyPrefix(key.slice(0, at) + other + key.slice(at + 1))).toBeNull();
      expect(parseKeyPrefix(key.slice(0, at) + key.slice(at + 1))).toBeNull();
      expect(parseKeyPrefix(key.slice(0, at) + key[at] + key.slice(at))).toBeNull();
    }
  });

  it('are told from any other text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string().map((text) => `plinth_${text}`),
        ),
        (text) => {
          expect(parseKeyPrefix(text)).toBeNull();
        },
      ),
    );
  });
});
