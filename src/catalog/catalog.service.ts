import { Injectable } from '@nestjs/common';
import { readCatalog, type Catalog } from '@plinth/schema';
import { PlinthConfig } from '../common/config/index.js';
import { Observer } from '../common/observability/index.js';
import { CatalogConnection } from './catalog-connection.js';

/** Gets each new catalog, and the one before it. */
export type CatalogListener = (catalog: Catalog, previous: Catalog | null) => void;

/** The live catalog: an immutable snapshot that is replaced as a whole when the schema changed. */
@Injectable()
export class CatalogService {
  private snapshot: Catalog | null = null;
  private reading: Promise<Catalog> | null = null;
  private next: Promise<Catalog> | null = null;
  private readonly listeners = new Set<CatalogListener>();

  constructor(
    private readonly connection: CatalogConnection,
    private readonly config: PlinthConfig,
    private readonly observer: Observer,
  ) {}

  /**
   * The newest catalog that was read. Keep to one object within a request; it never changes.
   * @throws Error before the application has started
   */
  current(): Catalog {
    if (this.snapshot === null)
      throw new Error('The catalog is asked for before the application has started.');
    return this.snapshot;
  }

  /**
   * Reads the catalog now. The answer is at least as new as the call: callers during one reading share the next.
   * @throws the driver's error; the current catalog stays then
   */
  refresh(): Promise<Catalog> {
    if (this.reading === null) {
      this.reading = this.read().finally(() => {
        this.reading = null;
      });
      return this.reading;
    }
    const startNext = (): Promise<Catalog> => {
      this.next = null;
      return this.refresh();
    };
    this.next ??= this.reading.then(startNext, startNext);
    return this.next;
  }

  /** Calls `listener` after each change. Gives a function that stops it. */
  onChange(listener: CatalogListener): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  private async read(): Promise<Catalog> {
    const { snapshot: previous } = this;
    const catalog = await readCatalog(this.connection.pool, { schemas: this.config.schemas, previous });
    if (previous?.version === catalog.version && previous.isProvisional === catalog.isProvisional)
      return previous;
    this.snapshot = catalog;
    if (previous?.version === catalog.version) return catalog;
    const { version, collections } = catalog;
    this.observer.observe({ kind: 'catalog.read', version, collections: new Set(collections.keys()) });
    for (const listener of this.listeners) this.notify(listener, catalog, previous);
    return catalog;
  }

  private notify(listener: CatalogListener, catalog: Catalog, previous: Catalog | null): void {
    try {
      listener(catalog, previous);
    } catch (error) {
      this.observer.observe({ kind: 'catalog.listener-failed', error });
    }
  }
}
