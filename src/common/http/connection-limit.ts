import type { Server, Socket } from 'node:net';

/** Connections beyond the limit that are still taken, so that a request can be told why, and probes get through. */
const MIN_RESERVE = 16;
const RESERVE_SHARE = 0.1;

/** How long such a connection may stay without having asked anything. */
const EXCESS_MS = 5000;

/**
 * Bounds the connections of a server. Those beyond the limit are excess: their requests are to be refused. Beyond a
 * reserve for these, connections are closed as they come.
 */
export class ConnectionLimit {
  private readonly excess = new Set<Socket>();
  private open = 0;

  constructor(private readonly maxConnections: number) {}

  /** @param isTls whether requests come over sockets that are wrapped in TLS */
  watch(server: Server, isTls: boolean): void {
    const reserve = Math.max(MIN_RESERVE, Math.ceil(this.maxConnections * RESERVE_SHARE));
    server.maxConnections = this.maxConnections + reserve;
    server.on('connection', (socket: Socket) => {
      this.open += 1;
      socket.once('close', () => (this.open -= 1));
      if (!isTls) this.mark(socket);
    });
    if (isTls) server.on('secureConnection', (socket: Socket) => this.mark(socket));
  }

  /** Whether requests on a connection are to be refused. */
  isExcess(socket: Socket): boolean {
    return this.excess.size > 0 && this.excess.has(socket);
  }

  private mark(socket: Socket): void {
    if (this.open <= this.maxConnections) return;
    this.excess.add(socket);
    const timer = setTimeout(() => socket.destroy(), EXCESS_MS);
    timer.unref();
    socket.once('close', () => {
      clearTimeout(timer);
      this.excess.delete(socket);
    });
  }
}
