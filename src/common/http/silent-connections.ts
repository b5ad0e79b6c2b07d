import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** A request that was on its way when the server began to close has been read by then. */
const GRACE_MS = 500;

/**
 * Lets a server close while clients hold connections on which they have asked nothing yet, as browsers do to be quick.
 * Node counts these as neither idle nor timed out once a server closes, and would wait for them for ever.
 */
export function disconnectSilent(instance: FastifyInstance, isTls: boolean): void {
  const { server } = instance;
  const silent = new Set<Socket>();
  server.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', ({ socket }: IncomingMessage) => silent.delete(socket));
  instance.addHook('preClose', (done) => {
    setTimeout(() => {
      for (const socket of silent) socket.destroy();
    }, GRACE_MS).unref();
    done();
  });
}
