import { describe, expect, it } from 'vitest';
import {
  addressText,
  isJsonObject,
  parseBatch,
  parseJsonBody,
  resolveReferences,
  stringifyNode,
  WriteError,
  type BatchOperation,
  type JsonNode,
} from '../src/write/index.js';

const parse = (value: unknown, limits = {}): readonly BatchOperation[] =>
  parseBatch(parseJsonBody(JSON.stringify(value)), limits);

const faults = (value: unknown): string[][] => {
  try {
    parse(value);
  } catch (error) {
    if (error instanceof WriteError && error.code === 'invalid-batch') {
      return error.errors.map(({ pointer, code }) => [pointer, code]);
    }
    throw error;
  }
  return [];
};

const operations = (...list: object[]): object => ({ operations: list });

describe('reading a batch', () => {
  it('takes operations with everything that they may have', () => {
    const [first, second] = parse(
      operations(
        {
          label: 'post',
          method: 'POST',
          path: '/posts',
          query: { fields: 'id', limit: 5 },
          body: { title: 'x' },
        },
        { method: 'PATCH', path: '/posts', id: { $ref: 'post.id' }, ifMatch: '"1-0-1."', body: {} },
      ),
    );
    expect(first).toMatchObject({ pointer: '/operations/0', label: 'post', method: 'POST', path: '/posts' });
    expect(first?.query.get('fields')).toBe('id');
    expect(second).toMatchObject({ label: null, ifMatch: '"1-0-1."' });
  });

  it.each([
    [[]],
    [{}],
    [{ operations: [] }],
    [{ operations: {} }],
    [{ operations: [{ method: 'GET', path: '/x' }], atomic: true }],
    [operations(...Array.from({ length: 101 }, () => ({ method: 'GET', path: '/x' })))],
  ])('refuses %j', (value) => {
    expect(() => parse(value)).toThrow(expect.objectContaining({ code: 'invalid-batch' }));
  });

  it('points at everything that is wrong before anything runs', () => {
    const found = faults(
      operations(
        { method: 'TRACE', path: 'posts', extra: 1 },
        { label: 'a b', method: 'POST', path: '/posts?x=1', body: {} },
        { label: 'a', method: 'GET', path: '/batch', body: {} },
        { label: 'a', method: 'POST', path: '/x', query: [], id: [] },
        { method: 'POST', path: '/x', query: { a: {} }, ifMatch: 1 },
      ).valueOf(),
    );
    expect(found).toEqual([
      ['/operations/0/extra', 'unknown-field'],
      ['/operations/0/method', 'format'],
      ['/operations/0/path', 'format'],
      ['/operations/1/path', 'format'],
      ['/operations/1/label', 'format'],
      ['/operations/2/path', 'format'],
      ['/operations/2/body', 'type'],
      ['/operations/3/id', 'type'],
      ['/operations/3/query', 'type'],
      ['/operations/3/label', 'unique'],
      ['/operations/4/query', 'type'],
      ['/operations/4/ifMatch', 'type'],
    ]);
  });

  it('refuses references to nothing, to itself and ahead, however deep', () => {
    const found = faults(
      operations(
        { label: 'a', method: 'POST', path: '/x', body: { id: { $ref: 'a.id' } } },
        { label: 'b', method: 'POST', path: '/x', body: [{ deep: [{ $ref: 'c.id' }, { $ref: 'a.id' }] }] },
        { label: 'c', method: 'POST', path: '/x', id: { $ref: 'nobody.id' }, query: { q: { $ref: 'd.id' } } },
        { label: 'd', method: 'POST', path: '/x', body: { x: { $ref: 'a' }, y: { $ref: 'a.' } } },
      ),
    );
    expect(found).toEqual([
      ['/operations/0/body/id', 'unknown-reference'],
      ['/operations/1/body/0/deep/0', 'unknown-reference'],
      ['/operations/2/id', 'unknown-reference'],
      ['/operations/2/query/q', 'unknown-reference'],
      ['/operations/3/body/x', 'format'],
      ['/operations/3/body/y', 'format'],
    ]);
  });
});

describe('resolving references', () => {
  const results = new Map<string, JsonNode>([
    [
      'post',
      parseJsonBody('{"id": 12345678901234567890, "tags": [{"name": "x"}], "__proto__": 1, "gone": null}')
        .root,
    ],
    ['silent', null],
  ]);
  const resolve = (value: unknown): string =>
    stringifyNode(
      resolveReferences(parseJsonBody(JSON.stringify(value)).root, results, '/operations/1/body'),
    );

  it('puts values in, numbers to the letter', () => {
    expect(
      resolve({ post_id: { $ref: 'post.id' }, all: [{ $ref: 'post.tags' }, { $ref: 'post.tags.0.name' }] }),
    ).toBe('{"post_id":12345678901234567890,"all":[[{"name":"x"}],"x"]}');
    expect(resolve({ x: { $ref: 'post.gone' }, y: { $ref: 1 }, z: { $ref: 'post.id', more: 1 } })).toBe(
      '{"x":null,"y":{"$ref":1},"z":{"$ref":"post.id","more":1}}',
    );
  });

  it.each([
    'post.nothing',
    'post.id.deeper',
    'post.tags.1',
    'post.tags.x',
    'post.toString',
    'post.gone.x',
    'silent.id',
  ])('refuses %s, which leads nowhere', (text) => {
    expect(() => resolve({ a: [{ $ref: text }] })).toThrow(
      expect.objectContaining({ errors: [expect.objectContaining({ pointer: '/operations/1/body/a/0' })] }),
    );
  });

  it('writes scalars as they stand in an address', () => {
    const { root } = parseJsonBody('{"a": 1, "b": 1.50, "c": "x", "d": true, "e": null, "f": []}');
    const texts = isJsonObject(root) ? [...root.values()].map(addressText) : [];
    expect(texts).toEqual(['1', '1.50', 'x', 'true', null, null]);
  });
});
