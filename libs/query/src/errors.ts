export type QueryErrorCode =
  | 'unknown-collection'
  | 'unknown-field'
  | 'unknown-parameter'
  | 'duplicate-parameter'
  | 'conflicting-parameters'
  | 'invalid-parameter'
  | 'invalid-fields'
  | 'invalid-sort'
  | 'invalid-filter'
  | 'invalid-limit'
  | 'invalid-offset'
  | 'invalid-cursor'
  | 'invalid-count'
  | 'invalid-search'
  | 'invalid-measure'
  | 'invalid-group'
  | 'invalid-key'
  | 'query-too-complex';

export interface QueryErrorDetail {
  /** The request parameter at fault: `filter`, `comments.sort`. */
  readonly parameter?: string;
  /** Where in the parameter's text, as offsets of UTF-16 units, the end not included. */
  readonly position?: { readonly start: number; readonly end: number };
  /** The name at fault, as the caller wrote it. */
  readonly name?: string;
  /** What may have been meant; only ever a name that the caller may see. */
  readonly suggestion?: string;
  /** A finer reason where the code is a family, such as the expression engine's `type` or `syntax`. */
  readonly reason?: string;
}

/** A mistake in a request: what was wrong, where, and where possible what would be right. */
export class QueryError extends Error {
  override readonly name = 'QueryError';

  constructor(
    readonly code: QueryErrorCode,
    message: string,
    readonly detail: QueryErrorDetail = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
