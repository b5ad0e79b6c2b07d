import type { PlinthConfig } from '../../config/index.js';
import type { CollectionNames } from '../collection-names.js';
import type { Observation, ObservationKind } from '../observation.js';
import type { ObservationSink } from '../observer.js';
import type { ObservedRequest } from '../observed-request.js';
import type { LogLine } from './log-lines.js';
import type { Logger } from './logger.js';
import { listParameterNames } from './request-shape.js';

/** Of a statement's text: what is longer is of requests for dozens of fields, and its end says nothing new. */
const MAX_SQL_LENGTH = 10_000;

/** The lines that are written by the setting rather than for each observation. */
export const REQUEST_LINES = {
  'request.finished': { level: 'debug', message: 'request' },
  'request.slow': { level: 'warn', message: 'A request was slow' },
} as const satisfies Record<string, LogLine>;

/**
 * Writes a line for each request (`PLINTH_LOG_REQUESTS`), and one for each slow one (`PLINTH_SLOW_REQUEST_MS`). Neither
 * has values: no query, no body, no record.
 */
export class RequestLog implements ObservationSink {
  private readonly level: 'debug' | 'info' | 'off';
  private readonly slowMs: number;

  constructor(
    private readonly logger: Logger,
    private readonly collections: CollectionNames,
    { logRequests, slowRequestMs }: Pick<PlinthConfig, 'logRequests' | 'slowRequestMs'>,
  ) {
    this.level = logRequests;
    this.slowMs = slowRequestMs === 'off' ? Number.POSITIVE_INFINITY : slowRequestMs;
  }

  wants(kind: ObservationKind): boolean {
    return kind === 'request.finished' && (this.level !== 'off' || this.slowMs !== Number.POSITIVE_INFINITY);
  }

  observe(observation: Observation): void {
    if (observation.kind !== 'request.finished') return;
    const { request } = observation;
    if (this.level !== 'off' && this.logger.isLevelEnabled?.(this.level) !== false) {
      this.logger[this.level](describeRequest(request), REQUEST_LINES['request.finished'].message);
    }
    if (request.durationMs >= this.slowMs) {
      this.logger.warn(this.describeSlow(request), REQUEST_LINES['request.slow'].message);
    }
  }

  private describeSlow(request: ObservedRequest): object {
    const { route, slowest } = request;
    return {
      event: 'request.slow',
      requestId: request.id,
      traceId: request.trace.traceId,
      method: route.method,
      route: route.template,
      collection: this.collections.show(request.collection) || undefined,
      ...outcomeOf(request),
      problem: request.problem ?? undefined,
      waitMs: round(request.waitMs),
      databaseMs: round(request.databaseMs),
      statements: request.statements,
      retries: request.retries || undefined,
      rows: request.rows ?? undefined,
      bytes: request.sizeBytes ?? undefined,
      parameters: listParameterNames(request),
      statement:
        slowest === null ? undefined : { name: slowest.name, sql: slowest.text.slice(0, MAX_SQL_LENGTH) },
    };
  }
}

const describeRequest = (request: ObservedRequest): object => ({
  event: 'request.finished',
  requestId: request.id,
  traceId: request.trace.traceId,
  method: request.incoming.method,
  path: request.path,
  ...outcomeOf(request),
});

/** An answer that nobody waited for has no status that anybody saw. */
const outcomeOf = (request: ObservedRequest): object =>
  request.isAborted
    ? { isAborted: true, durationMs: round(request.durationMs) }
    : { status: request.status, durationMs: round(request.durationMs) };

const round = (milliseconds: number): number => Math.round(milliseconds * 100) / 100;
