import type { OnApplicationShutdown } from '@nestjs/common';
import type { PlinthConfig } from '../config/index.js';
import { CollectionNames } from './collection-names.js';
import { LogSink } from './logs/log-sink.js';
import type { Logger } from './logs/logger.js';
import { RequestLog } from './logs/request-log.js';
import type { MetricRegistry } from './metrics/metric-registry.js';
import { operationMetrics } from './metrics/operation-metrics.js';
import { processMetrics } from './metrics/process-metrics.js';
import { RequestMetrics } from './metrics/request-metrics.js';
import { Observer } from './observer.js';
import type { Tracing } from './tracing/tracing.js';

interface ObservabilityOptions {
  readonly config: PlinthConfig;
  readonly logger: Logger;
  readonly registry: MetricRegistry;
  /** False in commands, which nobody asks for numbers and which are over soon. */
  readonly isServer: boolean;
  /** What Plinth's HTTP adapter observes requests with; null where there is none. */
  readonly requests: Observer | null;
}

/** The application's observer with the sinks that the configuration asks for, from its start to its end. */
export class Observability implements OnApplicationShutdown {
  private constructor(
    readonly observer: Observer,
    private readonly stopMeasuring: () => void,
    private readonly tracing: Tracing | null,
    private readonly flushTimeoutMs: number,
  ) {}

  static async start({
    config,
    logger,
    registry,
    isServer,
    requests,
  }: ObservabilityOptions): Promise<Observability> {
    const observer = requests ?? new Observer();
    const collections = new CollectionNames();
    observer.add(new LogSink(logger));
    observer.add(collections.sink);
    observer.add(new RequestLog(logger, collections, config));
    let stopMeasuring = (): void => {};
    if (config.metrics !== 'off' && isServer) {
      observer.add(new RequestMetrics(registry, collections, config.slowRequestMs).sink);
      observer.add(operationMetrics(registry));
      stopMeasuring = processMetrics(registry);
    }
    const tracing = isServer ? await startTracing(config, observer, collections) : null;
    return new Observability(observer, stopMeasuring, tracing, config.shutdownTimeoutMs / 2);
  }

  /** Requests are over by now, so the last spans are known. */
  async onApplicationShutdown(): Promise<void> {
    this.stopMeasuring();
    await this.tracing?.stop(this.flushTimeoutMs);
  }
}

/** OpenTelemetry is loaded only where it is used: it takes time and memory. */
async function startTracing(
  config: PlinthConfig,
  observer: Observer,
  collections: CollectionNames,
): Promise<Tracing | null> {
  const isEndpointSet = config.otlpEndpoint !== null || config.otlpTracesEndpoint !== null;
  if (!isEndpointSet || config.isTelemetryDisabled || config.tracesExporter === 'none') return null;
  const { Tracing } = await import('./tracing/tracing.js');
  return Tracing.start(config, observer, collections);
}
