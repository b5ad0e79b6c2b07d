import { Socket } from 'node:net';

/** How long closing connections may take. A server that answers at all needs milliseconds. */
const FAREWELL_MS = 2000;

/** Every socket to one database, so that nobody waits for ever for a server or a network that went silent. */
export class DatabaseSockets {
  /** With what each had read and written when it last read something. */
  private readonly open = new Map<Socket, { read: number; written: number }>();
  private readBefore = 0;
  private isEnding = false;
  private blocked = false;

  /**
   * Makes sockets, for the driver's option `stream`.
   *
   * @param silenceMs after so long without a byte in either direction a connection counts as lost; default: never
   */
  factory(silenceMs?: number): () => Socket {
    return () => {
      const socket = new Socket();
      if (this.blocked) {
        process.nextTick(() => socket.destroy(silence('the database does not answer')));
        return socket;
      }
      if (silenceMs !== undefined) {
        socket.setTimeout(silenceMs, () => socket.destroy(silence(`silent for ${silenceMs} ms`)));
      }
      this.open.set(socket, { read: 0, written: 0 });
      socket.once('close', () => {
        this.open.delete(socket);
        this.readBefore += socket.bytesRead;
      });
      return socket;
    };
  }

  /** What has come from the database so far, on all connections together. */
  get bytesRead(): number {
    let bytes = this.readBefore;
    for (const socket of this.open.keys()) bytes += socket.bytesRead;
    return bytes;
  }

  /** Whether anything was sent, or a connection begun, that has not been answered by a single byte. */
  get isWaiting(): boolean {
    let isWaiting = false;
    for (const [socket, seen] of this.open) {
      const { bytesRead, bytesWritten } = socket;
      if (bytesRead !== seen.read) this.open.set(socket, { read: bytesRead, written: bytesWritten });
      else if (socket.connecting || bytesWritten > seen.written) isWaiting = true;
    }
    return isWaiting;
  }

  get isBlocked(): boolean {
    return this.blocked;
  }

  /** Breaks off every connection, and lets new ones fail at once. */
  block(): void {
    this.blocked = true;
    for (const socket of this.open.keys()) socket.destroy(silence('the database does not answer'));
  }

  /** Lets new connections be made again. */
  unblock(): void {
    this.blocked = false;
  }

  /** Breaks off every connection. */
  destroyAll(): void {
    for (const socket of this.open.keys()) socket.destroy();
  }

  /** To be called before connections are closed: what is still open some time later is broken off. */
  destroySoon(): void {
    if (this.isEnding) return;
    this.isEnding = true;
    setTimeout(() => this.destroyAll(), FAREWELL_MS).unref();
  }
}

const silence = (why: string): Error =>
  Object.assign(new Error(`Connection terminated: ${why}`), { code: 'ETIMEDOUT' });
