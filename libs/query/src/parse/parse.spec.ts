import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QueryError } from '../errors.js';
import { DEFAULT_QUERY_LIMITS as limits } from '../limits.js';
import { parseGroups, parseMeasures } from './aggregate.js';
import { parseFields, printFields, type FieldNode } from './fields.js';
import { LIST_PARAMETERS, readParameters, readRelationParameters, RECORD_PARAMETERS } from './parameters.js';
import { parseSort, printSort } from './sort.js';

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof QueryError) return error.code;
    throw error;
  }
  return 'none';
};

describe('parseFields', () => {
  it('reads names, everything, and embedded relations', () => {
    expect(printFields(parseFields('id, title,author( name,company(*)),*', limits))).toBe(
      'id,title,author(name,company(*)),*',
    );
  });

  it('reads names in quotes', () => {
    expect(parseFields('"weird, name","a""b"("(")', limits)).toEqual([
      { kind: 'field', name: 'weird, name', start: 0, end: 13 },
      {
        kind: 'relation',
        name: 'a"b',
        start: 14,
        end: 20,
        fields: [{ kind: 'field', name: '(', start: 21, end: 24 }],
      },
    ]);
  });

  it.each([
    '',
    ',',
    'a,',
    ',a',
    'a(',
    'a()',
    'a)',
    'a(b',
    'a b',
    'a(b)c',
    '"a',
    '""',
    'a.b',
    '*(a)',
    '**',
    'a:b',
    '"a"b',
  ])('refuses %j and says where', (text) => {
    const refusal = expect.objectContaining({
      code: 'invalid-fields',
      detail: expect.objectContaining({ parameter: 'fields' }),
    });
    expect(() => parseFields(text, limits)).toThrow(refusal);
  });

  it('bounds depth and number of embedded relations', () => {
    expect(codeOf(() => parseFields('a(b(c(d(e(f)))))', limits))).toBe('none');
    expect(codeOf(() => parseFields('a(b(c(d(e(f(g))))))', limits))).toBe('query-too-complex');
    expect(codeOf(() => parseFields('a('.repeat(60_000), limits))).toBe('query-too-complex');
    expect(codeOf(() => parseFields(Array(40).fill('a(b)').join(), limits))).toBe('query-too-complex');
  });

  const name = fc.string({ minLength: 1, unit: 'binary' });
  const nodes: fc.Memo<FieldNode[]> = fc.memo((depth) =>
    fc.array(
      fc.oneof(
        fc.constant<FieldNode>({ kind: 'all' }),
        name.map((text): FieldNode => ({ kind: 'field', name: text, start: 0, end: 0 })),
        ...(depth > 1
          ? [
              fc.tuple(name, nodes(depth - 1)).map(([text, fields]): FieldNode => ({
                kind: 'relation',
                name: text,
                fields,
                start: 0,
                end: 0,
              })),
            ]
          : []),
      ),
      { minLength: 1, maxLength: 4 },
    ),
  );

  it('reads what printFields writes, for any names', () => {
    fc.assert(
      fc.property(nodes(3), (tree) => {
        const text = printFields(tree);
        expect(printFields(parseFields(text, { ...limits, maxEmbeds: 1000 }))).toBe(text);
      }),
    );
  });

  it('reads or refuses any text, and never fails otherwise', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('a', 'b', ',', '(', ')', '*', '"', '.', ' ', '-') }),
    );
    fc.assert(
      fc.property(text, (input) => {
        for (const parse of [parseFields, parseSort, parseMeasures, parseGroups])
          expect(codeOf(() => parse(input, limits))).toBeTruthy();
      }),
      { numRuns: 2000 },
    );
  });
});

describe('parseSort', () => {
  it('reads directions and paths', () => {
    expect(printSort(parseSort('-published_at, title,author.name,-"a b"."-c"', limits))).toBe(
      '-published_at,title,author.name,-"a b"."-c"',
    );
  });

  it('reads what printSort writes, for any names', () => {
    const name = fc
      .string({ minLength: 1, unit: 'binary' })
      .map((text) => ({ name: text, start: 0, end: 0 }));
    const node = fc.record({
      path: fc.array(name, { minLength: 1, maxLength: 3 }),
      descending: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(node, { minLength: 1, maxLength: 8 }), (tree) => {
        expect(printSort(parseSort(printSort(tree), limits))).toBe(printSort(tree));
      }),
    );
  });

  it.each(['', '-', 'a,', 'a..b', '.a', 'a b', '+a b', '--'])('refuses %j', (text) => {
    const code = codeOf(() => parseSort(text, limits));
    expect(['invalid-sort', 'none']).toContain(code);
    expect(code).toBe(text === '--' ? 'none' : 'invalid-sort');
  });
});

describe('parseMeasures and parseGroups', () => {
  it('read functions, paths and units', () => {
    expect(parseMeasures('count, avg(views),countDistinct(author.country)', limits)).toMatchObject([
      { function: 'count', path: null },
      { function: 'avg', path: [{ name: 'views' }] },
      { function: 'countDistinct', path: [{ name: 'author' }, { name: 'country' }] },
    ]);
    expect(parseGroups('status,published_at:month', limits)).toMatchObject([
      { path: [{ name: 'status' }], unit: null },
      { path: [{ name: 'published_at' }], unit: 'month' },
    ]);
  });

  it.each(['', 'median(x)', 'sum', 'sum()', 'count(', 'avg(a,b)', 'toString(x)', '__proto__'])(
    'refuse %j',
    (text) => {
      expect(codeOf(() => parseMeasures(text, limits))).toBe('invalid-measure');
    },
  );

  it.each(['', 'a:', 'a:decade', ':month', 'a:month:day', 'a:constructor'])('refuse %j', (text) => {
    expect(codeOf(() => parseGroups(text, limits))).toBe('invalid-group');
  });
});

describe('readParameters', () => {
  const read = (entries: [string, string][], known = LIST_PARAMETERS): string =>
    codeOf(() => readRelationParameters(readParameters(entries, known, limits)));

  it('refuses every name that is not known, and suggests a near one', () => {
    for (const name of [
      'filters',
      'Filter',
      '__proto__',
      'constructor',
      'id',
      'author.name',
      'filter[x]',
      '',
      'a.b.fields',
    ]) {
      expect(read([[name, '1']])).toBe('unknown-parameter');
    }
    expect(() => readParameters([['filer', 'x']], LIST_PARAMETERS, limits)).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ suggestion: 'filter' }) }),
    );
  });

  it('refuses a name given twice, also in another spelling', () => {
    expect(
      read([
        ['limit', '1'],
        ['limit', '1'],
      ]),
    ).toBe('duplicate-parameter');
    expect(
      read([
        ['a.limit', '1'],
        ['"a".limit', '1'],
      ]),
    ).toBe('duplicate-parameter');
  });

  it('takes the parameters of relations by path', () => {
    const parameters = readParameters(
      [
        ['comments.limit', '1'],
        ['comments.author.filter', 'true'],
        ['"a.b".sort', 'x'],
      ],
      RECORD_PARAMETERS,
      limits,
    );
    expect([...readRelationParameters(parameters)]).toEqual([
      ['comments', { limit: 'comments.limit' }],
      ['comments.author', { filter: 'comments.author.filter' }],
      ['"a.b"', { sort: '"a.b".sort' }],
    ]);
  });

  it.each(['.limit', '..limit', 'a..limit', '"a.limit', 'a(b).limit'])('refuses the path in %j', (name) => {
    expect(read([[name, '1']])).toBe('unknown-parameter');
  });

  it('bounds number and length, and refuses NUL', () => {
    const many = Array.from({ length: 65 }, (_, index): [string, string] => [`r${index}.limit`, '1']);
    expect(read(many)).toBe('query-too-complex');
    expect(read([['filter', 'x'.repeat(70_000)]])).toBe('query-too-complex');
    expect(read([['search', 'a\0b']])).toBe('invalid-parameter');
  });
});
