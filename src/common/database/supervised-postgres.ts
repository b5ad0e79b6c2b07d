import { setTimeout as delay } from 'node:timers/promises';
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from '@plinth/embedded-postgres';
import type { Observer } from '../observability/index.js';

const BACKOFF_MS = { first: 200, most: 10_000 } as const;
/** A server that lived for so long did not die of what the one before died of. */
const STABLE_MS = 60_000;

/**
 * An embedded PostgreSQL that is started again when it ends without having been asked to: on the same port and with the
 * same password, so that every pool that knows its address heals by itself. One that ends again and again is started
 * ever more slowly, and never given up: whatever is wrong with it may be put right while Plinth runs.
 */
export class SupervisedPostgres {
  private readonly stopping = new AbortController();
  private readonly supervision: Promise<void>;

  private constructor(
    private readonly options: EmbeddedPostgresOptions,
    private readonly observer: Observer,
    private server: EmbeddedPostgres,
  ) {
    this.supervision = this.supervise();
  }

  /** @throws EmbeddedPostgresError when the first start fails; later ones are tried again. */
  static async start(
    options: Omit<EmbeddedPostgresOptions, 'logger'>,
    observer: Observer,
  ): Promise<SupervisedPostgres> {
    const tell = (data: object, notice: string): void =>
      observer.observe({ kind: 'database.embedded-noticed', notice, data });
    const complete = { ...options, logger: { info: tell, warn: tell } };
    return new SupervisedPostgres(complete, observer, await startEmbeddedPostgres(complete));
  }

  get url(): string {
    return this.server.url;
  }

  get port(): number {
    return this.server.port;
  }

  get dataDir(): string {
    return this.server.dataDir;
  }

  /** Stops the server, also one that is just being started again. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.server.stop();
    await this.supervision;
  }

  private async supervise(): Promise<void> {
    const { signal } = this.stopping;
    let delayMs: number = BACKOFF_MS.first;
    let startedAt = performance.now();
    for (;;) {
      const { code, signal: killedBy, wasStopped } = await this.server.exited;
      if (wasStopped || signal.aborted) return;
      if (performance.now() - startedAt > STABLE_MS) delayMs = BACKOFF_MS.first;
      const { logPath } = this.server;
      this.observer.observe({ kind: 'database.embedded-ended', code, signal: killedBy, logPath, delayMs });
      const restarted = await this.restart(delayMs);
      if (restarted === null) return;
      startedAt = performance.now();
      delayMs = Math.min(delayMs * 2, BACKOFF_MS.most);
      this.observer.observe({ kind: 'database.embedded-restarted', port: this.server.port });
    }
  }

  /** Tries until the server runs; null when it shall stop. */
  private async restart(firstDelayMs: number): Promise<EmbeddedPostgres | null> {
    const { signal } = this.stopping;
    const { port } = this.server;
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, BACKOFF_MS.most)) {
      // Ends early, and with nothing to tell, when the server shall stop.
      await delay(delayMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return null;
      try {
        // New data would be a new password, and an empty database that looks as if all were well.
        const server = await startEmbeddedPostgres({ ...this.options, port, mustExist: true });
        if (signal.aborted) {
          await server.stop();
          return null;
        }
        this.server = server;
        return server;
      } catch (error) {
        const { message: reason } = error as Error;
        const nextMs = Math.min(delayMs * 2, BACKOFF_MS.most);
        this.observer.observe({ kind: 'database.embedded-restart-failed', reason, delayMs: nextMs });
      }
    }
  }
}
