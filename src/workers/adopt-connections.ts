import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Lets a server that does not listen serve connections that another process accepted, with everything that a listening
 * one does: limits of time and number, and a close that waits for what is under way. To be called before the instance is
 * ready. Gives the function that takes a connection over.
 */
export function adoptConnections(instance: FastifyInstance): (connection: Socket) => void {
  const { server } = instance;
  const open = new Set<Socket>();
  let onDrained = (): void => {};
  // After the hooks that end connections: this one waits until all have ended.
  instance.addHook('preClose', async () => {
    server.closeIdleConnections();
    if (open.size > 0) await new Promise<void>((resolve) => (onDrained = resolve));
  });
  // From then on Node watches how long requests take to arrive.
  server.emit('listening');
  return (connection) => {
    if (open.size >= server.maxConnections) {
      connection.destroy();
      return;
    }
    open.add(connection);
    connection.once('close', () => {
      open.delete(connection);
      if (open.size === 0) onDrained();
    });
    server.emit('connection', connection);
  };
}
