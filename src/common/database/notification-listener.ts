import pg from 'pg';
import type { Observer } from '../observability/index.js';

/** Gets a notification's payload, or null after a reconnect. */
export type NotificationHandler = (payload: string | null) => void;

const RECONNECT_MS = { first: 100, most: 1000 } as const;
/** A connection that a firewall dropped silently is noticed by a statement that does not come back. */
const PROBE_MS = 5000;

/** One connection that only listens, shared by all who want notifications; it comes back by itself. */
export class NotificationListener {
  private readonly handlers = new Map<string, Set<NotificationHandler>>();
  private client: pg.Client | null = null;
  private connecting: Promise<void> | null = null;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    private readonly connection: pg.ClientConfig,
    private readonly observer: Observer,
  ) {}

  async listen(channel: string, handler: NotificationHandler): Promise<() => void> {
    const handlers = this.handlers.get(channel);
    if (handlers) handlers.add(handler);
    else this.handlers.set(channel, new Set([handler]));
    if (this.client === null) await this.connect();
    else if (!handlers) await this.client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    return () => {
      this.handlers.get(channel)?.delete(handler);
    };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.connecting?.catch(() => {});
    const { client } = this;
    this.client = null;
    await client?.end().catch(() => {});
  }

  private async connect(): Promise<void> {
    this.connecting ??= this.open().finally(() => {
      this.connecting = null;
    });
    await this.connecting;
  }

  private async open(): Promise<void> {
    const client = new pg.Client({
      ...this.connection,
      connectionTimeoutMillis: 5000,
      query_timeout: PROBE_MS,
    });
    client.on('notification', ({ channel, payload }) => this.deliver(channel, payload ?? ''));
    client.on('error', (error) => this.onLost(client, error));
    client.on('end', () => this.onLost(client, new Error('the connection ended')));
    await client.connect();
    for (const channel of this.handlers.keys()) await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    this.client = client;
    this.scheduleProbe(client);
  }

  private deliver(channel: string, payload: string | null): void {
    for (const handler of this.handlers.get(channel) ?? []) handler(payload);
  }

  private scheduleProbe(client: pg.Client): void {
    this.timer = setTimeout(() => {
      client.query('SELECT 1').then(
        () => {
          if (this.client === client) this.scheduleProbe(client);
        },
        (error: Error) => this.onLost(client, error),
      );
    }, PROBE_MS);
    this.timer.unref();
  }

  private onLost(client: pg.Client, error: Error): void {
    if (this.client !== client || this.isClosed) return;
    this.client = null;
    clearTimeout(this.timer);
    const { message: reason } = error;
    this.observer.observe({ kind: 'database.connection-lost', pool: 'notifications', reason });
    client.end().catch(() => {});
    this.reconnect(RECONNECT_MS.first);
  }

  private reconnect(delayMs: number): void {
    this.timer = setTimeout(() => {
      if (this.isClosed) return;
      this.connect().then(
        () => {
          for (const channel of this.handlers.keys()) this.deliver(channel, null);
        },
        () => this.reconnect(Math.min(delayMs * 2, RECONNECT_MS.most)),
      );
    }, delayMs);
    this.timer.unref();
  }
}
