import type { IncomingMessage } from 'node:http';
import type { Span } from '@opentelemetry/api';
import type { FastifyReply } from 'fastify';
import type { ProblemType } from '../errors/problem.js';
import type { StatementText, StatementWork } from './observe-statement.js';
import { NO_ROUTE, type ObservedRoute } from './observed-route.js';
import { parseTrace, startTrace, type TraceContext } from './tracing/trace-context.js';

/**
 * What becomes known of one request while it runs. One object each, written by those who know; the sinks read it when
 * the request has finished. Times are `performance.now()` or milliseconds.
 */
export class ObservedRequest {
  readonly startedAtMs = performance.now();
  endedAtMs = 0;
  route: ObservedRoute = NO_ROUTE;
  /** The collection as the address names it, whether there is one or not. */
  collection: string | null = null;
  reply: FastifyReply | null = null;
  /** The client left before it had the answer. */
  isAborted = false;
  problem: ProblemType | null = null;
  /** What its statements are part of. */
  work: StatementWork = 'other';
  waitMs = 0;
  databaseMs = 0;
  statements = 0;
  /** The statement that took longest. */
  slowest: StatementText | null = null;
  retries = 0;
  /** Records that were written or read, where that is known without reading the answer. */
  rows: number | null = null;
  /** Made where traces are exported. */
  span: Span | null = null;
  private slowestMs = -1;
  private ownTrace: TraceContext | null = null;

  constructor(
    readonly id: string,
    readonly incoming: IncomingMessage,
  ) {}

  get status(): number {
    return this.reply?.raw.statusCode ?? 0;
  }

  /** Of the answer's body, where it is known before the body is sent. */
  get sizeBytes(): number | null {
    const length = this.reply?.getHeader('content-length');
    return length === undefined ? null : Number(length);
  }

  get durationMs(): number {
    return this.endedAtMs - this.startedAtMs;
  }

  /** The address without the query, which holds people's data. */
  get path(): string {
    return this.incoming.url?.split('?', 1)[0] ?? '';
  }

  /** Where the request stands in a trace; made up when somebody asks and the client names none. */
  get trace(): TraceContext {
    this.ownTrace ??= this.traceOfSpan() ?? parseTrace(this.incoming.headers) ?? startTrace();
    return this.ownTrace;
  }

  noteWait(waitMs: number): void {
    this.waitMs += waitMs;
  }

  noteStatement(statement: StatementText, durationMs: number): void {
    this.statements += 1;
    this.databaseMs += durationMs;
    if (durationMs > this.slowestMs) {
      this.slowestMs = durationMs;
      this.slowest = statement;
    }
  }

  noteRows(count: number): void {
    this.rows = (this.rows ?? 0) + count;
  }

  private traceOfSpan(): TraceContext | null {
    const context = this.span?.spanContext();
    if (context === undefined) return null;
    const { traceId, spanId, traceFlags, traceState } = context;
    return { traceId, spanId, isSampled: (traceFlags & 1) === 1, state: traceState?.serialize() ?? null };
  }
}
