const REPEAT = /\{(\d{1,9})(?:(,)(\d{0,9}))?\}/y;
/** One character or class, behind its backslash. */
const ESCAPE = /\\(?:[xpP]\{[^}]*\}?|x[0-9a-fA-F]{2}|[pP].|[0-7]{1,3}|.)/sy;
const POSIX_CLASS = /\[:\^?\w+:\]/y;

/**
 * How many parts an RE2 pattern has at least, about, once its repetitions are written out; read off the text alone, in
 * one pass, so that a pattern can be refused before anybody compiles it. Of a malformed pattern it may say anything.
 */
export function boundPatternSize(pattern: string): number {
  return new SizeScanner(pattern).scan();
}

/** The parts of a sequence so far, and the last of them, which a repetition would multiply. */
interface Group {
  size: number;
  last: number;
}

class SizeScanner {
  private at = 0;
  private readonly groups: Group[] = [];
  private group: Group = { size: 0, last: 0 };

  constructor(private readonly pattern: string) {}

  scan(): number {
    while (this.at < this.pattern.length) this.step();
    return this.groups.reduce((size, group) => size + group.size, this.group.size);
  }

  private step(): void {
    switch (this.pattern[this.at]) {
      case '(':
        return this.open();
      case ')':
        return this.close();
      case '[':
        this.skipClass();
        return this.add(1);
      case '\\':
        return this.escape();
      case '|':
        this.group.last = 0;
        break;
      case '+':
        this.repeat(2);
        break;
      case '*':
      case '?':
        break;
      case '{':
        return this.braces();
      default:
        this.add(1);
    }
    this.at += 1;
  }

  private add(size: number): void {
    this.group.size += size;
    this.group.last = size;
  }

  private repeat(times: number): void {
    const { last } = this.group;
    this.group.size += last * (times - 1);
    this.group.last = last * times;
  }

  private open(): void {
    this.at += 1;
    if (this.pattern[this.at] === '?') {
      // Flags, a name, or both: up to the mark that ends them.
      while (this.at < this.pattern.length && !':)>'.includes(this.pattern.charAt(this.at))) this.at += 1;
      this.at += 1;
      // `(?i)` has no content of its own.
      if (this.pattern[this.at - 1] === ')') return;
    }
    this.groups.push(this.group);
    this.group = { size: 0, last: 0 };
  }

  private close(): void {
    this.at += 1;
    const { size } = this.group;
    this.group = this.groups.pop() ?? { size: 0, last: 0 };
    this.add(size);
  }

  private escape(): void {
    const kind = this.pattern[this.at + 1];
    if (kind === 'Q') {
      const end = this.pattern.indexOf('\\E', this.at + 2);
      const stop = end < 0 ? this.pattern.length : end;
      this.group.size += stop - this.at - 2;
      this.group.last = 1;
      this.at = stop + 2;
      return;
    }
    ESCAPE.lastIndex = this.at;
    this.at += ESCAPE.exec(this.pattern)?.[0].length ?? 2;
    this.add(1);
  }

  private braces(): void {
    REPEAT.lastIndex = this.at;
    const match = REPEAT.exec(this.pattern);
    if (match === null) {
      this.at += 1;
      return this.add(1);
    }
    const least = Number(match[1]);
    const most = match[3] === undefined || match[3] === '' ? least + (match[2] ? 1 : 0) : Number(match[3]);
    this.at += match[0].length;
    this.repeat(Math.max(1, most));
  }

  private skipClass(): void {
    this.at += 1;
    if (this.pattern[this.at] === '^') this.at += 1;
    // A bracket that comes first stands for itself.
    if (this.pattern[this.at] === ']') this.at += 1;
    while (this.at < this.pattern.length && this.pattern[this.at] !== ']') {
      POSIX_CLASS.lastIndex = this.at;
      const posix = POSIX_CLASS.exec(this.pattern);
      if (posix) this.at += posix[0].length;
      else this.at += this.pattern[this.at] === '\\' ? 2 : 1;
    }
    this.at += 1;
  }
}
