import {
  detectResources,
  envDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
  type Resource,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider, type SpanExporter } from '@opentelemetry/sdk-trace';
import type { PlinthConfig } from '../../config/index.js';
import { VERSION } from '../../version.js';
import type { CollectionNames } from '../collection-names.js';
import type { Observer } from '../observer.js';
import { createSampler } from './sampler.js';
import { traceSink } from './trace-sink.js';
import { WatchedExporter } from './watched-exporter.js';

/**
 * Exports traces through OpenTelemetry. Nothing is registered globally: a host application may have an OpenTelemetry of
 * its own. This module is loaded only where traces are exported.
 */
export class Tracing {
  private constructor(private readonly provider: TracerProvider) {}

  /** Spans of everything that is observed from now on. */
  static async start(
    config: PlinthConfig,
    observer: Observer,
    collections: CollectionNames,
  ): Promise<Tracing> {
    const url = endpointOf(config);
    const exporter = new WatchedExporter(await createExporter(config.otlpProtocol, url), observer);
    const provider = new TracerProvider({
      resource: describeService(config),
      sampler: createSampler(config),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter,
          maxQueueSize: config.spanQueueSize,
          maxExportBatchSize: Math.min(config.spanBatchSize, config.spanQueueSize),
          scheduledDelayMillis: config.spanDelayMs,
          exportTimeoutMillis: config.spanExportTimeoutMs,
        }),
      ],
    });
    observer.add(traceSink(provider.getTracer('plinth', VERSION), collections));
    observer.observe({
      kind: 'tracing.started',
      endpoint: withoutSecrets(url),
      protocol: config.otlpProtocol,
      sampler: config.tracesSampler,
    });
    return new Tracing(provider);
  }

  /** Exports what is left, for so long at most: a collector that is away must not keep the server from stopping. */
  async stop(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    // A failed export has been told.
    await Promise.race([this.provider.shutdown().catch(() => {}), timeout]);
    clearTimeout(timer);
  }
}

function endpointOf({ otlpEndpoint, otlpTracesEndpoint }: PlinthConfig): string {
  return otlpTracesEndpoint ?? `${(otlpEndpoint ?? '').replace(/\/$/, '')}/v1/traces`;
}

/** Headers, timeout, compression and certificates are the exporter's to read: OTEL_EXPORTER_OTLP_HEADERS and its kin. */
async function createExporter(protocol: PlinthConfig['otlpProtocol'], url: string): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter({ url });
}

/** A name that is set goes before one in OTEL_RESOURCE_ATTRIBUTES, and that before ours. */
function describeService({ serviceName }: PlinthConfig): Resource {
  const detected = detectResources({ detectors: [envDetector, serviceInstanceIdDetector] });
  const ours = resourceFromAttributes({ 'service.name': 'plinth', 'service.version': VERSION }).merge(
    detected,
  );
  return serviceName === null ? ours : ours.merge(resourceFromAttributes({ 'service.name': serviceName }));
}

function withoutSecrets(address: string): string {
  const { origin, pathname } = new URL(address);
  return origin + pathname;
}
