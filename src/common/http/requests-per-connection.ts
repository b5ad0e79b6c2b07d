import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Closes a connection with its nth answer. Node's own `maxRequestsPerSocket` says `Connection: close` too, and then leaves
 * the connection open for a client that does not heed it.
 */
export function limitRequestsPerConnection(instance: FastifyInstance, maxRequests: number): void {
  if (maxRequests === 0) return;
  const counts = new WeakMap<Socket, number>();
  instance.addHook('onRequest', ({ raw }, reply, done) => {
    const count = (counts.get(raw.socket) ?? 0) + 1;
    counts.set(raw.socket, count);
    if (count >= maxRequests) void reply.header('connection', 'close');
    done();
  });
}
