import { METRICS, type MetricDefinition } from './metric-definitions.js';
import type { HistogramSeries, MetricFamily, ValueSeries } from './metric-family.js';

type Series = ValueSeries | HistogramSeries;

/**
 * What several processes tell of themselves, as if they were one: counters and histograms are added up, gauges as their
 * definitions say. Families keep the order in which they are first met.
 */
export function addFamilies(processes: Iterable<readonly MetricFamily[]>): MetricFamily[] {
  const sums = new Map<MetricFamily['name'], Map<string, Series>>();
  for (const families of processes) {
    for (const { name, series } of families) {
      const known = sums.get(name) ?? new Map<string, Series>();
      sums.set(name, known);
      for (const one of series) {
        const labels = JSON.stringify(one.labels);
        const other = known.get(labels);
        known.set(labels, other === undefined ? one : addSeries(METRICS[name], other, one));
      }
    }
  }
  return [...sums].map(([name, series]) => ({ name, series: [...series.values()] }));
}

/** What goes on counting when the process that counted it is gone; what it was at that moment is gone with it. */
export const keepCounts = (families: readonly MetricFamily[]): MetricFamily[] =>
  families.filter(({ name }) => METRICS[name].type !== 'gauge');

function addSeries({ together }: MetricDefinition, one: Series, other: Series): Series {
  const { labels } = one;
  if ('counts' in one && 'counts' in other) {
    const counts = one.counts.map((count, bucket) => count + (other.counts[bucket] ?? 0));
    return { labels, counts, sum: one.sum + other.sum };
  }
  if ('counts' in one || 'counts' in other) throw new TypeError('A histogram and a number cannot be added.');
  const combine = together === undefined ? (a: number, b: number) => a + b : Math[together];
  return { labels, value: combine(one.value, other.value) };
}
