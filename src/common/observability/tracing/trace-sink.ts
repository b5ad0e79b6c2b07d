import {
  createTraceState,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import type { CollectionNames } from '../collection-names.js';
import { sqlStateOf } from '../describe-error.js';
import type { ObservationOf } from '../observation.js';
import { createSink, type ObservationSink } from '../observer.js';
import type { ObservedRequest } from '../observed-request.js';
import { parseTrace } from './trace-context.js';

/** Waiting for less than this is not worth a span. */
const MIN_WAIT_MS = 1;
const SERVER_ERROR = 500;

/**
 * Makes a span of each request, with a child for each statement. Attributes are those of OpenTelemetry's semantic
 * conventions, without those that hold values: no path, no query, no address of the client.
 */
export function traceSink(tracer: Tracer, collections: CollectionNames): ObservationSink {
  return createSink({
    'request.started': ({ request }) => {
      request.span = tracer.startSpan(
        request.route.method,
        { kind: SpanKind.SERVER, startTime: request.startedAtMs },
        parentOf(request),
      );
    },
    'request.finished': ({ request }) => finishRequest(request, collections),
    'connection.awaited': ({ request, startedAtMs, endedAtMs }) => {
      const parent = recordingSpanOf(request);
      if (parent === null || endedAtMs - startedAtMs < MIN_WAIT_MS) return;
      const context = trace.setSpan(ROOT_CONTEXT, parent);
      tracer.startSpan('wait for a connection', { startTime: startedAtMs }, context).end(endedAtMs);
    },
    'statement.finished': (observation) => {
      const parent = recordingSpanOf(observation.request);
      if (parent !== null) traceStatement(tracer, parent, observation, collections);
    },
  });
}

function parentOf({ incoming }: ObservedRequest): Context {
  const remote = parseTrace(incoming.headers);
  if (remote === null) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: remote.traceId,
    spanId: remote.spanId,
    traceFlags: remote.isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...(remote.state === null ? {} : { traceState: createTraceState(remote.state) }),
  });
}

const recordingSpanOf = (request: ObservedRequest | null): Span | null =>
  request?.span?.isRecording() === true ? request.span : null;

function finishRequest(request: ObservedRequest, collections: CollectionNames): void {
  const span = recordingSpanOf(request);
  if (span === null) return;
  const { route, collection, status, isAborted, problem, retries } = request;
  span.updateName(`${route.method} ${route.template}`);
  span.setAttributes({
    'http.request.method': route.method === '(other)' ? '_OTHER' : route.method,
    'http.route': route.template,
    'network.protocol.version': request.incoming.httpVersion,
    'plinth.request.id': request.id,
    ...(isAborted ? { 'plinth.request.aborted': true } : { 'http.response.status_code': status }),
    ...(collection === null ? {} : { 'plinth.collection': collections.show(collection) }),
    ...(problem === null ? {} : { 'plinth.problem': problem }),
    ...(retries === 0 ? {} : { 'plinth.request.retries': retries }),
  });
  // A client's mistake is no error of the server.
  if (status >= SERVER_ERROR) {
    span.setAttribute('error.type', problem ?? String(status));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end(request.endedAtMs);
}

function traceStatement(
  tracer: Tracer,
  parent: Span,
  { request, statement, error, startedAtMs, endedAtMs }: ObservationOf<'statement.finished'>,
  collections: CollectionNames,
): void {
  const collection = request?.collection ?? null;
  const work = request?.work ?? 'other';
  const isCommand = /^[A-Z]+$/.test(statement.text);
  const attributes: Attributes = {
    'db.system.name': 'postgresql',
    'db.query.text': statement.text,
    'plinth.work': work,
    ...(statement.name === undefined ? {} : { 'plinth.statement.name': statement.name }),
    ...(collection === null ? {} : { 'db.collection.name': collections.show(collection) }),
  };
  const span = tracer.startSpan(
    isCommand ? statement.text : [work, collections.show(collection)].join(' ').trim(),
    { kind: SpanKind.CLIENT, startTime: startedAtMs, attributes },
    trace.setSpan(ROOT_CONTEXT, parent),
  );
  if (error !== null) {
    const state = sqlStateOf(error);
    // The message could quote a value.
    span.setAttribute('error.type', state ?? 'connection');
    if (state !== null) span.setAttribute('db.response.status_code', state);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end(endedAtMs);
}
