import { METRICS, type MetricDefinition } from './metric-definitions.js';
import type { HistogramSeries, Labels, MetricFamily } from './metric-family.js';

/** The media type of what `renderMetrics` gives. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Metrics in Prometheus' text format.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function renderMetrics(families: readonly MetricFamily[]): string {
  const lines: string[] = [];
  for (const { name, series } of families) {
    if (series.length === 0) continue;
    const { type, help, buckets }: MetricDefinition = METRICS[name];
    lines.push(`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`);
    lines.push(`# TYPE ${name} ${type}`);
    for (const one of series) {
      const labels = renderLabels(one.labels);
      if ('counts' in one) renderHistogram(lines, name, labels, one, buckets ?? []);
      else lines.push(`${name}${braced(labels)} ${renderNumber(one.value)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function renderHistogram(
  lines: string[],
  name: string,
  labels: string,
  { counts, sum }: HistogramSeries,
  bounds: readonly number[],
): void {
  const before = labels === '' ? '' : `${labels},`;
  let count = 0;
  counts.forEach((inBucket, index) => {
    count += inBucket;
    const bound = bounds[index];
    const le = bound === undefined ? '+Inf' : renderNumber(bound);
    lines.push(`${name}_bucket{${before}le="${le}"} ${count}`);
  });
  lines.push(`${name}_sum${braced(labels)} ${renderNumber(sum)}`, `${name}_count${braced(labels)} ${count}`);
}

const braced = (labels: string): string => (labels === '' ? '' : `{${labels}}`);

const renderLabels = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeValue(value)}"`)
    .join(',');

const escapeValue = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

function renderNumber(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}
