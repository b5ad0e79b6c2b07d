import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../common/errors/index.js';
import { parseIfMatch } from './entity-tag.js';
import { POSITION_HEADER } from './positions.service.js';
import { parsePrefer, type Preferences } from './preferences.js';
import { parseRecordAddress, type RecordAddress } from './record-address.js';

/** A request for records, as far as HTTP says it. */
export interface RecordRequest {
  readonly method: string;
  readonly address: RecordAddress;
  /** The path without the query. */
  readonly path: string;
  /** The body's text as it came; empty where there is none. */
  readonly body: string;
  readonly ifMatch: '*' | readonly string[] | null;
  readonly ifNoneMatch: string | null;
  readonly idempotencyKey: string | null;
  readonly prefer: Preferences;
  /** What a read must see; see `Positions`. */
  readonly position: string | null;
}

/** Gives a handler the request's record part; the collection comes from the route's parameter. */
export const Records = createParamDecorator((_data: unknown, execution: ExecutionContext): RecordRequest => {
  return readRecordRequest(execution.switchToHttp().getRequest<FastifyRequest>());
});

function readRecordRequest(request: FastifyRequest): RecordRequest {
  const { headers, url, method } = request;
  const { collection = '' } = request.params as { collection?: string };
  const ifMatch = headers['if-match'];
  return {
    method,
    address: parseRecordAddress(url, collection),
    path: url.split('?', 1)[0] ?? '',
    body: bodyText(request.body),
    ifMatch: ifMatch === undefined ? null : parseIfMatch(ifMatch),
    ifNoneMatch: headers['if-none-match'] ?? null,
    idempotencyKey: singleHeader('Idempotency-Key', headers['idempotency-key']),
    prefer: parsePrefer(headers['prefer']),
    position: singleHeader('Plinth-Position', headers[POSITION_HEADER]),
  };
}

/** Behind another adapter than Plinth's the body may be parsed already; its numbers are then as exact as JavaScript's. */
function bodyText(body: unknown): string {
  if (typeof body === 'string') return body;
  return body === undefined || body === null ? '' : JSON.stringify(body);
}

function singleHeader(name: string, value: string | string[] | undefined): string | null {
  if (Array.isArray(value))
    throw new Problem('invalid-parameter', { detail: `The header ${name} must come once.` });
  return value ?? null;
}
