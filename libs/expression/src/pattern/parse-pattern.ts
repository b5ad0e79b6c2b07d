import {
  complementSet,
  type CodePointSet,
  foldingCost,
  foldSet,
  PERL_CLASSES,
  POSIX_CLASSES,
  unionSets,
} from './code-point-set.js';
import type { PatternNode } from './pattern-tree.js';

/** A pattern that is valid RE2 but has no counterpart in PostgreSQL that is sure to mean the same. */
export class UnsupportedPattern extends Error {}

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
}

const CONTROL_ESCAPES: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

const REPEAT = /^\{(\d+)(?:(,)(\d*))?\}/;
const GROUP_FLAGS = /^\(\?([imsU]*)(?:-([imsU]+))?([:)])/;
const NAMED_GROUP = /^\(\?P?<\w+>/;
const POSIX_CLASS = /^\[:(\^?)(\w+):\]/;

/** Code points that are folded one by one in one pattern. Every letter of the longest pattern, ten times over. */
const MAX_FOLDED = 10_000;

/** Classes with names are the same in every pattern. */
const foldedClasses = new Map<CodePointSet, CodePointSet>();

function foldClass(named: CodePointSet): CodePointSet {
  const folded = foldedClasses.get(named) ?? foldSet(named) ?? named;
  foldedClasses.set(named, folded);
  return folded;
}

/**
 * Reads RE2 syntax. The pattern must have been accepted by an RE2 implementation before: what is malformed there is not
 * looked for here.
 */
export class PatternParser {
  private at = 0;
  private flags: Flags = { i: false, m: false, s: false };
  private foldedCount = 0;

  constructor(private readonly pattern: string) {}

  parse(): PatternNode {
    const node = this.parseChoice();
    if (this.at < this.pattern.length) throw new UnsupportedPattern('an unmatched ")"');
    return node;
  }

  private get rest(): string {
    return this.pattern.slice(this.at);
  }

  private peek(): string {
    return String.fromCodePoint(this.pattern.codePointAt(this.at) ?? 0);
  }

  private isAtEnd(): boolean {
    return this.at >= this.pattern.length;
  }

  private parseChoice(): PatternNode {
    const outer = this.flags;
    const parts = [this.parseSequence()];
    while (this.pattern[this.at] === '|') {
      this.at += 1;
      parts.push(this.parseSequence());
    }
    this.flags = outer;
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { op: 'choice', parts };
  }

  private parseSequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (!this.isAtEnd() && this.pattern[this.at] !== '|' && this.pattern[this.at] !== ')') {
      if (this.rest.startsWith('\\Q')) {
        this.parseQuoted(parts);
        continue;
      }
      const atom = this.parseAtom();
      if (atom !== null) parts.push(atom);
      this.parseRepeats(parts);
    }
    return { op: 'sequence', parts };
  }

  private parseQuoted(parts: PatternNode[]): void {
    const end = this.pattern.indexOf('\\E', this.at + 2);
    const quoted = this.pattern.slice(this.at + 2, end < 0 ? undefined : end);
    for (const char of quoted) parts.push(this.literal(char.codePointAt(0) ?? 0));
    this.at = end < 0 ? this.pattern.length : end + 2;
    this.parseRepeats(parts);
  }

  private parseRepeats(parts: PatternNode[]): void {
    for (;;) {
      const bounds = this.readRepeat();
      if (bounds === null) return;
      if (this.pattern[this.at] === '?') this.at += 1;
      const part = parts.pop();
      if (part === undefined) throw new UnsupportedPattern('a repetition of nothing');
      parts.push({ op: 'repeat', part, ...bounds });
    }
  }

  private readRepeat(): { min: number; max: number } | null {
    const simple = {
      '*': { min: 0, max: Infinity },
      '+': { min: 1, max: Infinity },
      '?': { min: 0, max: 1 },
    };
    const char = this.pattern[this.at];
    if (char === '*' || char === '+' || char === '?') {
      this.at += 1;
      return simple[char];
    }
    const match = REPEAT.exec(this.rest);
    if (match === null) return null;
    this.at += match[0].length;
    const min = Number(match[1]);
    if (match[2] === undefined) return { min, max: min };
    return { min, max: match[3] === '' ? Infinity : Number(match[3]) };
  }

  private literal(codePoint: number): PatternNode {
    return { op: 'set', set: this.folded([[codePoint, codePoint]]) };
  }

  private folded(set: CodePointSet): CodePointSet {
    if (!this.flags.i) return set;
    this.foldedCount += foldingCost(set);
    const folded = this.foldedCount > MAX_FOLDED ? null : foldSet(set);
    if (folded === null) throw new UnsupportedPattern('a large range that ignores case');
    return folded;
  }

  private foldedClass(named: CodePointSet): CodePointSet {
    return this.flags.i ? foldClass(named) : named;
  }

  /** One atom; null for flags, which match nothing of their own. */
  private parseAtom(): PatternNode | null {
    const char = this.peek();
    switch (char) {
      case '(':
        return this.parseGroup();
      case '[':
        return this.parseClass();
      case '\\':
        return this.parseEscape();
      case '.':
        this.at += 1;
        return this.flags.s ? { op: 'any' } : { op: 'set', set: complementSet([[10, 10]]) };
      case '^':
        this.at += 1;
        return { op: 'assertion', name: this.flags.m ? 'line-start' : 'text-start' };
      case '$':
        this.at += 1;
        return { op: 'assertion', name: this.flags.m ? 'line-end' : 'text-end' };
      default:
        this.at += char.length;
        return this.literal(char.codePointAt(0) ?? 0);
    }
  }

  private parseGroup(): PatternNode | null {
    const flags = GROUP_FLAGS.exec(this.rest);
    const outer = this.flags;
    if (flags !== null) {
      const [all, on = '', off = '', end] = flags;
      this.at += all.length;
      const isOn = (flag: 'i' | 'm' | 's'): boolean =>
        (on.includes(flag) || outer[flag]) && !off.includes(flag);
      this.flags = { i: isOn('i'), m: isOn('m'), s: isOn('s') };
      if (end === ')') return null;
    } else this.at += NAMED_GROUP.exec(this.rest)?.[0].length ?? 1;
    const node = this.parseChoice();
    this.at += 1;
    this.flags = outer;
    return node;
  }

  private parseEscape(): PatternNode {
    const next = this.pattern[this.at + 1] ?? '';
    const assertions = {
      A: 'text-start',
      z: 'text-end',
      b: 'word-boundary',
      B: 'no-word-boundary',
    } as const;
    if (next === 'A' || next === 'z' || next === 'b' || next === 'B') {
      this.at += 2;
      return { op: 'assertion', name: assertions[next] };
    }
    const perl = this.readPerlClass();
    if (perl !== null) return { op: 'set', set: perl };
    return this.literal(this.readEscapedCodePoint());
  }

  private readPerlClass(): CodePointSet | null {
    const next = this.pattern[this.at + 1] ?? '';
    const positive = PERL_CLASSES[next.toLowerCase()];
    if (positive === undefined) return null;
    this.at += 2;
    // Folding a class before negating it, as RE2 does, matters: with (?i), \W matches neither k nor the kelvin sign.
    const set = this.foldedClass(positive);
    return next === next.toLowerCase() ? set : complementSet(set);
  }

  private readEscapedCodePoint(): number {
    const rest = this.rest;
    const hex = /^\\x(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{2}))/.exec(rest);
    if (hex !== null) {
      this.at += hex[0].length;
      return Number.parseInt(hex[1] ?? hex[2] ?? '', 16);
    }
    const octal = /^\\(0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest);
    if (octal !== null) {
      this.at += octal[0].length;
      return Number.parseInt(octal[1] ?? '', 8);
    }
    const next = rest[1] ?? '';
    if (/[A-Za-z0-9]/.test(next) && CONTROL_ESCAPES[next] === undefined) {
      throw new UnsupportedPattern(`\\${next}`);
    }
    this.at += 1;
    const char = this.peek();
    this.at += char.length;
    return CONTROL_ESCAPES[char] ?? char.codePointAt(0) ?? 0;
  }

  private parseClass(): PatternNode {
    this.at += 1;
    const isNegated = this.pattern[this.at] === '^';
    if (isNegated) this.at += 1;
    const items: CodePointSet[] = [];
    while (items.length === 0 || this.pattern[this.at] !== ']') items.push(this.parseClassItem());
    const set = unionSets(...items);
    this.at += 1;
    return { op: 'set', set: isNegated ? complementSet(set) : set };
  }

  private parseClassItem(): CodePointSet {
    const posix = POSIX_CLASS.exec(this.rest);
    if (posix !== null) {
      this.at += posix[0].length;
      const named = POSIX_CLASSES[posix[2] ?? ''];
      if (named === undefined) throw new UnsupportedPattern(posix[0]);
      const set = this.foldedClass(named);
      return posix[1] === '^' ? complementSet(set) : set;
    }
    if (this.pattern[this.at] === '\\') {
      const perl = this.readPerlClass();
      if (perl !== null) return perl;
    }
    const from = this.readClassCodePoint();
    if (this.pattern[this.at] !== '-' || this.pattern[this.at + 1] === ']')
      return this.folded([[from, from]]);
    this.at += 1;
    return this.folded([[from, this.readClassCodePoint()]]);
  }

  private readClassCodePoint(): number {
    if (this.pattern[this.at] === '\\') return this.readEscapedCodePoint();
    const char = this.peek();
    this.at += char.length;
    return char.codePointAt(0) ?? 0;
  }
}
