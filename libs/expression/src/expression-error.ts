/** Why an expression was refused. The codes are stable. */
export type ExpressionErrorCode =
  | 'syntax'
  | 'unknown-name'
  | 'type'
  | 'too-long'
  | 'too-deep'
  | 'too-complex'
  | 'bad-literal'
  | 'unsupported';

/** Offsets in the expression's text, in UTF-16 units, `end` exclusive. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** An expression that cannot be used, with the place in its text that is at fault. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
  readonly position: TextRange;

  /** @param range often a whole node of the tree, of which only the place is kept: the rest is not for the client. */
  constructor(
    readonly code: ExpressionErrorCode,
    message: string,
    range: TextRange,
    /** The name that was probably meant. */
    readonly suggestion?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.position = { start: range.start, end: range.end };
  }
}
