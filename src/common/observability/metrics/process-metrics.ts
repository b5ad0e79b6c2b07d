import { readdirSync } from 'node:fs';
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { VERSION } from '../../version.js';
import type { MetricRegistry } from './metric-registry.js';

/** How often the event loop's delay is sampled, in milliseconds. */
const RESOLUTION_MS = 20;
const NANOSECONDS = 1e9;
const MICROSECONDS = 1e6;

/** Numbers about the process itself. Gives a function that stops measuring. */
export function processMetrics(registry: MetricRegistry): () => void {
  registry.collect('plinth_build_info', () => [{ labels: { version: VERSION }, value: 1 }]);
  registry.collect('nodejs_version_info', () => [{ labels: { version: process.version }, value: 1 }]);
  const startedAt = Math.round(Date.now() - process.uptime() * 1000) / 1000;
  registry.collect('process_start_time_seconds', () => [{ labels: {}, value: startedAt }]);
  memoryMetrics(registry);
  cpuMetrics(registry);
  const stopLoop = eventLoopMetrics(registry);
  const stopCollections = garbageMetrics(registry);
  return () => {
    stopLoop();
    stopCollections();
  };
}

function memoryMetrics(registry: MetricRegistry): void {
  const one = (read: () => number) => () => [{ labels: {}, value: read() }];
  const heap = (member: 'total_heap_size' | 'used_heap_size' | 'heap_size_limit' | 'external_memory') =>
    one(() => getHeapStatistics()[member]);
  registry.collect('nodejs_heap_size_total_bytes', heap('total_heap_size'));
  registry.collect('nodejs_heap_size_used_bytes', heap('used_heap_size'));
  registry.collect('nodejs_heap_size_limit_bytes', heap('heap_size_limit'));
  registry.collect('nodejs_external_memory_bytes', heap('external_memory'));
  registry.collect(
    'process_resident_memory_bytes',
    one(() => process.memoryUsage.rss()),
  );
}

function cpuMetrics(registry: MetricRegistry): void {
  registry.collect('process_cpu_user_seconds_total', () => [
    { labels: {}, value: process.cpuUsage().user / MICROSECONDS },
  ]);
  registry.collect('process_cpu_system_seconds_total', () => [
    { labels: {}, value: process.cpuUsage().system / MICROSECONDS },
  ]);
  registry.collect('process_open_fds', () => {
    const count = countOpenFiles();
    return count === null ? [] : [{ labels: {}, value: count }];
  });
}

/** Null where the system does not tell. */
function countOpenFiles(): number | null {
  try {
    // The folder itself is open while it is read.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return null;
  }
}

function eventLoopMetrics(registry: MetricRegistry): () => void {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  // What is measured is the time between two samples, so the interval itself is no lag.
  const lag = (nanoseconds: number): number =>
    Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS / 1000) || 0;
  registry.collect('nodejs_eventloop_lag_seconds', () => [{ labels: {}, value: lag(delays.mean) }]);
  registry.collect('nodejs_eventloop_lag_p50_seconds', () => [
    { labels: {}, value: lag(delays.percentile(50)) },
  ]);
  registry.collect('nodejs_eventloop_lag_p99_seconds', () => [
    { labels: {}, value: lag(delays.percentile(99)) },
  ]);
  registry.collect('nodejs_eventloop_lag_max_seconds', () => {
    const value = lag(delays.max);
    // The last of them that is read.
    delays.reset();
    return [{ labels: {}, value }];
  });
  registry.collect('nodejs_eventloop_time_seconds_total', () => {
    const { active, idle } = performance.eventLoopUtilization();
    return [
      { labels: { state: 'active' }, value: active / 1000 },
      { labels: { state: 'idle' }, value: idle / 1000 },
    ];
  });
  return () => delays.disable();
}

function garbageMetrics(registry: MetricRegistry): () => void {
  const histogramOf = (kind: string) => registry.histogram('nodejs_gc_duration_seconds', { kind }).histogram;
  const incremental = histogramOf('incremental');
  const byKind = new Map([
    [constants.NODE_PERFORMANCE_GC_MAJOR, histogramOf('major')],
    [constants.NODE_PERFORMANCE_GC_MINOR, histogramOf('minor')],
    [constants.NODE_PERFORMANCE_GC_INCREMENTAL, incremental],
    [constants.NODE_PERFORMANCE_GC_WEAKCB, histogramOf('weakcb')],
  ]);
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      (byKind.get(kindOf(entry)) ?? incremental).observe(entry.duration / 1000);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
}

/** The types of Node.js 20 leave `detail` out. */
function kindOf(entry: object): number {
  const detail: unknown = 'detail' in entry ? entry.detail : undefined;
  return typeof detail === 'object' && detail !== null && 'kind' in detail ? Number(detail.kind) : -1;
}
