/**
 * The tokenizer that tells an expression's shape from its literal values, so that a request whose shape is known costs
 * a lookup and no parsing. It must cut a text exactly where the CEL parser does; `parseExpression` holds the two
 * against each other.
 */

export type LiteralKind = 'string' | 'int' | 'uint' | 'double' | 'bytes';

/** A literal value of an expression's text. */
export interface Literal {
  readonly kind: LiteralKind;
  /** Strings unescaped; numbers as written, without sign and without a trailing `u`; bytes as hex digits. */
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

export interface LiftedLiterals {
  /**
   * The text with a placeholder for each literal and with white space and comments normalised. Texts of one shape have
   * the same tree, types and SQL. A placeholder begins with NUL, which no valid text holds outside a literal.
   */
  readonly shape: string;
  /** In the order of the text. */
  readonly literals: readonly Literal[];
}

/** Integers up to here have a placeholder of their own: the compiler need not guard against their overflow. */
const MAX_SMALL_INT = 2_147_483_647;

const PLACEHOLDERS = {
  string: '\0s',
  double: '\0d',
  uint: '\0u',
  bytes: '\0b',
  smallInt: '\0i',
  int: '\0I',
} as const;

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

const HEX = /^[0-9a-fA-F]+$/;
const OCTAL = /^[0-3][0-7]{2}$/;

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isIdentifierCode = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || isDigit(code) || code === 95;
const isHexDigit = (code: number): boolean =>
  isDigit(code) || (code >= 97 && code <= 102) || (code >= 65 && code <= 70);

/** One escape sequence at `at` (the backslash): its code point or byte, and its length. Null where it is malformed. */
function readEscape(
  body: string,
  at: number,
  isBytes: boolean,
): { code: number; length: number; isByte: boolean } | null {
  const kind = body.charAt(at + 1);
  const simple = SIMPLE_ESCAPES[kind];
  if (simple !== undefined) return { code: simple.charCodeAt(0), length: 2, isByte: false };
  if (kind === 'u' || kind === 'U') {
    const digits = kind === 'u' ? 4 : 8;
    const hex = body.slice(at + 2, at + 2 + digits);
    const code = Number.parseInt(hex, 16);
    const isValid =
      hex.length === digits && HEX.test(hex) && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
    return isValid && !isBytes ? { code, length: 2 + digits, isByte: false } : null;
  }
  if (kind === 'x' || kind === 'X') {
    const hex = body.slice(at + 2, at + 4);
    if (hex.length !== 2 || !HEX.test(hex)) return null;
    return { code: Number.parseInt(hex, 16), length: 4, isByte: true };
  }
  const octal = body.slice(at + 1, at + 4);
  return OCTAL.test(octal) ? { code: Number.parseInt(octal, 8), length: 4, isByte: true } : null;
}

function unescapeString(body: string): string | null {
  let result = '';
  let at = 0;
  while (at < body.length) {
    const backslash = body.indexOf('\\', at);
    if (backslash < 0) return result + body.slice(at);
    const escape = readEscape(body, backslash, false);
    if (escape === null) return null;
    result += body.slice(at, backslash) + String.fromCodePoint(escape.code);
    at = backslash + escape.length;
  }
  return result;
}

function unescapeBytes(body: string, isRaw: boolean): string | null {
  let hex = '';
  let at = 0;
  while (at < body.length) {
    const backslash = isRaw ? -1 : body.indexOf('\\', at);
    const plain = body.slice(at, backslash < 0 ? body.length : backslash);
    hex += Buffer.from(plain, 'utf8').toString('hex');
    if (backslash < 0) return hex;
    const escape = readEscape(body, backslash, true);
    if (escape === null) return null;
    hex += escape.code.toString(16).padStart(2, '0');
    at = backslash + escape.length;
  }
  return hex;
}

/** The end of a quoted string's body and of the literal, or null where it is not terminated. */
function findQuoteEnd(
  text: string,
  open: number,
  quote: string,
): { bodyEnd: number; end: number; width: number } | null {
  const isTriple = text.charAt(open + 1) === quote && text.charAt(open + 2) === quote;
  const width = isTriple ? 3 : 1;
  for (let at = open + width; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '\\') at += 1;
    else if (char === quote) {
      if (!isTriple) return { bodyEnd: at, end: at + 1, width };
      if (text.charAt(at + 1) === quote && text.charAt(at + 2) === quote)
        return { bodyEnd: at, end: at + 3, width };
    } else if (!isTriple && (char === '\n' || char === '\r')) return null;
  }
  return null;
}

function readQuoted(text: string, start: number): Literal | null {
  const first = text.charAt(start);
  const hasPrefix = first !== '"' && first !== "'";
  const open = hasPrefix ? start + 1 : start;
  const found = findQuoteEnd(text, open, text.charAt(open));
  if (found === null) return null;
  const body = text.slice(open + found.width, found.bodyEnd);
  const isBytes = first === 'b' || first === 'B';
  const isRaw = first === 'r' || first === 'R';
  let value: string | null = body;
  if (isBytes) value = unescapeBytes(body, false);
  else if (!isRaw && body.includes('\\')) value = unescapeString(body);
  return value === null ? null : { kind: isBytes ? 'bytes' : 'string', value, start, end: found.end };
}

function skipDigits(text: string, from: number): number {
  let at = from;
  while (isDigit(text.charCodeAt(at))) at += 1;
  return at;
}

/** The end of an exponent that begins at `from`; `from` itself where none is there, -1 where it is malformed. */
function skipExponent(text: string, from: number): number {
  const mark = text.charAt(from);
  if (mark !== 'e' && mark !== 'E') return from;
  const sign = text.charAt(from + 1);
  const digits = sign === '-' || sign === '+' ? from + 2 : from + 1;
  const end = skipDigits(text, digits);
  return end === digits ? -1 : end;
}

function readNumber(text: string, start: number): Literal | null {
  let end: number;
  let kind: LiteralKind = 'int';
  if (text.charAt(start) === '0' && (text.charAt(start + 1) === 'x' || text.charAt(start + 1) === 'X')) {
    end = start + 2;
    while (isHexDigit(text.charCodeAt(end))) end += 1;
    if (end === start + 2) return null;
  } else {
    end = skipDigits(text, start);
    if (text.charAt(end) === '.' && isDigit(text.charCodeAt(end + 1))) {
      end = skipDigits(text, end + 1);
      kind = 'double';
    }
    const exponentEnd = skipExponent(text, end);
    if (exponentEnd < 0) return null;
    if (exponentEnd !== end) kind = 'double';
    end = exponentEnd;
  }
  const value = text.slice(start, end);
  const suffix = text.charAt(end);
  if (kind === 'int' && (suffix === 'u' || suffix === 'U')) {
    kind = 'uint';
    end += 1;
  }
  return isIdentifierCode(text.charCodeAt(end)) ? null : { kind, value, start, end };
}

function placeholderOf(literal: Literal): string {
  if (literal.kind !== 'int') return PLACEHOLDERS[literal.kind];
  return isSmallInt(literal) ? PLACEHOLDERS.smallInt : PLACEHOLDERS.int;
}

/** Whether an integer literal is so small that no sum or product of two such overflows 64 bits. */
export const isSmallInt = (literal: Literal): boolean => Number(literal.value) <= MAX_SMALL_INT;

/** Where white space and comments end that begin at `from`. */
function skipBlank(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === 32 || code === 9 || code === 10 || code === 13) at += 1;
    else if (code === 47 && text.charCodeAt(at + 1) === 47) {
      const lineEnd = text.indexOf('\n', at);
      at = lineEnd < 0 ? text.length : lineEnd;
    } else return at;
  }
}

/**
 * Lifts the literals out of an expression. A text that the tokenizer cannot read (which the parser will refuse) is its
 * own shape. A string that is a key (`meta["color"]`, `record["first name"]`) stays in the shape: it is a name.
 */
export function liftLiterals(text: string): LiftedLiterals {
  const literals: Literal[] = [];
  let shape = '';
  let at = 0;
  /** Whether a `[` here would index what is before it rather than begin a list. */
  let followsOperand = false;
  let isKeyPosition = false;
  const refused: LiftedLiterals = { shape: `\0\0${text}`, literals: [] };
  while (at < text.length) {
    const blankEnd = skipBlank(text, at);
    if (blankEnd !== at) {
      if (shape !== '' && blankEnd < text.length) shape += ' ';
      at = blankEnd;
      continue;
    }
    const code = text.charCodeAt(at);
    const next = text.charCodeAt(at + 1);
    const startsQuoted =
      code === 34 ||
      code === 39 ||
      ((code === 98 || code === 66 || code === 114 || code === 82) && (next === 34 || next === 39));
    if (startsQuoted || isDigit(code)) {
      const literal = startsQuoted ? readQuoted(text, at) : readNumber(text, at);
      if (literal === null) return refused;
      if (
        isKeyPosition &&
        literal.kind === 'string' &&
        text.charCodeAt(skipBlank(text, literal.end)) === 93
      ) {
        shape += JSON.stringify(literal.value);
      } else {
        literals.push(literal);
        shape += placeholderOf(literal);
      }
      at = literal.end;
      followsOperand = true;
      isKeyPosition = false;
      continue;
    }
    if (isIdentifierCode(code)) {
      let end = at + 1;
      while (isIdentifierCode(text.charCodeAt(end))) end += 1;
      const word = text.slice(at, end);
      shape += word;
      at = end;
      followsOperand = word !== 'in';
      isKeyPosition = false;
      continue;
    }
    if (code === 0) return refused;
    isKeyPosition = code === 91 && followsOperand;
    followsOperand = code === 41 || code === 93;
    shape += text.charAt(at);
    at += 1;
  }
  return { shape, literals };
}
