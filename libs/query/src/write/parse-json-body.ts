import { ExactNumber, type JsonNode } from './json-node.js';
import { pointerStep, ProblemList, WriteError } from './write-error.js';

export interface BodyLimits {
  /** UTF-16 units of the whole text. */
  readonly maxLength: number;
  /** Arrays and objects inside each other. */
  readonly maxDepth: number;
  /** Records of an array. */
  readonly maxRecords: number;
  /** Keys of one object. */
  readonly maxMembers: number;
}

export const DEFAULT_BODY_LIMITS: BodyLimits = {
  maxLength: 16 * 1024 * 1024,
  maxDepth: 64,
  maxRecords: 10_000,
  maxMembers: Number.POSITIVE_INFINITY,
};

/** A body that was understood, with the text that it was read from. */
export interface JsonBody {
  readonly text: string;
  readonly root: JsonNode;
  /** Where each element of an outermost array stands in the text: start and end, alternately. */
  readonly elementSpans: readonly number[];
}

/**
 * Reads strict JSON (RFC 8259), and is stricter where JSON is silent: a key may come once in an object, text is
 * well-formed Unicode without NUL (which PostgreSQL cannot hold), numbers stay exact.
 *
 * One pass of our own over the text, because `JSON.parse` keeps the last of two equal keys and rounds numbers, so that
 * what was checked would not be what PostgreSQL reads from the same text.
 *
 * @throws WriteError `invalid-json` with line and column, `body-too-large`, or `invalid-record` with a pointer to every
 * duplicate key and unusable text
 */
export function parseJsonBody(text: string, limits: Partial<BodyLimits> = {}): JsonBody {
  const effective = { ...DEFAULT_BODY_LIMITS, ...limits };
  if (text.length > effective.maxLength) {
    throw new WriteError('body-too-large', `The body is longer than ${effective.maxLength} characters.`);
  }
  if (!text.isWellFormed()) {
    throw new WriteError('invalid-json', 'The body is not well-formed Unicode: it has a lone surrogate.');
  }
  return new BodyParser(text, effective).parse();
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const MINUS = 0x2d;
const POINT = 0x2e;

const ESCAPES = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

class BodyParser {
  private at = 0;
  private readonly problems = new ProblemList();
  /** The way from the root to where the parser is: keys and indexes, valid up to the current depth. */
  private readonly path: (string | number)[] = [];
  private readonly elementSpans: number[] = [];

  constructor(
    private readonly text: string,
    private readonly limits: BodyLimits,
  ) {}

  parse(): JsonBody {
    const root = this.value(0);
    this.skipSpace();
    if (this.at < this.text.length) throw this.unexpected();
    this.problems.throwIfAny();
    return { text: this.text, root, elementSpans: this.elementSpans };
  }

  private value(depth: number): JsonNode {
    this.skipSpace();
    const code = this.text.charCodeAt(this.at);
    if (code === QUOTE) return this.string(depth);
    if (code === OPEN_BRACE) return this.object(depth);
    if (code === OPEN_BRACKET) return this.array(depth);
    if (code === MINUS || isDigit(code)) return this.number();
    if (this.take('true')) return true;
    if (this.take('false')) return false;
    if (this.take('null')) return null;
    throw this.unexpected();
  }

  private object(depth: number): JsonNode {
    this.enter(depth);
    const members = new Map<string, JsonNode>();
    this.at += 1;
    this.skipSpace();
    if (this.text.charCodeAt(this.at) === CLOSE_BRACE) {
      this.at += 1;
      return members;
    }
    for (;;) {
      this.skipSpace();
      if (this.text.charCodeAt(this.at) !== QUOTE) throw this.unexpected('a key in double quotes');
      this.path[depth] = '';
      const key = this.string(depth + 1);
      this.path[depth] = key;
      if (members.size >= this.limits.maxMembers) {
        throw new WriteError('body-too-large', `An object has more than ${this.limits.maxMembers} members.`);
      }
      if (members.has(key)) this.report(depth + 1, 'duplicate-key', 'is there twice');
      this.skipSpace();
      this.expect(COLON, '":"');
      members.set(key, this.value(depth + 1));
      this.skipSpace();
      if (this.text.charCodeAt(this.at) === CLOSE_BRACE) {
        this.at += 1;
        return members;
      }
      this.expect(COMMA, '"," or "}"');
    }
  }

  private array(depth: number): JsonNode {
    this.enter(depth);
    const elements: JsonNode[] = [];
    this.at += 1;
    this.skipSpace();
    if (this.text.charCodeAt(this.at) === CLOSE_BRACKET) {
      this.at += 1;
      return elements;
    }
    for (;;) {
      this.skipSpace();
      this.path[depth] = elements.length;
      const start = this.at;
      elements.push(this.value(depth + 1));
      if (depth === 0) {
        this.elementSpans.push(start, this.at);
        if (elements.length > this.limits.maxRecords) {
          throw new WriteError('body-too-large', `The body has more than ${this.limits.maxRecords} records.`);
        }
      }
      this.skipSpace();
      if (this.text.charCodeAt(this.at) === CLOSE_BRACKET) {
        this.at += 1;
        return elements;
      }
      this.expect(COMMA, '"," or "]"');
    }
  }

  private string(depth: number): string {
    const { text } = this;
    const start = ++this.at;
    for (;;) {
      const code = text.charCodeAt(this.at);
      if (code === QUOTE) return text.slice(start, this.at++);
      if (code === BACKSLASH) return this.escapedString(start, depth);
      // NaN, past the end, is caught here as well.
      if (!(code >= 0x20)) throw this.unexpected('the end of a string');
      this.at += 1;
    }
  }

  /** The rest of a string from its first escape on; `start` is after the opening quote. */
  private escapedString(start: number, depth: number): string {
    const { text } = this;
    let value = text.slice(start, this.at);
    for (;;) {
      const code = text.charCodeAt(this.at);
      if (code === QUOTE) break;
      if (!(code >= 0x20)) throw this.unexpected('the end of a string');
      if (code === BACKSLASH) {
        value += this.escape();
      } else {
        const from = this.at;
        while (text.charCodeAt(this.at) >= 0x20 && !this.isStringMark()) this.at += 1;
        value += text.slice(from, this.at);
      }
    }
    this.at += 1;
    if (value.includes('\0')) this.report(depth, 'invalid-text', 'must not hold the character NUL');
    // PostgreSQL refuses the same in its own words; escapes may spell what the raw text could not.
    if (!value.isWellFormed()) this.report(depth, 'invalid-text', 'has a lone surrogate');
    return value;
  }

  private isStringMark(): boolean {
    const code = this.text.charCodeAt(this.at);
    return code === QUOTE || code === BACKSLASH;
  }

  private escape(): string {
    const letter = this.text.charAt(this.at + 1);
    const simple = ESCAPES.get(letter);
    if (simple !== undefined) {
      this.at += 2;
      return simple;
    }
    const digits = this.text.slice(this.at + 2, this.at + 6);
    if (letter !== 'u' || !/^[0-9a-fA-F]{4}$/.test(digits)) throw this.unexpected('a valid escape');
    this.at += 6;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  private number(): JsonNode {
    const { text } = this;
    const start = this.at;
    if (text.charCodeAt(this.at) === MINUS) this.at += 1;
    const firstDigit = this.at;
    this.digits();
    if (text.charCodeAt(firstDigit) === 0x30 && this.at > firstDigit + 1) {
      this.at = firstDigit + 1;
      throw this.unexpected('no digit after a leading zero');
    }
    if (text.charCodeAt(this.at) === POINT) {
      this.at += 1;
      this.digits();
    }
    const letter = text.charAt(this.at);
    if (letter === 'e' || letter === 'E') {
      this.at += 1;
      const sign = text.charAt(this.at);
      if (sign === '+' || sign === '-') this.at += 1;
      this.digits();
    }
    const spelling = text.slice(start, this.at);
    const value = Number(spelling);
    return String(value) === spelling ? value : new ExactNumber(spelling);
  }

  private digits(): void {
    const start = this.at;
    while (isDigit(this.text.charCodeAt(this.at))) this.at += 1;
    if (this.at === start) throw this.unexpected('a digit');
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.at += 1;
    }
  }

  private take(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  private expect(code: number, what: string): void {
    if (this.text.charCodeAt(this.at) !== code) throw this.unexpected(what);
    this.at += 1;
  }

  private enter(depth: number): void {
    if (depth >= this.limits.maxDepth) {
      throw new WriteError(
        'body-too-large',
        `The body is nested deeper than ${this.limits.maxDepth} levels.`,
      );
    }
  }

  private report(depth: number, code: 'duplicate-key' | 'invalid-text', message: string): void {
    const pointer = this.path.slice(0, depth).map(pointerStep).join('');
    this.problems.add(pointer.replaceAll('\0', '\u2400').toWellFormed(), code, message);
  }

  private unexpected(wanted = 'a value'): WriteError {
    const before = this.text.slice(0, this.at);
    const line = before.split('\n').length;
    const column = this.at - before.lastIndexOf('\n');
    const point = this.text.codePointAt(this.at);
    const found = point === undefined ? 'the end of the body' : JSON.stringify(String.fromCodePoint(point));
    return new WriteError(
      'invalid-json',
      `The body is not valid JSON: expected ${wanted} at line ${line}, column ${column}, found ${found}.`,
    );
  }
}
