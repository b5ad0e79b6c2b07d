import type { FastifyReply } from 'fastify';
import type { RecordAnswer } from './record-answer.js';

/** Sends an answer as it is: the JSON text is the database's, nothing parses or builds it again. */
export function sendAnswer(reply: FastifyReply, { status, headers, body }: RecordAnswer): FastifyReply {
  void reply.code(status).headers(headers);
  // What one actor may see, a shared cache must not give to another.
  void reply.header('cache-control', 'private, no-cache').header('vary', 'Authorization, X-API-Key');
  return body === null
    ? reply.send()
    : reply.header('content-type', 'application/json; charset=utf-8').send(body);
}
