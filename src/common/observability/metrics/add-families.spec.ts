import { describe, expect, it } from 'vitest';
import { addFamilies, keepCounts } from './add-families.js';
import type { MetricFamily } from './metric-family.js';

const family = (slow: number, lag: number, startedAt: number, counts: readonly number[]): MetricFamily[] => [
  { name: 'plinth_http_requests_slow_total', series: [{ labels: {}, value: slow }] },
  { name: 'nodejs_eventloop_lag_p99_seconds', series: [{ labels: {}, value: lag }] },
  { name: 'process_start_time_seconds', series: [{ labels: {}, value: startedAt }] },
  { name: 'plinth_pool_waiting', series: [{ labels: { pool: 'requests' }, value: 2 }] },
  { name: 'plinth_connection_wait_seconds', series: [{ labels: {}, counts, sum: 0.5 }] },
];

describe('metrics of several processes', () => {
  it('are added up, but for what is no amount', () => {
    expect(addFamilies([family(1, 0.2, 100, [1, 0, 2]), family(5, 0.1, 200, [0, 3, 1])])).toEqual([
      { name: 'plinth_http_requests_slow_total', series: [{ labels: {}, value: 6 }] },
      { name: 'nodejs_eventloop_lag_p99_seconds', series: [{ labels: {}, value: 0.2 }] },
      { name: 'process_start_time_seconds', series: [{ labels: {}, value: 100 }] },
      { name: 'plinth_pool_waiting', series: [{ labels: { pool: 'requests' }, value: 4 }] },
      { name: 'plinth_connection_wait_seconds', series: [{ labels: {}, counts: [1, 3, 3], sum: 1 }] },
    ]);
  });

  it('keep series apart that differ in a label', () => {
    const of = (pool: string, value: number): MetricFamily[] => [
      { name: 'plinth_connections_lost_total', series: [{ labels: { pool }, value }] },
    ];
    expect(addFamilies([of('a', 1), of('b', 2), of('a', 4)])).toEqual([
      {
        name: 'plinth_connections_lost_total',
        series: [
          { labels: { pool: 'a' }, value: 5 },
          { labels: { pool: 'b' }, value: 2 },
        ],
      },
    ]);
  });

  it('leave counts behind when a process ends, and nothing else', () => {
    expect(keepCounts(family(1, 0.2, 100, [1])).map(({ name }) => name)).toEqual([
      'plinth_http_requests_slow_total',
      'plinth_connection_wait_seconds',
    ]);
  });
});
