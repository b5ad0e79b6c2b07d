import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { describeUnavailable, isDatabaseUnavailable } from '../database/database-errors.js';
import { observedOf, Observer } from '../observability/index.js';
import { Problem, type ProblemType } from './problem.js';
import { StatusProblem } from './status-problem.js';

/** The one way from an error to an answer. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly observer: Observer) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const problem = toProblem(error);
    // What is refused by the thousand is counted where it is refused.
    if (problem.status >= 500 && problem.type !== 'overloaded') {
      this.observer.observe({
        kind: problem.status === 500 ? 'request.failed' : 'request.unserved',
        request: observedOf(request),
        problem: problem.type,
        error: error instanceof Problem && error.cause !== undefined ? error.cause : error,
      });
    }
    sendProblem(problem, request.id, reply);
  }
}

export function sendProblem(problem: Problem, requestId: string, reply: FastifyReply): void {
  if (reply.sent) return;
  observedOf(reply.request).problem = problem.type;
  void reply
    .code(problem.status)
    .headers(problem.headers)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(JSON.stringify(problem.toJSON(requestId)));
}

const FASTIFY_PROBLEMS: Readonly<Record<string, ProblemType>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid-json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid-request',
  FST_ERR_BAD_URL: 'invalid-request',
  FST_ERR_MAX_PARAM_LENGTH: 'uri-too-long',
};

/** What the framework says of these is of no help, or repeats the address. */
const FASTIFY_DETAILS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'The body is larger than this server takes.',
  FST_ERR_CTP_INVALID_MEDIA_TYPE:
    'Send JSON, with Content-Type: application/json or application/merge-patch+json.',
  FST_ERR_BAD_URL: 'The path is not percent-encoded as it should be.',
};

const STATUS_PROBLEMS: Readonly<Record<number, ProblemType>> = {
  400: 'invalid-request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  406: 'not-acceptable',
  409: 'conflict',
  413: 'body-too-large',
  414: 'uri-too-long',
  415: 'unsupported-media-type',
  429: 'rate-limited',
  431: 'headers-too-large',
};

/** Any error as a problem. What is not known is an internal error that tells nothing of its cause. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const driverError = (error as { driverError?: unknown } | null)?.driverError;
  if (isDatabaseUnavailable(driverError ?? error)) {
    return new Problem('database-unavailable', {
      detail: describeUnavailable(driverError ?? error),
      headers: { 'retry-after': '1' },
      cause: error,
    });
  }
  if (error instanceof HttpException) return httpProblem(error);
  const state = sqlState(error);
  if (state !== null) {
    const type = STATE_PROBLEMS[state] ?? 'internal-error';
    const isTemporary = new Problem(type).status === 503;
    return new Problem(type, { ...(isTemporary ? { headers: { 'retry-after': '1' } } : {}), cause: error });
  }
  const { code, statusCode, message } = error as { code?: string; statusCode?: number; message?: string };
  const type =
    FASTIFY_PROBLEMS[code ?? ''] ?? (isClientError(statusCode) ? STATUS_PROBLEMS[statusCode] : undefined);
  return type === undefined
    ? new Problem('internal-error', { cause: error })
    : new Problem(type, { detail: FASTIFY_DETAILS[code ?? ''] ?? message, cause: error });
}

/** What Nest says where no route is, and what would repeat the address. */
const NO_ROUTE = /^Cannot [A-Z]+ \//;

/** An exception of Nest, or of a host application, as a problem with its status and its words. */
function httpProblem(error: HttpException): Problem {
  const status = error.getStatus();
  if (status === 500) return new Problem('internal-error', { cause: error });
  const response = error.getResponse();
  const messages: unknown = typeof response === 'object' && 'message' in response ? response.message : null;
  const words = Array.isArray(messages) ? messages.join('; ') : error.message;
  const detail = NO_ROUTE.test(words) ? 'There is nothing at this address.' : words;
  const type = STATUS_PROBLEMS[status];
  return type === undefined
    ? new StatusProblem(status, { detail, cause: error })
    : new Problem(type, { detail, cause: error });
}

/**
 * Errors of PostgreSQL that can come from any statement of ours. What a statement about records fails with is told with
 * its fields before it gets here.
 */
const STATE_PROBLEMS: Readonly<Record<string, ProblemType>> = {
  '40001': 'serialization-failure',
  '40P01': 'serialization-failure',
  '42501': 'database-permission',
  '55P03': 'lock-timeout',
  '57014': 'statement-timeout',
  '25006': 'database-unavailable',
};

/** The SQLSTATE of an error of the driver, also where TypeORM has wrapped it. */
function sqlState(error: unknown): string | null {
  const { code, driverError } = error as { code?: unknown; driverError?: { code?: unknown } };
  const state = driverError?.code ?? code;
  return error instanceof Error && typeof state === 'string' && /^[0-9A-Z]{5}$/.test(state) ? state : null;
}

const isClientError = (status: number | undefined): status is number =>
  status !== undefined && status >= 400 && status < 500;
