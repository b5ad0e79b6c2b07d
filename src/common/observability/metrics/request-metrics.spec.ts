import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { CollectionNames } from '../collection-names.js';
import { Observer } from '../observer.js';
import { ObservedRequest } from '../observed-request.js';
import { MetricRegistry } from './metric-registry.js';
import { RequestMetrics } from './request-metrics.js';

const ROUTE = { method: 'GET', template: '/api/{collection}' } as const;

interface World {
  readonly finish: (collection: string, durationMs?: number) => void;
  readonly setCollections: (count: number) => void;
  /** Requests by collection. */
  readonly counts: () => ReadonlyMap<string, number>;
  readonly read: (name: string) => number;
}

function createWorld(slowRequestMs: number | 'off' = 'off'): World {
  const registry = new MetricRegistry();
  const collections = new CollectionNames();
  const observer = new Observer([
    collections.sink,
    new RequestMetrics(registry, collections, slowRequestMs).sink,
  ]);
  return {
    finish(collection, durationMs = 1) {
      const request = new ObservedRequest('id', new IncomingMessage(new Socket()));
      Object.assign(request, { collection, route: ROUTE, endedAtMs: request.startedAtMs + durationMs });
      observer.observe({ kind: 'request.finished', request });
    },
    setCollections(count) {
      const names = Array.from({ length: count }, (_, index) => `table${index}`);
      observer.observe({ kind: 'catalog.read', version: String(count), collections: new Set(names) });
    },
    counts() {
      const [family] = registry.read();
      const series = family?.series ?? [];
      return new Map(
        series.map((one) => [
          one.labels['collection'] ?? '',
          'counts' in one ? one.counts.reduce((sum, count) => sum + count, 0) : 0,
        ]),
      );
    },
    read(name) {
      const family = registry.read().find((one) => one.name === name);
      return (family?.series ?? []).reduce((sum, one) => sum + ('value' in one ? one.value : 0), 0);
    },
  };
}

describe('series of collections', () => {
  it('are no more than 2,000, and the rest is counted together', () => {
    const { setCollections, finish, counts } = createWorld();
    setCollections(2500);
    for (let round = 0; round < 2; round += 1) {
      for (let index = 0; index < 2500; index += 1) finish(`table${index}`);
    }
    expect(counts().size).toBe(2001);
    expect(counts().get('(other)')).toBe(1000);
    expect(counts().get('table7')).toBe(2);
  });

  it('go with their collection, and make room for others', () => {
    const { setCollections, finish, counts } = createWorld();
    setCollections(2000);
    for (let index = 0; index < 2000; index += 1) finish(`table${index}`);
    finish('nonsense');
    setCollections(10);
    expect(counts().size).toBe(11);
    expect(counts().get('(unknown)')).toBe(1);
    setCollections(3000);
    finish('table2999');
    expect(counts().get('table2999')).toBe(1);
  });
});

describe('slow requests', () => {
  it('are counted from the configured duration on', () => {
    const { finish, read } = createWorld(50);
    for (const durationMs of [49.9, 50, 51]) finish('x', durationMs);
    expect(read('plinth_http_requests_slow_total')).toBe(2);
  });

  it('are not counted where nothing is slow', () => {
    const { finish, read } = createWorld('off');
    finish('x', 1e9);
    expect(read('plinth_http_requests_slow_total')).toBe(0);
  });
});
