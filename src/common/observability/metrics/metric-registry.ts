import { Counter } from './counter.js';
import { Histogram } from './histogram.js';
import {
  METRICS,
  type LabelsOf,
  type MetricDefinition,
  type MetricName,
  type MetricOf,
} from './metric-definitions.js';
import type { HistogramSeries, Labels, MetricFamily, ValueSeries } from './metric-family.js';

interface Sample<Name extends MetricName> {
  readonly labels: LabelsOf<Name>;
  readonly value: number;
}

interface RegisteredHistogram {
  readonly histogram: Histogram;
  /** Takes the series away. */
  readonly remove: () => void;
}

type Series = ValueSeries | HistogramSeries;
type Source = () => Iterable<Series>;

/**
 * The numbers of one application. Who counts keeps its counter or histogram, so that counting is an addition; what
 * others know anyway, such as sizes, is asked of them when somebody reads.
 */
export class MetricRegistry {
  private readonly sources = new Map<MetricName, Set<Source>>();

  counter<Name extends MetricOf<'counter'>>(name: Name, labels: LabelsOf<Name>): Counter {
    const counter = new Counter();
    this.addSource(name, () => [{ labels, value: counter.value }]);
    return counter;
  }

  histogram<Name extends MetricOf<'histogram'>>(name: Name, labels: LabelsOf<Name>): RegisteredHistogram {
    const { buckets }: MetricDefinition = METRICS[name];
    const histogram = new Histogram(buckets ?? []);
    const remove = this.addSource(name, () => [describe(labels, histogram)]);
    return { histogram, remove };
  }

  /** Numbers that are asked for when they are read. */
  collect<Name extends MetricOf<'counter' | 'gauge'>>(name: Name, read: () => Iterable<Sample<Name>>): void {
    this.addSource(name, read);
  }

  /** Every metric, in the order of their definitions. */
  read(): MetricFamily[] {
    const names = Object.keys(METRICS) as MetricName[];
    return names.map((name) => {
      const series: Series[] = [];
      for (const source of this.sources.get(name) ?? []) series.push(...source());
      return { name, series };
    });
  }

  private addSource(name: MetricName, source: Source): () => void {
    const sources = this.sources.get(name) ?? new Set();
    this.sources.set(name, sources.add(source));
    return () => sources.delete(source);
  }
}

const describe = (labels: Labels, { counts, sum }: Histogram): HistogramSeries => ({
  labels,
  counts: [...counts],
  sum,
});
