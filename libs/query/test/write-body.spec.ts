import {
  array,
  assert,
  constantFrom,
  double,
  letrec,
  oneof,
  property,
  string,
  tuple,
  uniqueArray,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isJsonArray,
  isJsonObject,
  ExactNumber,
  parseJsonBody,
  stringifyNode,
  WriteError,
  type JsonNode,
} from '../src/write/index.js';

const failure = (text: string, limits = {}): WriteError => {
  try {
    parseJsonBody(text, limits);
  } catch (error) {
    if (error instanceof WriteError) return error;
    throw error;
  }
  throw new Error(`${text} was taken`);
};

/** Whether it does not throw; errors of the class and code do not count. */
const succeeds = (run: () => unknown, pardoned?: string): boolean => {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    if (error instanceof WriteError) return error.code === pardoned;
    throw error;
  }
};

const plain = (node: JsonNode): unknown => {
  if (node instanceof ExactNumber) return Number(node.text);
  if (isJsonArray(node)) return node.map(plain);
  // defineProperty, because a key may be __proto__.
  if (isJsonObject(node)) {
    const object = {};
    for (const [key, value] of node) {
      Object.defineProperty(object, key, {
        value: plain(value),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return object;
  }
  return node;
};

/** JSON text that JSON.stringify does not write: other spaces, escapes and spellings of numbers. */
const jsonText = letrec<{ value: string }>((tie) => ({
  value: oneof(
    { depthSize: 'small', withCrossShrink: true },
    constantFrom(
      'null',
      'true',
      'false',
      '-0',
      '1.0',
      '1E2',
      '0.1e-7',
      '12345678901234567890',
      '9007199254740993',
    ),
    double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
    string({ unit: 'grapheme' })
      .filter((text) => !text.includes('\0'))
      .map((text) => JSON.stringify(text)),
    constantFrom(String.raw`"\u00e9\n\t\/\b\f\r\"\\"`, String.raw`"\ud83d\ude00"`),
    array(tie('value'), { maxLength: 4 }).map((parts) => `[ ${parts.join(' ,\n')} ]`),
    uniqueArray(
      tuple(
        string({ maxLength: 3 }).filter((key) => !key.includes('\0')),
        tie('value'),
      ),
      {
        maxLength: 4,
        selector: ([key]) => key,
      },
    ).map((members) => `{${members.map(([key, value]) => `\t${JSON.stringify(key)} :${value}`).join(',')}}`),
  ),
})).value;

describe('reading a JSON body', () => {
  it('understands what JSON.parse understands, the same way', () => {
    assert(
      property(jsonText, (text) => {
        expect(plain(parseJsonBody(` ${text}\r\n`).root)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it('writes back what it read, numbers to the letter', () => {
    assert(
      property(jsonText, (text) => {
        const { root } = parseJsonBody(text);
        expect(parseJsonBody(stringifyNode(root)).root).toEqual(root);
      }),
      { numRuns: 500 },
    );
    expect(stringifyNode(parseJsonBody('[1.50,12345678901234567890,1e400,-0]').root)).toBe(
      '[1.50,12345678901234567890,1e400,-0]',
    );
  });

  it('refuses what JSON.parse refuses, and never fails otherwise', () => {
    const soup = string({ unit: constantFrom(...'{}[]",:\\u0129eE+-. \ntruefalsn\0é'.split('')) });
    assert(
      property(soup, (text) => {
        // Stricter than JSON only in what it says to be.
        const isTaken = succeeds(() => parseJsonBody(text), 'invalid-record');
        const isJson = succeeds(() => JSON.parse(text) as unknown);
        expect(isTaken).toBe(isJson);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['', 'line 1, column 1'],
    ['{"a": }', 'line 1, column 7'],
    ['{\n  "a": 01}', 'line 2, column 9'],
    ['[1,]', 'line 1, column 4'],
    ['{"a" 1}', 'line 1, column 6'],
    ["{'a': 1}", 'line 1, column 2'],
    ['"a\nb"', 'line 1, column 3'],
    ['[1] x', 'line 1, column 5'],
    ['"\\x"', 'line 1, column 2'],
    ['NaN', 'line 1, column 1'],
    ['{"a": 1', 'line 1, column 8'],
  ])('tells where %j is not JSON', (text, place) => {
    expect(failure(text)).toMatchObject({
      code: 'invalid-json',
      message: expect.stringContaining(place) as string,
    });
  });

  it('points at duplicate keys, NUL characters and lone surrogates', () => {
    const text = String.raw`[{"a": 1, "b": {"c": 1, "c": 2}}, {"a": "x\u0000"}, {"a": ["\ud800"]}, {"\u0000": 1}]`;
    expect(failure(text).errors.map(({ pointer, code }) => [pointer, code])).toEqual([
      ['/0/b/c', 'duplicate-key'],
      ['/1/a', 'invalid-text'],
      ['/2/a/0', 'invalid-text'],
      ['/3/', 'invalid-text'],
    ]);
    expect(failure('"\ud800"').code).toBe('invalid-json');
  });

  it('escapes pointers', () => {
    expect(failure('{"a/b": {"c~d": 1, "c~d": 2}}').errors[0]?.pointer).toBe('/a~1b/c~0d');
  });

  it('withstands bombs', () => {
    expect(failure('['.repeat(1_000_000)).code).toBe('body-too-large');
    expect(failure('{"a":'.repeat(100_000)).code).toBe('body-too-large');
    expect(failure(`[${'1,'.repeat(10_001)}1]`).code).toBe('body-too-large');
    expect(failure('[1,2]', { maxLength: 4 }).code).toBe('body-too-large');
    expect(failure(`{${'"a":1,'.repeat(5000)}"b":1}`).errors).toHaveLength(100);
    expect(parseJsonBody(`[${'9'.repeat(1_000_000)}]`).root).toHaveLength(1);
  });

  it('keeps keys that reach for a prototype as plain keys', () => {
    const { root } = parseJsonBody('{"__proto__": {"polluted": true}, "constructor": 1, "toString": 2}');
    expect(isJsonObject(root) && [...root.keys()]).toEqual(['__proto__', 'constructor', 'toString']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
