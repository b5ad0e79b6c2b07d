import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { readFingerprint } from '@plinth/schema';
import { PlinthConfig } from '../common/config/index.js';
import { Database } from '../common/database/index.js';
import { Observer } from '../common/observability/index.js';
import { CatalogConnection } from './catalog-connection.js';
import { CatalogService } from './catalog.service.js';
import { CATALOG_CHANNEL, hasChangeTrigger, installChangeTrigger } from './change-trigger.js';

/** Between two looks at the fingerprint. With event triggers only what they do not see is left, such as role grants. */
const POLL_MS = { toldOfChanges: 5000, notTold: 400 } as const;

/** A provisional catalog is read again this often: it gets whole when a lock ends, of which nothing tells. */
const REREAD_MS = 4000;

/** Keeps the catalog up to date: hears of changes where event triggers tell them, else looks for them. */
@Injectable()
export class CatalogWatcher implements OnModuleInit, OnModuleDestroy {
  private fingerprint: string | null = null;
  private lastReadMs = 0;
  private hasTriedInstall = false;
  private isTold = false;
  private isHealthy = true;
  private isStopped = false;
  private checking: Promise<void> | null = null;
  private isCheckDue = false;
  private timer: NodeJS.Timeout | undefined;
  private stopListening: () => void = () => {};

  constructor(
    private readonly catalog: CatalogService,
    private readonly connection: CatalogConnection,
    private readonly database: Database,
    private readonly config: PlinthConfig,
    private readonly observer: Observer,
  ) {}

  /** Listening and the trigger come before the first reading, so that no change falls between. */
  async onModuleInit(): Promise<void> {
    this.stopListening = await this.database.listen(CATALOG_CHANNEL, () => this.check());
    await this.look();
    this.observer.observe({ kind: 'catalog.followed', by: this.isTold ? 'event triggers' : 'polling' });
    this.schedule();
  }

  /** A look under way ends with its connection; nobody waits for it, since the database may be silent. */
  onModuleDestroy(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.stopListening();
  }

  private schedule(): void {
    if (this.isStopped) return;
    clearTimeout(this.timer);
    const delayMs = this.isTold && this.isHealthy ? POLL_MS.toldOfChanges : POLL_MS.notTold;
    this.timer = setTimeout(() => this.check(), delayMs);
    this.timer.unref();
  }

  /** Looks for changes, once more if it is asked to while it does. */
  private check(): void {
    this.isCheckDue = true;
    this.checking ??= this.checkWhileDue().finally(() => {
      this.checking = null;
      if (this.isCheckDue && !this.isStopped) this.check();
      else this.schedule();
    });
  }

  private async checkWhileDue(): Promise<void> {
    while (this.isCheckDue && !this.isStopped) {
      this.isCheckDue = false;
      try {
        await this.look();
        if (!this.isHealthy) this.observer.observe({ kind: 'catalog.readable' });
        this.isHealthy = true;
      } catch (error) {
        // The last catalog stays in force; the timer tries again.
        if (this.isHealthy && !this.isStopped) this.observer.observe({ kind: 'catalog.unreadable', error });
        this.isHealthy = false;
      }
    }
  }

  private async look(): Promise<void> {
    const { pool } = this.connection;
    const isTold = await hasChangeTrigger(pool);
    // Asked of the server where something could have changed only: at the start, and where the triggers were dropped.
    const isWorthTrying = !isTold && (this.isTold || !this.hasTriedInstall);
    this.hasTriedInstall = true;
    this.isTold =
      isTold || (isWorthTrying && (await installChangeTrigger(pool)) && (await hasChangeTrigger(pool)));
    const fingerprint = await readFingerprint(pool, { schemas: this.config.schemas });
    if (fingerprint === this.fingerprint && !this.isRereadDue()) return;
    await this.catalog.refresh();
    this.fingerprint = fingerprint;
    this.lastReadMs = performance.now();
  }

  private isRereadDue(): boolean {
    return this.catalog.current().isProvisional === true && performance.now() > this.lastReadMs + REREAD_MS;
  }
}
