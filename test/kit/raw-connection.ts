import { connect, type Socket } from 'node:net';

/** A connection on which a test says exactly what it wants, at its own pace. */
export interface RawConnection {
  readonly socket: Socket;
  send(text: string): void;
  /** What has come so far. */
  received(): string;
  /** Waits until what came matches; rejects when the connection closes before. */
  until(pattern: RegExp): Promise<string>;
  /** Waits for the end of the connection, and gives all that came. */
  closed(): Promise<string>;
}

/** Opens a connection to a server's address. */
export async function openRawConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  let text = '';
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  socket.setEncoding('latin1');
  socket.on('data', (part: string) => {
    text += part;
    tell();
  });
  socket.on('close', tell);
  // A reset is an end like any other here.
  socket.on('error', () => {});
  const wait = (isOver: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!isOver()) return;
        listeners.delete(check);
        resolve();
      };
      listeners.add(check);
      check();
    });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return {
    socket,
    send: (part) => void socket.write(part, 'latin1'),
    received: () => text,
    async until(pattern) {
      await wait(() => pattern.test(text) || socket.closed);
      if (!pattern.test(text)) throw new Error(`The connection closed after ${JSON.stringify(text)}`);
      return text;
    },
    async closed() {
      await wait(() => socket.closed);
      return text;
    },
  };
}

/** The problem documents in what came over a connection. */
export const problemsIn = (text: string): string[] =>
  [...text.matchAll(/"type":"\/problems\/([a-z-]+)"/g)].map(([, type]) => type ?? '');

/** The status codes in what came over a connection. */
export const statusesIn = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
