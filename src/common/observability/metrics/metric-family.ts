import type { MetricName } from './metric-definitions.js';

export type Labels = Readonly<Record<string, string>>;

export interface ValueSeries {
  readonly labels: Labels;
  readonly value: number;
}

export interface HistogramSeries {
  readonly labels: Labels;
  /** By bucket, not cumulative; one more than there are bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/**
 * A metric with all its series at one moment, as plain data: what a process tells of itself. Families of several
 * processes can be added up before they are rendered.
 */
export interface MetricFamily {
  readonly name: MetricName;
  readonly series: readonly (ValueSeries | HistogramSeries)[];
}
