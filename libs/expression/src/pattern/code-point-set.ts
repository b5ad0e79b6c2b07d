/** Closed ranges of code points, sorted and apart. */
export type CodePointSet = readonly (readonly [number, number])[];

export const MAX_CODE_POINT = 0x10ffff;

/** Code points of the range that are folded one by one; larger ranges outside ASCII are not folded at all. */
const MAX_FOLDED_RANGE = 512;

export function unionSets(...sets: readonly CodePointSet[]): CodePointSet {
  const ranges = sets.flat().sort((left, right) => left[0] - right[0]);
  const merged: [number, number][] = [];
  for (const [from, to] of ranges) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

export function complementSet(set: CodePointSet): CodePointSet {
  const result: [number, number][] = [];
  let next = 0;
  for (const [from, to] of set) {
    if (from > next) result.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= MAX_CODE_POINT) result.push([next, MAX_CODE_POINT]);
  return result;
}

const fromText = (text: string): CodePointSet =>
  unionSets(Array.from(text, (char) => [char.codePointAt(0) ?? 0, char.codePointAt(0) ?? 0] as const));

const DIGIT: CodePointSet = [[48, 57]];
const UPPER: CodePointSet = [[65, 90]];
const LOWER: CodePointSet = [[97, 122]];
const WORD = unionSets(DIGIT, UPPER, LOWER, fromText('_'));
const SPACE = fromText('\t\n\f\r ');

/** `\d`, `\s`, `\w`: ASCII only, as in RE2. */
export const PERL_CLASSES: Readonly<Record<string, CodePointSet>> = { d: DIGIT, s: SPACE, w: WORD };

/** `[:alpha:]` and its kin: ASCII only, as in RE2. */
export const POSIX_CLASSES: Readonly<Record<string, CodePointSet>> = {
  alnum: unionSets(DIGIT, UPPER, LOWER),
  alpha: unionSets(UPPER, LOWER),
  ascii: [[0, 127]],
  blank: fromText('\t '),
  cntrl: [
    [0, 31],
    [127, 127],
  ],
  digit: DIGIT,
  graph: [[33, 126]],
  lower: LOWER,
  print: [[32, 126]],
  punct: [
    [33, 47],
    [58, 64],
    [91, 96],
    [123, 126],
  ],
  space: fromText('\t\n\v\f\r '),
  upper: UPPER,
  word: WORD,
  xdigit: unionSets(DIGIT, [
    [65, 70],
    [97, 102],
  ]),
};

/** Of the few thousand characters that have another case: each is asked for again and again. */
const orbits = new Map<number, readonly number[]>();

/** The code points that a case-insensitive match takes for this one: simple case folding, as RE2 and Unicode have it. */
function foldOrbit(codePoint: number): readonly number[] {
  const char = String.fromCodePoint(codePoint);
  if (char.toLowerCase() === char && char.toUpperCase() === char) return [codePoint];
  let orbit = orbits.get(codePoint);
  if (orbit === undefined) {
    orbit = findOrbit(char, codePoint);
    orbits.set(codePoint, orbit);
  }
  return orbit;
}

function findOrbit(char: string, codePoint: number): readonly number[] {
  // The kelvin sign and the long s are the only folds of ASCII letters that lie outside ASCII.
  if (char === 'k' || char === 'K') return [75, 107, 0x212a];
  if (char === 's' || char === 'S') return [83, 115, 0x17f];
  const pattern = new RegExp(`^\\u{${codePoint.toString(16)}}$`, 'iu');
  const seeds = [char, char.toLowerCase(), char.toUpperCase()];
  const candidates = new Set(seeds.flatMap((seed) => [seed, seed.toLowerCase(), seed.toUpperCase()]));
  return [...candidates]
    .filter((candidate) => pattern.test(candidate))
    .map((candidate) => candidate.codePointAt(0) ?? codePoint);
}

/** How many code points are folded one by one to fold the set. */
export const foldingCost = (set: CodePointSet): number =>
  set.reduce((cost, [from, to]) => cost + to - from + 1, 0);

/** The set with every case variant of its members; null where that would be too much to work out. */
export function foldSet(set: CodePointSet): CodePointSet | null {
  const folded: [number, number][] = [];
  for (const [from, to] of set) {
    folded.push([from, to]);
    if (to - from > MAX_FOLDED_RANGE) return null;
    for (let codePoint = from; codePoint <= to; codePoint += 1) {
      if (codePoint < 0xd800 || codePoint > 0xdfff) {
        folded.push(...foldOrbit(codePoint).map((variant): [number, number] => [variant, variant]));
      }
    }
  }
  return unionSets(folded);
}
