import pg from 'pg';
import type { DatabaseSockets } from '../database-sockets.js';
import { connectionOptions } from '../connection-options.js';
import { runStatement, type TextRow } from '../text-query.js';

/** A server that does not answer so small a question in this time is as good as gone. */
const TIMEOUT_MS = 2000;

/** One connection on which a server is asked how it is, again and again; opened when it is needed. */
export class Probe {
  private client: pg.Client | null = null;
  private isAsking = false;

  constructor(
    private readonly url: string,
    private readonly sockets: DatabaseSockets,
  ) {}

  /**
   * The one row that a query gives. One question at a time.
   * @throws Error where there is no answer in time; the next question is asked on a new connection then
   */
  async ask(text: string): Promise<TextRow> {
    let isLate = false;
    this.isAsking = true;
    const timer = setTimeout(() => {
      isLate = true;
      this.drop();
    }, TIMEOUT_MS);
    try {
      const client = this.client ?? (await this.open());
      const [row] = await runStatement(client, { text, values: [] });
      if (row === undefined) throw new Error('it answered nothing');
      return row;
    } catch (error) {
      this.drop();
      throw isLate ? new Error(`it did not answer in ${TIMEOUT_MS} ms`, { cause: error }) : error;
    } finally {
      clearTimeout(timer);
      this.isAsking = false;
    }
  }

  async close(): Promise<void> {
    const { client } = this;
    // The driver never settles what is under way on a connection that is ended while it is being made.
    if (this.isAsking) return this.drop();
    this.client = null;
    await client?.end().catch(() => {});
  }

  /** Lets go of the connection, whatever the server makes of that. */
  private drop(): void {
    this.client?.connection.stream.destroy();
    this.client = null;
  }

  private async open(): Promise<pg.Client> {
    const client = new pg.Client({
      ...connectionOptions(this.url, this.sockets),
      application_name: 'plinth-probe',
    });
    // The question that is under way tells of it.
    client.on('error', () => {});
    this.client = client;
    await client.connect();
    return client;
  }
}
