/** What a write was refused for, before or by the database. */
export type WriteErrorCode =
  /** The body is not JSON at all. */
  | 'invalid-json'
  /** The body is JSON of the wrong outer form: neither an object nor an array of objects. */
  | 'invalid-body'
  /** The body is too long, too deep, or has too many records. */
  | 'body-too-large'
  /** Fields of the record are at fault; `errors` names each. */
  | 'invalid-record'
  /** The caller may not do this to this collection at all. */
  | 'forbidden'
  /** The collection cannot do this: a view without a key, say. */
  | 'not-supported'
  /** Many records were meant, and no filter says which. */
  | 'filter-required'
  /** `upsertOn` names no unique key that the caller may use. */
  | 'invalid-upsert'
  /** A batch is malformed; `errors` points into it. */
  | 'invalid-batch';

/** One field at fault. */
export interface FieldProblem {
  /** JSON pointer into the body: `/731/price`. */
  readonly pointer: string;
  readonly code: FieldProblemCode;
  readonly message: string;
}

export type FieldProblemCode =
  | 'required'
  | 'unknown-field'
  | 'read-only'
  | 'not-null'
  | 'type'
  | 'format'
  | 'enum'
  | 'too-long'
  | 'too-short'
  | 'out-of-range'
  | 'duplicate-key'
  | 'forbidden-key'
  | 'invalid-text'
  | 'key-mismatch'
  | 'unique'
  | 'foreign-key'
  | 'check'
  | 'exclusion'
  | 'check-failed'
  | 'forbidden'
  | 'unknown-reference'
  | 'rejected';

/** A write that cannot be done as it was asked for. */
export class WriteError extends Error {
  override readonly name = 'WriteError';

  constructor(
    readonly code: WriteErrorCode,
    message: string,
    readonly errors: readonly FieldProblem[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Most clients cannot use more, and a body of bad rows must not become a larger answer. */
const MAX_PROBLEMS = 100;

/** Collects the faults of one body. */
export class ProblemList {
  private readonly problems: FieldProblem[] = [];

  get size(): number {
    return this.problems.length;
  }

  get isFull(): boolean {
    return this.size >= MAX_PROBLEMS;
  }

  get isEmpty(): boolean {
    return this.problems.length === 0;
  }

  add(pointer: string, code: FieldProblemCode, message: string): void {
    if (!this.isFull) this.problems.push({ pointer, code, message });
  }

  /** @throws WriteError with all of them when there is any */
  throwIfAny(code: WriteErrorCode = 'invalid-record'): void {
    const [first] = this.problems;
    if (!first) return;
    const count = this.problems.length;
    const detail =
      count === 1 ? `${first.pointer || '/'} ${first.message}.` : `${count} values are at fault.`;
    throw new WriteError(code, detail, this.problems);
  }
}

/** A step of a JSON pointer, escaped as RFC 6901 wants it. */
export const pointerStep = (key: string | number): string =>
  typeof key === 'number' ? `/${key}` : `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
