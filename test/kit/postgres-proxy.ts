import { createServer, connect, type Socket } from 'node:net';

/** A TCP proxy in front of PostgreSQL, to be its bad network. */
export interface PostgresProxy {
  /** The address of the database by way of the proxy. */
  readonly url: string;
  /** Breaks every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Loses whatever is sent on connections of now and of later, in both directions, as a firewall does that forgot them. */
  silence(): void;
  /**
   * Serves new connections again. Those that were silenced stay so for ever; the database ends its side of them, as its
   * keep-alive does in time.
   */
  restore(): Promise<void>;
  /** Lets the next COMMIT through and loses its answer; resolves when the server has given that answer. */
  loseCommit(): Promise<void>;
  close(): Promise<void>;
}

/** How simple and extended queries name the statement, and how the server says that it is done. */
const COMMIT = 'COMMIT\0';

export async function startPostgresProxy(databaseUrl: string): Promise<PostgresProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let isSilent = false;
  let onCommitLost: (() => void) | null = null;

  const server = createServer((client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port) });
    let isLost = isSilent;
    let noteCommit: (() => void) | null = null;
    silenced.add(() => {
      isLost = true;
      forgotten.push(upstream);
    });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => {});
      from.once('close', () => {
        sockets.delete(from);
        // Of a lost connection, neither end hears of the other's.
        if (!isLost) to.destroy();
      });
    }
    client.on('data', (chunk) => {
      if (isLost) return;
      if (onCommitLost !== null && chunk.includes(COMMIT)) {
        noteCommit = onCommitLost;
        onCommitLost = null;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (noteCommit !== null) {
        if (chunk.includes(COMMIT)) noteCommit();
      } else if (!isLost) {
        client.write(chunk);
      }
    });
  });
  const silenced = new Set<() => void>();
  const forgotten: Socket[] = [];

  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });

  await listen(0);
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return {
    url: url.href,
    cut: close,
    silence() {
      isSilent = true;
      for (const silence of silenced) silence();
      silenced.clear();
    },
    async restore() {
      isSilent = false;
      for (const upstream of forgotten.splice(0)) upstream.destroy();
      if (!server.listening) await listen(port);
    },
    loseCommit: () =>
      new Promise((resolve) => {
        onCommitLost = resolve;
      }),
    close,
  };
}
