import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Answers that wait behind others on a pipelined connection, and who wants to know when the connection ends. */
const waiting = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls `listener` once, as an answer closes once: when the answer is out, or when the client is gone. Fastify's `onResponse` does not tell the
 * latter, and Node tells nothing at all of an answer that has no connection yet, because others go before it.
 */
export function onAnswerOver(response: ServerResponse, connection: Socket, listener: () => void): void {
  // Answers that have a connection, nearly all, get a `close` in any case.
  if (response.socket !== null) {
    response.on('close', listener);
    return;
  }
  if (connection.destroyed) {
    process.nextTick(listener);
    return;
  }
  let isOver = false;
  const listeners = waitingOn(connection);
  const settle = (): void => {
    if (isOver) return;
    isOver = true;
    listeners.delete(settle);
    listener();
  };
  listeners.add(settle);
  response.on('close', settle);
}

/** One listener a connection, however many requests are in its pipeline. */
function waitingOn(connection: Socket): Set<() => void> {
  let listeners = waiting.get(connection);
  if (listeners === undefined) {
    const own = new Set<() => void>();
    connection.once('close', () => {
      for (const settle of own) settle();
    });
    waiting.set(connection, own);
    listeners = own;
  }
  return listeners;
}
