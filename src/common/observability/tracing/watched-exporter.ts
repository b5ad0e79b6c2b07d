import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Observer } from '../observer.js';

/** Tells whether the collector takes what it is given: each batch as numbers, the beginning and the end of trouble in words. */
export class WatchedExporter implements SpanExporter {
  private isHealthy = true;

  constructor(
    private readonly exporter: SpanExporter,
    private readonly observer: Observer,
  ) {}

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.exporter.export(spans, (result) => {
      this.note(spans.length, result);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }

  private note(spans: number, { code, error }: ExportResult): void {
    const isTaken = code === ExportResultCode.SUCCESS;
    this.observer.observe({ kind: 'tracing.exported', spans, outcome: isTaken ? 'exported' : 'failed' });
    if (isTaken === this.isHealthy) return;
    this.isHealthy = isTaken;
    this.observer.observe(
      isTaken
        ? { kind: 'tracing.export-recovered' }
        : {
            kind: 'tracing.export-failed',
            spans,
            reason: error?.message ?? 'the collector did not take them',
          },
    );
  }
}
