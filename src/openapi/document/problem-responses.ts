import { PROBLEMS, type ProblemType } from '../../common/errors/index.js';
import type { Components } from './components.js';
import type { Header, Reference, Schema } from './openapi-types.js';

/** Statuses that answer a request that cannot be done, with the name of their response and when they are seen. */
const RESPONSES = {
  400: ['InvalidRequest', 'The request is malformed, or names something that does not exist for the caller.'],
  401: ['Unauthenticated', 'The credential is not valid or has expired.'],
  403: ['Forbidden', 'The caller may see this and may not do it.'],
  404: ['NotFound', 'There is nothing here, or nothing that the caller may know of.'],
  405: ['MethodNotAllowed', 'The method is not allowed here.'],
  406: ['NotAcceptable', 'There is no representation that the client accepts.'],
  409: [
    'Conflict',
    'The request conflicts with what is stored: a unique value, a related record, another transaction.',
  ],
  412: ['PreconditionFailed', 'The record is not in the version that If-Match names. Nothing was changed.'],
  413: ['BodyTooLarge', 'The body is larger than this server takes.'],
  414: ['AddressTooLong', 'The address is longer than this server takes.'],
  415: ['UnsupportedMediaType', 'The body is of another type than those above.'],
  422: [
    'InvalidRecord',
    'A value is not valid: of a well-formed body, each named in `errors`; or one that the database cannot compute with.',
  ],
  429: ['TooManyRequests', 'There were too many requests in a short time.'],
  431: ['HeadersTooLarge', 'The headers, or the address with its parameters, are too large.'],
  500: ['InternalError', 'Something went wrong on our side; the log has more under the `requestId`.'],
  501: ['NotImplemented', 'The database cannot do this.'],
  503: [
    'Unavailable',
    'The database or an identity provider cannot be reached, is overloaded, or took too long.',
  ],
} as const satisfies Record<number, readonly [string, string]>;

export type ProblemStatus = keyof typeof RESPONSES;

export const isProblemStatus = (status: number): status is ProblemStatus => status in RESPONSES;

/** Component names that are taken whatever the database holds. */
export const PROBLEM_SCHEMAS: readonly string[] = [
  'Problem',
  'ProblemDetail',
  ...Object.values(RESPONSES).map(([name]) => name),
];

const detailSchema: Schema = {
  type: 'object',
  description: 'A value at fault.',
  properties: {
    pointer: {
      type: 'string',
      description: 'JSON pointer into the body, `/731/price`; of a parameter, `?filter`.',
    },
    code: { type: 'string', description: 'Stable and meant for programs: `required`, `out-of-range`, ...' },
    message: { type: 'string', description: 'What is wrong, and where possible what would be right.' },
    position: {
      type: 'object',
      description: 'Where in the text that the pointer names, in UTF-16 units; the end is not included.',
      properties: { start: { type: 'integer', minimum: 0 }, end: { type: 'integer', minimum: 0 } },
      required: ['start', 'end'],
    },
  },
  required: ['pointer', 'code', 'message'],
};

const problemSchema = (components: Components): Schema => ({
  type: 'object',
  description: 'What went wrong, after RFC 9457. Some problems have members beyond these.',
  properties: {
    type: { type: 'string', format: 'uri-reference', description: 'Stable; what programs should look at.' },
    title: { type: 'string', description: 'The same for every problem of the type.' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', description: 'What is wrong with this request.' },
    requestId: { type: 'string', description: 'Under which the log of the server has this request.' },
    errors: { type: 'array', items: components.schema('ProblemDetail', () => detailSchema) },
  },
  required: ['type', 'title', 'status', 'requestId'],
});

const retryAfter: Header = {
  description: 'Seconds after which trying again makes sense.',
  schema: { type: 'integer', minimum: 0 },
};

const challenge: Header = {
  description: 'How to send a credential (RFC 9110).',
  schema: { type: 'string' },
};

function problemHeaders(components: Components, status: ProblemStatus): Record<string, Reference> {
  const headers = commonHeaders(components);
  if (status === 401)
    return { ...headers, 'WWW-Authenticate': components.header('WWW-Authenticate', () => challenge) };
  if (status === 429) {
    return { ...headers, ...rateHeaders(components), 'Retry-After': retryAfterHeader(components) };
  }
  return status === 503 ? { ...headers, 'Retry-After': retryAfterHeader(components) } : headers;
}

/** The types of problem that an answer with this status can be. */
const typesOf = (status: number): string[] =>
  (Object.keys(PROBLEMS) as ProblemType[])
    .filter((type) => PROBLEMS[type].status === status)
    .map((type) => `/problems/${type}`);

function problemOf(components: Components, status: ProblemStatus): Schema {
  const [name, description] = RESPONSES[status];
  return components.schema(name, () => ({
    description,
    allOf: [components.schema('Problem', () => problemSchema(components))],
    type: 'object',
    properties: {
      status: { type: 'integer', const: status },
      type: { type: 'string', enum: typesOf(status) },
    },
  }));
}

function problemResponse(components: Components, status: ProblemStatus): Reference {
  const [name, description] = RESPONSES[status];
  return components.response(name, () => ({
    description,
    headers: problemHeaders(components, status),
    content: { 'application/problem+json': { schema: problemOf(components, status) } },
  }));
}

/** Responses by status, for an operation. */
export const problemResponses = (
  components: Components,
  statuses: readonly ProblemStatus[],
): Record<string, Reference> =>
  Object.fromEntries(
    [...new Set(statuses)].map((status) => [String(status), problemResponse(components, status)]),
  );

const retryAfterHeader = (components: Components): Reference =>
  components.header('Retry-After', () => retryAfter);

/** Headers of every answer. */
export const commonHeaders = (components: Components): Record<string, Reference> => ({
  'X-Request-Id': requestIdHeader(components),
  ...(components.hasRateLimits ? rateHeaders(components) : {}),
});

const rateHeaders = (components: Components): Record<string, Reference> => ({
  'RateLimit-Policy': components.header('RateLimit-Policy', () => ({
    description:
      'The limit that the request counts under: its name, `q` requests in `w` seconds ' +
      '(draft-ietf-httpapi-ratelimit-headers).',
    schema: { type: 'string', examples: ['"caller";q=600;w=60'] },
  })),
  RateLimit: components.header('RateLimit', () => ({
    description: 'What is left: `r` requests at once; all of them again in `t` seconds.',
    schema: { type: 'string', examples: ['"caller";r=598;t=1'] },
  })),
});

const requestIdHeader = (components: Components): Reference =>
  components.header('X-Request-Id', () => ({
    description: 'Names this request in the log of the server: what the client sent, or a new one.',
    required: true,
    schema: { type: 'string' },
  }));
