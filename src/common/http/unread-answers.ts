import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Disconnects clients that take nothing of their answer for a while, because an answer that nobody reads is held in
 * memory. A client that reads slowly, and one that waits for its answer, are left alone.
 */
export function disconnectUnread(server: Server, timeoutMs: number): void {
  // With a listener, Node leaves all timeouts of connections to that, also the one for idle ones, which is told apart by
  // its duration: whole milliseconds.
  server.timeout = Math.trunc(timeoutMs) + 0.5;
  server.on('timeout', (socket: Socket) => {
    const isIdle = socket.timeout !== server.timeout;
    if (isIdle || socket.writableLength > 0) socket.destroy();
  });
}
