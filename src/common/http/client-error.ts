import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { Problem, type ProblemType } from '../errors/index.js';
import type { Observer } from '../observability/index.js';
import { SECURITY_HEADER_LINES } from './security-headers.js';

const PROBLEMS_BY_CODE: Readonly<Record<string, readonly [ProblemType, string]>> = {
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'The address and the headers are too long together.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['body-too-large', 'The extensions of a chunk are too long.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'The request did not arrive completely in time.'],
};

/** Answers what is no HTTP request at all, or too much of one, before the framework sees it. */
export function answerClientError(
  observer: Observer,
  error: Error & { readonly code?: string },
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) {
    const [type, detail] = PROBLEMS_BY_CODE[error.code ?? ''] ?? [
      'invalid-request',
      'This is not an HTTP request that can be understood.',
    ];
    observer.observe({ kind: 'request.unreadable', problem: type });
    const requestId = randomUUID();
    const problem = new Problem(type, { detail });
    const body = JSON.stringify(problem.toJSON(requestId));
    socket.write(
      [
        `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
        'Content-Type: application/problem+json; charset=utf-8',
        `Content-Length: ${Buffer.byteLength(body)}`,
        `X-Request-Id: ${requestId}`,
        ...SECURITY_HEADER_LINES,
        'Cache-Control: no-store',
        'Connection: close',
        '',
        body,
      ].join('\r\n'),
    );
  }
  socket.destroySoon();
}
