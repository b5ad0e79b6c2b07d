import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { UnderWay } from '../load/index.js';
import { onAnswerOver } from '../observability/index.js';

const LOOK_MS = 10;

/**
 * Lets every connection end with an answer when the server is closed, not beneath a request. Those with an answer under
 * way end after it. Otherwise they would be kept alive for the client's next request, and closing would wait for that
 * until the connection's own time limit.
 *
 * On a connection that was in use a moment ago, the next request may be on its way already, and would be lost if the
 * connection were closed now. So these are served for a while longer, and end after their next answer, which says
 * `Connection: close`.
 *
 * @param graceMs how long after its last answer a connection counts as in use
 */
export function closeConnectionsWhenAnswered(instance: FastifyInstance, graceMs: number): void {
  const underWay = new UnderWay<ServerResponse>();
  const usedAtMs = new Map<Socket, number>();
  instance.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw;
    const entry = underWay.begin(reply.raw);
    if (!usedAtMs.has(socket)) {
      usedAtMs.set(socket, performance.now());
      socket.once('close', () => usedAtMs.delete(socket));
    }
    onAnswerOver(reply.raw, socket, () => {
      underWay.end(entry);
      if (!socket.destroyed) usedAtMs.set(socket, performance.now());
    });
    done();
  });
  instance.addHook('preClose', async () => {
    const closedAtMs = performance.now();
    for (const response of underWay) endConnectionAfter(response);
    // What is used now says `Connection: close`, and is not waited for again.
    const isInUse = (atMs: number): boolean => performance.now() - Math.min(atMs, closedAtMs) < graceMs;
    while ([...usedAtMs.values()].some(isInUse)) await delay(LOOK_MS);
  });
}

function endConnectionAfter(response: ServerResponse): void {
  response.shouldKeepAlive = false;
  // The head of a long answer has gone out and has promised the contrary, which is then not kept.
  const { socket, headersSent } = response;
  if (headersSent) response.once('finish', () => socket?.end());
}
