import { PROBLEMS, type ProblemType } from '../../errors/problem.js';
import { UNKNOWN_COLLECTION, type CollectionNames } from '../collection-names.js';
import { createSink, type ObservationSink } from '../observer.js';
import type { ObservedRequest } from '../observed-request.js';
import type { ObservedRoute } from '../observed-route.js';
import type { Counter } from './counter.js';
import type { Histogram } from './histogram.js';
import type { MetricRegistry } from './metric-registry.js';

const STATUSES = ['aborted', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** A series of the duration histogram has 15 numbers and as many lines; what is beyond this many shares `(other)`. */
const MAX_SERIES = 2000;
const OTHER_COLLECTION = '(other)';
/** Labels that stay when collections go. */
const SHARED: ReadonlySet<string> = new Set(['', UNKNOWN_COLLECTION, OTHER_COLLECTION]);

interface StatusSeries {
  readonly histograms: (Histogram | undefined)[];
  readonly removals: (() => void)[];
}

/**
 * Numbers about requests. Which series a request counts in is found by its route and its collection: two look-ups, and
 * nothing is built. Clients cannot grow the number of series: methods, routes and statuses are fixed, collections are
 * the catalog's, and there is a limit to all of them together.
 */
export class RequestMetrics {
  readonly sink: ObservationSink = createSink({
    'request.started': () => {
      this.inFlight += 1;
    },
    'request.finished': ({ request }) => {
      this.inFlight -= 1;
      this.count(request);
    },
    'request.unreadable': ({ problem }) => this.rejected.get(problem)?.add(),
    'catalog.read': ({ collections }) => this.forget(collections),
  });
  private readonly byRoute = new Map<ObservedRoute, Map<string, StatusSeries>>();
  private readonly rejected = new Map<ProblemType, Counter>();
  private readonly slow: Counter;
  private readonly slowMs: number;
  private seriesCount = 0;
  private inFlight = 0;

  constructor(
    private readonly registry: MetricRegistry,
    private readonly collections: CollectionNames,
    slowRequestMs: number | 'off',
  ) {
    this.slowMs = slowRequestMs === 'off' ? Number.POSITIVE_INFINITY : slowRequestMs;
    registry.collect('plinth_http_requests_in_flight', () => [{ labels: {}, value: this.inFlight }]);
    this.slow = registry.counter('plinth_http_requests_slow_total', {});
    for (const problem of Object.keys(PROBLEMS) as ProblemType[]) {
      this.rejected.set(problem, registry.counter('plinth_http_requests_rejected_total', { problem }));
    }
  }

  private count(request: ObservedRequest): void {
    const { durationMs, problem } = request;
    this.histogramFor(request).observe(durationMs / 1000);
    if (durationMs >= this.slowMs) this.slow.add();
    if (problem !== null) this.rejected.get(problem)?.add();
  }

  private histogramFor({ route, collection, isAborted, status }: ObservedRequest): Histogram {
    const index = isAborted ? 0 : Math.trunc(status / 100);
    const byCollection = this.byRoute.get(route);
    return (
      byCollection?.get(collection ?? '')?.histograms[index] ??
      this.findHistogram(route, this.collections.show(collection), index)
    );
  }

  /** Of a name that is shown: the slow way, taken for unknown names and the first time. */
  private findHistogram(route: ObservedRoute, collection: string, index: number): Histogram {
    let byCollection = this.byRoute.get(route);
    if (byCollection === undefined) {
      byCollection = new Map();
      this.byRoute.set(route, byCollection);
    }
    let series = byCollection.get(collection);
    if (series === undefined) {
      series = { histograms: [], removals: [] };
      byCollection.set(collection, series);
    }
    const known = series.histograms[index];
    if (known !== undefined) return known;
    const isFull = this.seriesCount >= MAX_SERIES && this.collections.has(collection);
    if (isFull) return this.findHistogram(route, OTHER_COLLECTION, index);
    return this.addHistogram(series, route, collection, index);
  }

  private addHistogram(
    series: StatusSeries,
    { method, template }: ObservedRoute,
    collection: string,
    index: number,
  ): Histogram {
    const { histogram, remove } = this.registry.histogram('plinth_http_request_duration_seconds', {
      method,
      route: template,
      collection,
      status: STATUSES[index] ?? '5xx',
    });
    series.histograms[index] = histogram;
    series.removals.push(remove);
    this.seriesCount += 1;
    return histogram;
  }

  /** Series of collections that are gone make room. */
  private forget(collections: ReadonlySet<string>): void {
    for (const byCollection of this.byRoute.values()) {
      for (const [collection, { removals }] of byCollection) {
        if (collections.has(collection) || SHARED.has(collection)) continue;
        for (const remove of removals) remove();
        this.seriesCount -= removals.length;
        byCollection.delete(collection);
      }
    }
  }
}
