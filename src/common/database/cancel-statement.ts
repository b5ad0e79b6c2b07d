import { connect } from 'node:net';
import pg from 'pg';

/** The codes of PostgreSQL's message CancelRequest, and the length of the message in bytes. */
const CANCEL_CODE = [1234, 5678] as const;
const CANCEL_BYTES = 16;
const TIMEOUT_MS = 5000;

/**
 * Asks the server to cancel what a connection runs now. Resolves when the server has taken the request, or cannot be
 * reached: the signal may then be on its way, so whoever uses the connection next should first run something that may
 * be hit.
 */
export function cancelStatement(client: pg.ClientBase): Promise<void> {
  // What the driver keeps of the server's process for this very purpose, without telling its types.
  const processID: unknown = Reflect.get(client, 'processID');
  const secretKey: unknown = Reflect.get(client, 'secretKey');
  if (!(client instanceof pg.Client) || typeof processID !== 'number' || typeof secretKey !== 'number') {
    return Promise.resolve();
  }
  const { host, port } = client;
  const message = Buffer.alloc(CANCEL_BYTES);
  message.writeInt32BE(CANCEL_BYTES, 0);
  message.writeInt16BE(CANCEL_CODE[0], 4);
  message.writeInt16BE(CANCEL_CODE[1], 6);
  message.writeInt32BE(processID, 8);
  message.writeInt32BE(secretKey, 12);
  return new Promise((resolve) => {
    const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    socket.on('connect', () => socket.write(message));
    socket.on('error', () => socket.destroy());
    // The server answers by closing.
    socket.on('close', () => resolve());
    socket.resume();
  });
}
