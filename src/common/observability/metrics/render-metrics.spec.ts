import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMetrics } from '../../../../test/kit/parse-metrics.js';
import { MetricRegistry } from './metric-registry.js';
import { renderMetrics } from './render-metrics.js';

describe('rendered metrics', () => {
  it('hold counters, numbers that are asked for, and histograms with cumulative buckets', () => {
    const registry = new MetricRegistry();
    registry.counter('plinth_plan_cache_hits_total', { cache: 'read' }).add(3);
    registry.collect('plinth_pool_waiting', () => [{ labels: { pool: 'requests' }, value: 0.5 }]);
    const { histogram } = registry.histogram('nodejs_gc_duration_seconds', { kind: 'minor' });
    for (const seconds of [0.001, 0.002, 0.01, 99]) histogram.observe(seconds);
    expect(renderMetrics(registry.read()).split('\n')).toEqual([
      '# HELP plinth_pool_waiting Statements and transactions that wait for a free connection.',
      '# TYPE plinth_pool_waiting gauge',
      'plinth_pool_waiting{pool="requests"} 0.5',
      '# HELP plinth_plan_cache_hits_total Requests whose plan was in memory.',
      '# TYPE plinth_plan_cache_hits_total counter',
      'plinth_plan_cache_hits_total{cache="read"} 3',
      '# HELP nodejs_gc_duration_seconds Pauses of the garbage collector, by kind.',
      '# TYPE nodejs_gc_duration_seconds histogram',
      'nodejs_gc_duration_seconds_bucket{kind="minor",le="0.001"} 1',
      'nodejs_gc_duration_seconds_bucket{kind="minor",le="0.01"} 3',
      'nodejs_gc_duration_seconds_bucket{kind="minor",le="0.1"} 3',
      'nodejs_gc_duration_seconds_bucket{kind="minor",le="1"} 3',
      'nodejs_gc_duration_seconds_bucket{kind="minor",le="2"} 3',
      'nodejs_gc_duration_seconds_bucket{kind="minor",le="5"} 3',
      'nodejs_gc_duration_seconds_bucket{kind="minor",le="+Inf"} 4',
      'nodejs_gc_duration_seconds_sum{kind="minor"} 99.013',
      'nodejs_gc_duration_seconds_count{kind="minor"} 4',
      '',
    ]);
  });

  const text = fc.string({
    unit: fc.constantFrom('a', '"', '\\', '\n', ',', '=', '{', '}', '#', ' ', 'é', '\u{1f600}'),
  });
  it('are read back as they were, whatever a table is called and however large a number is', () => {
    fc.assert(
      fc.property(text, fc.double({ noNaN: true }), (version, value) => {
        const registry = new MetricRegistry();
        registry.collect('plinth_catalog_info', () => [{ labels: { version }, value }]);
        expect(parseMetrics(renderMetrics(registry.read())).samples).toEqual([
          { name: 'plinth_catalog_info', labels: { version }, value: Object.is(value, -0) ? 0 : value },
        ]);
      }),
    );
  });
});
