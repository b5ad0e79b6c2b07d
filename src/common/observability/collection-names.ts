import { createSink, type ObservationSink } from './observer.js';

/** Stands for every name that is no collection's, so that strangers cannot write into logs and metrics. */
export const UNKNOWN_COLLECTION = '(unknown)';

/** Knows which names that clients ask for are collections, from the catalog's observations. */
export class CollectionNames {
  readonly sink: ObservationSink = createSink({
    'catalog.read': ({ collections }) => {
      this.names = collections;
    },
  });
  private names: ReadonlySet<string> = new Set();

  has(name: string): boolean {
    return this.names.has(name);
  }

  /** A name to be shown: empty where the request is about no collection. */
  show(name: string | null): string {
    if (name === null) return '';
    return this.names.has(name) ? name : UNKNOWN_COLLECTION;
  }
}
