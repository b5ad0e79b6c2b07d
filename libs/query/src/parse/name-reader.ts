import { QueryError, type QueryErrorCode } from '../errors.js';

/** A name as it was written, with its place in the parameter's text. */
export interface NameNode {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Reads names and punctuation out of a parameter's text. A name stands as it is, or in double quotes (doubled inside)
 * where it has a space or one of `, ( ) . : " *` in it or a `-` at its front.
 */
export class NameReader {
  private offset = 0;

  constructor(
    private readonly text: string,
    private readonly code: QueryErrorCode,
    private readonly parameter: string,
  ) {}

  get position(): number {
    return this.offset;
  }

  /** Takes the character if it comes next (after any white space). */
  take(character: string): boolean {
    this.skipSpace();
    if (this.text[this.offset] !== character) return false;
    this.offset++;
    return true;
  }

  isAtEnd(): boolean {
    this.skipSpace();
    return this.offset >= this.text.length;
  }

  expectEnd(): void {
    if (!this.isAtEnd()) this.fail('is not expected here');
  }

  expect(character: string): void {
    if (!this.take(character)) this.fail(`found where "${character}" is expected`);
  }

  readName(): NameNode {
    this.skipSpace();
    const start = this.offset;
    if (this.text[start] === '"') return this.readQuoted(start);
    while (this.offset < this.text.length && !/[\s,().:"*]/.test(this.text.charAt(this.offset))) {
      this.offset++;
    }
    if (this.offset === start) this.fail('found where a name is expected');
    return { name: this.text.slice(start, this.offset), start, end: this.offset };
  }

  /** `author.name`: names with dots between them. */
  readPath(): readonly NameNode[] {
    const path = [this.readName()];
    while (this.take('.')) path.push(this.readName());
    return path;
  }

  fail(what: string): never {
    const start = Math.min(this.offset, this.text.length);
    const found = start < this.text.length ? JSON.stringify(this.text.charAt(start)) : 'the end';
    throw new QueryError(this.code, `${found} ${what}, at ${start} of ${this.parameter}`, {
      parameter: this.parameter,
      position: { start, end: Math.min(start + 1, this.text.length) },
    });
  }

  private readQuoted(start: number): NameNode {
    let name = '';
    let from = start + 1;
    for (;;) {
      const quote = this.text.indexOf('"', from);
      if (quote < 0) {
        this.offset = this.text.length;
        return this.fail('found where a closing quote is expected');
      }
      name += this.text.slice(from, quote);
      if (this.text[quote + 1] === '"') {
        name += '"';
        from = quote + 2;
        continue;
      }
      this.offset = quote + 1;
      if (name === '') {
        this.offset = start;
        return this.fail('begins an empty name');
      }
      return { name, start, end: this.offset };
    }
  }

  private skipSpace(): void {
    while (this.offset < this.text.length && /\s/.test(this.text.charAt(this.offset))) this.offset++;
  }
}

/** A name as `NameReader` reads it back. */
export const printName = (name: string): string =>
  name === '' || name.startsWith('-') || /[\s,().:"*]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
