/** A field at fault, by its place in the request's body. */
export interface ProblemDetail {
  /** JSON pointer into the body: `/731/price`; for a parameter, `?filter`. */
  readonly pointer: string;
  /** Stable, machine-readable: `required`, `unknown-field`, `out-of-range`, ... */
  readonly code: string;
  readonly message: string;
  /** Offsets into the text that the pointer names, where the mistake is inside an expression. */
  readonly position?: { readonly start: number; readonly end: number };
}

export interface ProblemOptions {
  readonly detail?: string;
  readonly errors?: readonly ProblemDetail[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
  /** Further members of the problem document; never named like a standard one. */
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/**
 * An answer that tells what went wrong, after RFC 9457. Throw it near the cause; the one exception filter turns it into
 * `application/problem+json`.
 */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly detail: string | undefined;
  readonly errors: readonly ProblemDetail[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(
    readonly type: ProblemType,
    options: ProblemOptions = {},
  ) {
    super(options.detail ?? PROBLEMS[type].title, { cause: options.cause });
    this.detail = options.detail;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
    this.extensions = options.extensions ?? {};
  }

  get status(): number {
    return PROBLEMS[this.type].status;
  }

  get title(): string {
    return PROBLEMS[this.type].title;
  }

  /** The member `type` of the document. */
  get uri(): string {
    return `/problems/${this.type}`;
  }

  toJSON(requestId: string): ProblemDocument {
    return {
      type: this.uri,
      title: this.title,
      status: this.status,
      ...(this.detail === undefined ? {} : { detail: shorten(this.detail) }),
      requestId,
      ...(this.errors === undefined ? {} : { errors: this.errors.map(shortenDetail) }),
      ...this.extensions,
    };
  }
}

/** Texts repeat names as they were sent, and a request must not become a larger answer. */
const MAX_TEXT = 2000;

const shorten = (text: string): string =>
  text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT).toWellFormed()}...`;

const shortenDetail = ({ pointer, code, message, position }: ProblemDetail): ProblemDetail => ({
  pointer: shorten(pointer),
  code,
  message: shorten(message),
  ...(position === undefined ? {} : { position }),
});

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly requestId: string;
  readonly errors?: readonly ProblemDetail[];
}

/** Every kind of problem, with its status and title. Types are stable for ever. */
export const PROBLEMS = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'invalid-json': { status: 400, title: 'The body is not valid JSON' },
  'invalid-parameter': { status: 400, title: 'A parameter is not valid' },
  'unknown-parameter': { status: 400, title: 'A parameter is not known' },
  'unknown-field': { status: 400, title: 'A field is not known' },
  'invalid-filter': { status: 400, title: 'The filter is not valid' },
  'invalid-cursor': { status: 400, title: 'The cursor is not valid' },
  'invalid-key': { status: 400, title: 'The record key is not valid' },
  'filter-required': { status: 400, title: 'A filter is required' },
  'query-too-complex': { status: 400, title: 'The request asks for too much' },
  unauthenticated: { status: 401, title: 'The credential is not valid' },
  'reauthentication-required': { status: 401, title: 'A recent sign-in is required' },
  forbidden: { status: 403, title: 'Not allowed' },
  'check-failed': { status: 403, title: 'The record would break an access rule' },
  'not-found': { status: 404, title: 'Not found' },
  'unknown-collection': { status: 404, title: 'The collection is not known' },
  'method-not-allowed': { status: 405, title: 'The method is not allowed here' },
  'not-acceptable': { status: 406, title: 'No acceptable representation' },
  'request-timeout': { status: 408, title: 'The request took too long to arrive' },
  conflict: { status: 409, title: 'Conflict with the current state' },
  'unique-violation': { status: 409, title: 'A unique value is taken' },
  'foreign-key-violation': { status: 409, title: 'A related record is missing or still in use' },
  'exclusion-violation': { status: 409, title: 'The record conflicts with another one' },
  'serialization-failure': { status: 409, title: 'Another transaction was faster' },
  'precondition-failed': { status: 412, title: 'The record was changed meanwhile' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'uri-too-long': { status: 414, title: 'The address is too long' },
  'unsupported-media-type': { status: 415, title: 'The media type is not supported' },
  'invalid-record': { status: 422, title: 'The record is not valid' },
  'check-violation': { status: 422, title: 'A value breaks a rule of the database' },
  'not-null-violation': { status: 422, title: 'A value is missing' },
  'value-rejected': { status: 422, title: 'The database refused a value' },
  'idempotency-key-reused': { status: 422, title: 'The idempotency key was used for another request' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  'internal-error': { status: 500, title: 'Something went wrong on our side' },
  'not-implemented': { status: 501, title: 'The database cannot do this' },
  'database-unavailable': { status: 503, title: 'The database cannot be reached' },
  'database-permission': { status: 503, title: 'The database role lacks a grant' },
  'rate-limit-unavailable': { status: 503, title: 'Requests cannot be counted' },
  'statement-timeout': { status: 503, title: 'The database took too long' },
  'lock-timeout': { status: 503, title: 'A lock was not free in time' },
  'provider-unavailable': { status: 503, title: 'The identity provider cannot be reached' },
  overloaded: { status: 503, title: 'The server has too much to do' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemType = keyof typeof PROBLEMS;
