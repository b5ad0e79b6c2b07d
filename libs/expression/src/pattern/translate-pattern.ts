import { RE2JS } from 're2js';
import { ExpressionError, type TextRange } from '../expression-error.js';
import { boundPatternSize } from './bound-pattern-size.js';
import { complementSet, type CodePointSet, MAX_CODE_POINT } from './code-point-set.js';
import { PatternParser, UnsupportedPattern } from './parse-pattern.js';
import { type AssertionName, expandedSize, isZeroWidth, type PatternNode } from './pattern-tree.js';

const MAX_PATTERN_LENGTH = 1000;
/** Far below what PostgreSQL's compiler refuses or is slow on. */
const MAX_EXPANDED_SIZE = 1000;
/** Twice as much, so that what is malformed as well is called malformed where that can be found out cheaply. */
const MAX_BOUND = 2 * MAX_EXPANDED_SIZE;
/** PostgreSQL's own bound for one repetition. */
const MAX_REPEAT = 255;

const ASSERTIONS: Readonly<Record<AssertionName, string>> = {
  'text-start': '^',
  'text-end': '$',
  'line-start': '(?:^|(?<=\\n))',
  'line-end': '(?:$|(?=\\n))',
  'word-boundary': '\\y',
  'no-word-boundary': '\\Y',
};

const isLetterOrDigit = (codePoint: number): boolean =>
  (codePoint >= 48 && codePoint <= 57) ||
  (codePoint >= 65 && codePoint <= 90) ||
  (codePoint >= 97 && codePoint <= 122);

/** A character as it stands for itself, in a class or outside: PostgreSQL takes any escaped punctuation as it is. */
function escapeCodePoint(codePoint: number): string {
  const char = String.fromCodePoint(codePoint);
  const isPlain = codePoint > 127 || codePoint <= 32 || codePoint === 127 || isLetterOrDigit(codePoint);
  return isPlain ? char : `\\${char}`;
}

/** Texts of PostgreSQL hold neither NUL nor surrogates, so a class loses nothing without them. */
function withoutImpossible(set: CodePointSet): CodePointSet {
  return set.flatMap(([from, to]): CodePointSet => {
    const start = from === 0 ? 1 : from;
    if (start > to) return [];
    if (to < 0xd800 || start > 0xdfff) return [[start, to]];
    const parts: [number, number][] = [];
    if (start < 0xd800) parts.push([start, 0xd7ff]);
    if (to > 0xdfff) parts.push([0xe000, to]);
    return parts;
  });
}

function emitRanges(set: CodePointSet): string {
  return withoutImpossible(set)
    .map(([from, to]) => {
      if (from === to) return escapeCodePoint(from);
      return to === from + 1
        ? escapeCodePoint(from) + escapeCodePoint(to)
        : `${escapeCodePoint(from)}-${escapeCodePoint(to)}`;
    })
    .join('');
}

function emitSet(set: CodePointSet): string {
  const isOpen = set.at(-1)?.[1] === MAX_CODE_POINT;
  if (isOpen) {
    const excluded = emitRanges(complementSet(set));
    return excluded === '' ? '.' : `[^${excluded}]`;
  }
  const [first] = set;
  if (set.length === 1 && first !== undefined && first[0] === first[1] && first[0] !== 0)
    return escapeCodePoint(first[0]);
  const ranges = emitRanges(set);
  return ranges === '' ? '(?!)' : `[${ranges}]`;
}

function emitRepeat(part: PatternNode, min: number, max: number): string {
  if (max === 0) return '(?:)';
  if (isZeroWidth(part)) return min === 0 ? '(?:)' : emit(part);
  const atom = part.op === 'set' || part.op === 'any' ? emit(part) : `(?:${emit(part)})`;
  if (min === 0 && max === Infinity) return `${atom}*`;
  if (min === 1 && max === Infinity) return `${atom}+`;
  if (min === 0 && max === 1) return `${atom}?`;
  let text = emitTimes(atom, '', min);
  if (max === Infinity) text += `${atom}*`;
  else text += emitTimes(atom, '0,', max - min);
  return text === '' ? '(?:)' : `(?:${text})`;
}

/** `atom{n}` or `atom{0,n}`, in pieces that PostgreSQL takes. */
function emitTimes(atom: string, least: '' | '0,', times: number): string {
  let text = '';
  for (let left = times; left > 0; left -= MAX_REPEAT)
    text += `${atom}{${least}${Math.min(left, MAX_REPEAT)}}`;
  return text;
}

function emit(node: PatternNode): string {
  switch (node.op) {
    case 'set':
      return emitSet(node.set);
    case 'any':
      return '.';
    case 'assertion':
      return ASSERTIONS[node.name];
    case 'repeat':
      return emitRepeat(node.part, node.min, node.max);
    case 'sequence':
      return node.parts.map((part) => (part.op === 'choice' ? `(?:${emit(part)})` : emit(part))).join('');
    default:
      return node.parts.map((part) => emit(part)).join('|');
  }
}

/** The pattern as RE2 compiles it, for matching in memory. */
export interface Pattern {
  /** An advanced regular expression of PostgreSQL that matches the same texts, under the collation `C`. */
  readonly are: string;
  readonly re2: RE2JS;
}

const translated = new Map<string, Pattern>();
const MAX_REMEMBERED = 500;

/**
 * Translates an RE2 pattern into one of PostgreSQL that matches the same texts. Neither backtracks, so neither can be
 * made to run for ever.
 *
 * @throws ExpressionError `bad-literal` where it is no RE2 pattern, `unsupported` where it has no safe counterpart.
 */
export function translatePattern(source: string, position: TextRange): Pattern {
  const known = translated.get(source);
  if (known !== undefined) return known;
  const range = { start: position.start, end: position.end };
  if (source.length > MAX_PATTERN_LENGTH) {
    throw new ExpressionError(
      'bad-literal',
      `A pattern has at most ${MAX_PATTERN_LENGTH} characters.`,
      range,
    );
  }
  // Before it is compiled: a thousand characters can stand for more than a million parts.
  if (boundPatternSize(source) > MAX_BOUND) throw tooLarge(range);
  let re2: RE2JS;
  try {
    re2 = RE2JS.compile(source);
  } catch (error) {
    const reason =
      error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
    throw new ExpressionError('bad-literal', `The pattern is malformed: ${reason}.`, range, undefined, {
      cause: error,
    });
  }
  const pattern = { are: emitPattern(source, range), re2 };
  if (translated.size >= MAX_REMEMBERED) translated.clear();
  translated.set(source, pattern);
  return pattern;
}

const tooLarge = (range: TextRange): ExpressionError =>
  new ExpressionError('too-complex', 'The pattern is too large once its repetitions are written out.', range);

function emitPattern(source: string, range: TextRange): string {
  let tree: PatternNode;
  try {
    tree = new PatternParser(source).parse();
  } catch (error) {
    if (!(error instanceof UnsupportedPattern)) throw error;
    const message = `The pattern uses what cannot be matched in the database: ${error.message}.`;
    throw new ExpressionError('unsupported', message, range, undefined, { cause: error });
  }
  if (expandedSize(tree) > MAX_EXPANDED_SIZE) throw tooLarge(range);
  return `***:${emit(tree)}`;
}
