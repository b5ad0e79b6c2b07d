import type { FastifyReply } from 'fastify';
import type { RecordAnswer, StreamedAnswer } from './record-answer.js';

/** Characters from which on an answer is sent as bytes: Node would keep a text beside its bytes until it is sent. */
const LARGE = 64 * 1024;

/** Sends an answer as it is: the JSON text is the database's, nothing parses or builds it again. */
export function sendAnswer(
  reply: FastifyReply,
  { status, headers, body }: RecordAnswer | StreamedAnswer,
): FastifyReply {
  void reply.code(status).headers(headers);
  // What one actor may see, a shared cache must not give to another.
  void reply.header('cache-control', 'private, no-cache').header('vary', 'Authorization, X-API-Key');
  return body === null
    ? reply.send()
    : reply
        .header('content-type', 'application/json; charset=utf-8')
        .send(typeof body === 'string' && body.length > LARGE ? Buffer.from(body) : body);
}
