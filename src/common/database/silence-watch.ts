import pg from 'pg';
import type { Observer } from '../observability/index.js';
import { isDatabaseUnavailable } from './database-errors.js';
import type { DatabaseSockets } from './database-sockets.js';

/** For so long nothing may come from the database while something is asked of it, before it is asked whether it is there. */
const SUSPICION_MS = 2000;
/** How long the database has to answer that, from the beginning of a new connection. */
const PROBE_MS = 2000;
const PROBE_INTERVAL_MS = 500;

/** The answer of a server that is there, though it is full. */
const TOO_MANY_CONNECTIONS = '53300';

/**
 * Notices a database that has gone silent: a network that loses everything, a machine that is gone or frozen. Connections
 * to it do not break, so without this each statement would wait for as long as statements may take, and so would each
 * new connection. What is under way is broken off, and new connections fail at once, until the database can be reached.
 *
 * One statement that takes long is no silence: the probe is answered.
 */
export class SilenceWatch {
  private heardBytes = 0;
  private heardAtMs = performance.now();
  private nextProbeMs = 0;
  private isProbing = false;

  constructor(
    private readonly sockets: DatabaseSockets,
    private readonly observer: Observer,
    /** Rejects where there is no way to the database. */
    private readonly probe: () => Promise<void>,
  ) {}

  /**
   * To be called every now and then.
   * @param nowMs of `performance.now`
   * @param isAsked whether anything is known to be asked of the database
   */
  look(nowMs: number, isAsked: boolean): void {
    const { bytesRead } = this.sockets;
    const isWaiting = this.sockets.isWaiting || isAsked;
    if (!this.sockets.isBlocked && (!isWaiting || bytesRead !== this.heardBytes)) {
      this.heardBytes = bytesRead;
      this.heardAtMs = nowMs;
    }
    if (this.isProbing || nowMs < this.nextProbeMs || nowMs - this.heardAtMs < SUSPICION_MS) return;
    this.isProbing = true;
    void this.ask(bytesRead).finally(() => {
      this.isProbing = false;
      this.nextProbeMs = performance.now() + PROBE_INTERVAL_MS;
    });
  }

  private async ask(bytesBefore: number): Promise<void> {
    try {
      await this.probe();
      this.hear();
    } catch (error) {
      const isThere = !isDatabaseUnavailable(error) || hasCode(error, TOO_MANY_CONNECTIONS);
      if (isThere || (!this.sockets.isBlocked && this.sockets.bytesRead !== bytesBefore)) this.hear();
      else this.giveUp(error as Error);
    }
  }

  private hear(): void {
    this.heardAtMs = performance.now();
    if (!this.sockets.isBlocked) return;
    this.sockets.unblock();
    this.observer.observe({ kind: 'database.heard' });
  }

  private giveUp({ message: reason }: Error): void {
    if (this.sockets.isBlocked) return;
    this.observer.observe({ kind: 'database.silent', reason });
    this.sockets.block();
  }
}

const hasCode = (error: unknown, code: string): boolean => (error as { code?: unknown }).code === code;

/** Asks the smallest question on a connection of its own. */
export async function probeDatabase(connection: pg.ClientConfig): Promise<void> {
  const client = new pg.Client({
    ...connection,
    stream: undefined,
    connectionTimeoutMillis: PROBE_MS,
    query_timeout: PROBE_MS,
  });
  // A connection that breaks while it is being closed has nobody left to tell.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    // Not waited for: a silent server says no farewell.
    void client.end().catch(() => {});
  }
}
