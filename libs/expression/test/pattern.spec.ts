import type { PoolClient } from 'pg';
import { RE2JS } from 're2js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/kit/database.js';
import { ExpressionError } from '../src/index.js';
import { boundPatternSize } from '../src/pattern/bound-pattern-size.js';
import { PatternParser } from '../src/pattern/parse-pattern.js';
import { expandedSize } from '../src/pattern/pattern-tree.js';
import { type Pattern, translatePattern } from '../src/pattern/translate-pattern.js';
import { TEXTS } from './random-rows.js';
import { Random } from '../../../test/kit/random.js';

const SEED = Number(process.env['PLINTH_EXPRESSION_SEED'] ?? Date.now() % 1_000_000);
const COUNT = Number(process.env['PLINTH_EXPRESSION_COUNT'] ?? 3000);
const RANGE = { start: 0, end: 0 };

const SUBJECTS: readonly string[] = [
  ...TEXTS,
  'aaa',
  'ab12_c',
  'foo.bar',
  'a-b^c]d[e',
  'one\ntwo\n',
  '\n',
  'ſ',
  'S',
  'ÀÉ',
  '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~',
];

const ATOMS: readonly string[] = [
  'a',
  'b',
  'k',
  'S',
  'é',
  'É',
  '1',
  '_',
  '-',
  ' ',
  '.',
  '\\.',
  '\\d',
  '\\D',
  '\\w',
  '\\W',
  '\\s',
  '\\S',
  '\\n',
  '\\x41',
  '\\x{1F600}',
  '\\101',
  '\\Qa.b\\E',
  '[abc]',
  '[^abc]',
  '[a-f]',
  '[^\\n]',
  '[]a]',
  '[^]a]',
  '[a\\-z]',
  '[\\w.]',
  '[^\\W]',
  '[[:alpha:]]',
  '[[:^digit:]_]',
  '[[:punct:]]',
  '[\\]^[-]',
  '[é-ü]',
  '^',
  '$',
  '\\A',
  '\\z',
  '\\b',
  '\\B',
  '"',
  '#',
  '\\^',
  '\\$',
  '\\*',
  '\\\\',
  '\\{',
  '\\|',
  '~',
  '',
];

/** The true size of a pattern; infinite where it is none. */
function sizeOf(source: string): number {
  try {
    RE2JS.compile(source);
    return expandedSize(new PatternParser(source).parse());
  } catch {
    return Infinity;
  }
}

function writePattern(random: Random, depth: number): string {
  if (depth === 0) return random.pick(ATOMS);
  const smaller = (): string => writePattern(random, depth - 1);
  switch (random.below(9)) {
    case 0:
      return `(?:${smaller()}|${smaller()})`;
    case 1:
      return `(${smaller()})${random.pick(['*', '+', '?', '{2}', '{0,2}', '{1,}', '*?', '{300}', '{0}'])}`;
    case 2:
      return `(?${random.pick(['i', 's', 'm', 'is', 'i-s', 'U'])})${smaller()}`;
    case 3:
      return `(?${random.pick(['i', 's', 'm'])}:${smaller()})`;
    case 4:
      return `(?P<n${random.below(1000)}>${smaller()})`;
    default:
      return `${smaller()}${smaller()}`;
  }
}

describe(`patterns, PLINTH_EXPRESSION_SEED=${SEED}`, () => {
  let database: TestDatabase;
  let client: PoolClient;

  beforeAll(async () => {
    database = await createTestDatabase();
    client = await database.pool.connect();
    await client.query('SET statement_timeout = 60000');
  });

  afterAll(async () => {
    client.release();
    await database.drop();
  });

  async function matchInDatabase(patterns: readonly Pattern[]): Promise<boolean[]> {
    const { rows } = await client.query<{ matches: boolean }>(
      `SELECT s COLLATE "C" ~ p AS matches
         FROM unnest($1::text[]) WITH ORDINALITY AS a(p, i), unnest($2::text[]) WITH ORDINALITY AS b(s, j)
        ORDER BY i, j`,
      [patterns.map(({ are }) => are), SUBJECTS],
    );
    return rows.map(({ matches }) => matches);
  }

  it(
    `matches the same texts with ${COUNT} patterns in PostgreSQL as RE2 does`,
    { timeout: 600_000 },
    async () => {
      const random = new Random(SEED);
      const sources: string[] = [];
      const patterns: Pattern[] = [];
      let refused = 0;
      while (patterns.length < COUNT) {
        const source = writePattern(random, random.below(5));
        try {
          patterns.push(translatePattern(source, RANGE));
          sources.push(source);
        } catch (error) {
          if (!(error instanceof ExpressionError))
            throw new Error(`${source} broke the translation`, { cause: error });
          refused += 1;
        }
      }
      const disagreements: string[] = [];
      for (let done = 0; done < COUNT; done += 100) {
        const batch = patterns.slice(done, done + 100);
        const answers = await matchInDatabase(batch);
        batch.forEach(({ re2, are }, index) => {
          SUBJECTS.forEach((subject, at) => {
            const answered = answers[index * SUBJECTS.length + at];
            if (re2.test(subject) !== answered) {
              disagreements.push(
                `${sources[done + index]} as ${are} on ${JSON.stringify(subject)}: ${answered}`,
              );
            }
          });
        });
      }
      expect(disagreements.slice(0, 12)).toEqual([]);
      expect(refused).toBeLessThan(COUNT);
    },
  );

  it('bounds the size of a pattern, without understanding it, never too high', () => {
    const random = new Random(SEED);
    for (let done = 0; done < COUNT; done += 1) {
      const source = writePattern(random, random.below(6));
      const size = sizeOf(source);
      if (boundPatternSize(source) > size)
        throw new Error(`${source}: ${boundPatternSize(source)} > ${size}`);
    }
    for (const source of [
      '',
      '(',
      ')',
      '[',
      '[^',
      '[]',
      '\\',
      '\\x{',
      '\\Q',
      '(?',
      '(?P<',
      '{',
      '{1',
      'a{9999999999}',
      '|',
    ]) {
      expect(boundPatternSize(source)).toBeLessThan(20);
    }
  });

  it.each([
    ['x{1000}'.repeat(140), 140_000],
    ['((x{100}){100})', 10_000],
    ['(?i:(?P<name>[a-z]{30})\\x{1F600}{30}){10}', 600],
    ['([]{]{200}|\\pL{200}|\\Q{}\\E{200}){3}', 1803],
  ])('bounds the size of a large pattern before it is compiled: %.30s', (source, size) => {
    expect(boundPatternSize(source)).toBe(size);
  });

  it('takes every punctuation character for itself', async () => {
    const punctuation = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).filter(
      (char) => /\W|_/.test(char),
    );
    const patterns = punctuation.flatMap((char) => [
      translatePattern(`\\x{${char.charCodeAt(0).toString(16)}}`, RANGE),
      translatePattern(`[a\\x{${char.charCodeAt(0).toString(16)}}]`, RANGE),
    ]);
    const answers = await matchInDatabase(patterns);
    patterns.forEach(({ re2 }, index) => {
      const expected = SUBJECTS.map((subject) => re2.test(subject));
      expect(answers.slice(index * SUBJECTS.length, (index + 1) * SUBJECTS.length)).toEqual(expected);
    });
  });

  it.each(['^(a+)+$', '(a|aa)+$', '(.*)*x', '(a*)*b', '([a-z]+)*[0-9]', '^(\\w+\\s?)*$'])(
    'answers %s on a hostile text without delay',
    async (source) => {
      const { are, re2 } = translatePattern(source, RANGE);
      const subject = `${'a'.repeat(5000)}!`;
      await client.query('SET statement_timeout = 10000');
      const { rows } = await client.query<{ matches: boolean }>(
        'SELECT $1::text COLLATE "C" ~ $2 AS matches',
        [subject, are],
      );
      expect(rows[0]?.matches).toBe(re2.test(subject));
    },
  );

  it.each([
    ['(a', 'bad-literal'],
    ['a**', 'bad-literal'],
    ['\\1', 'bad-literal'],
    ['(?=a)', 'bad-literal'],
    ['a{1001}', 'bad-literal'],
    ['\\pL', 'unsupported'],
    ['[\\p{Greek}]', 'unsupported'],
    ['(?i)[\\x{0}-\\x{FFFF}]', 'unsupported'],
    ['(a{100}){10}', 'too-complex'],
    ['x{1000}'.repeat(140), 'too-complex'],
    [`(?i)${'[\\x{100}-\\x{2ff}]'.repeat(40)}`, 'unsupported'],
    ['x'.repeat(1001), 'bad-literal'],
  ])('refuses %.40s', (source, code) => {
    expect(() => translatePattern(source, { start: 3, end: 9 })).toThrow(
      expect.objectContaining({ code, position: { start: 3, end: 9 } }),
    );
  });
});
