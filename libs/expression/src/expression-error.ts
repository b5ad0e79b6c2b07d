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

  constructor(
    readonly code: ExpressionErrorCode,
    message: string,
    readonly position: TextRange,
    /** The name that was probably meant. */
    readonly suggestion?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
