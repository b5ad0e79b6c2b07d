import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { PlinthConfig } from '../../src/common/config/index.js';
import { startTestApp, type LogLine, type TestApp } from '../kit/app.js';
import { BLOG_SQL } from '../kit/blog.js';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../kit/otlp-receiver.js';
import { sendRaw } from '../kit/raw-request.js';
import { SOON } from '../kit/soon.js';

const PARENT = '00f067aa0ba902b7';
const SLEEP_SQL = 'CREATE VIEW sleepers AS SELECT 1 AS id, pg_sleep(30)::text AS nap;';
const SERVER = 2;
const CLIENT = 3;
const ERROR = 2;

let receiver: OtlpReceiver;
let app: TestApp;
let lines: LogLine[];
let traces = 0;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
});

afterAll(() => receiver.close());

afterEach(() => {
  vi.unstubAllEnvs();
});

const start = (config: Partial<PlinthConfig> = {}): Promise<TestApp> => {
  lines = [];
  return startTestApp({
    sql: BLOG_SQL + SLEEP_SQL,
    config: {
      otlpEndpoint: receiver.url,
      otlpProtocol: 'http/json',
      spanDelayMs: 20,
      logLevel: 'info',
      statementTimeoutMs: 200,
      ...config,
    },
    log: (line) => lines.push(line),
  });
};

/** A trace that nobody else has. */
const newTraceId = (): string => (traces += 1).toString(16).padStart(32, '0');

interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  readonly flags?: string;
  readonly tracestate?: string;
}

/** A request in a trace of its own; gives the trace's id. */
async function ask(
  path: string,
  { method = 'GET', body, flags = '01', tracestate }: Asked = {},
): Promise<string> {
  const traceId = newTraceId();
  const headers = {
    traceparent: `00-${traceId}-${PARENT}-${flags}`,
    ...(tracestate === undefined ? {} : { tracestate }),
  };
  await app.request(method, path, { key: app.adminKey, body, headers });
  return traceId;
}

/** The spans of a trace when its request has come, the request's first. */
const spansOf = (traceId: string): Promise<readonly ReceivedSpan[]> =>
  vi.waitFor(() => {
    const spans = receiver.spans.filter((span) => span.traceId === traceId);
    expect(spans.some(({ kind }) => kind === SERVER)).toBe(true);
    return spans.toSorted((one, other) => (one.startedAt < other.startedAt ? -1 : 1));
  }, SOON);

describe('traces', () => {
  beforeAll(async () => {
    app = await start({ serviceName: 'shop-api' });
  });
  afterAll(() => app.close());

  it('go on from the client, with a span for the request and one for its statement', async () => {
    const filter = encodeURIComponent('title == "quagga" && views > 918273645');
    const [request, statement, ...others] = await spansOf(
      await ask(`/api/posts?filter=${filter}`, { tracestate: 'rojo=1,congo=2' }),
    );
    expect(others).toEqual([]);
    expect(request).toMatchObject({
      name: 'GET /api/{collection}',
      kind: SERVER,
      parentSpanId: PARENT,
      traceState: 'rojo=1,congo=2',
      status: 0,
      attributes: {
        'http.request.method': 'GET',
        'http.route': '/api/{collection}',
        'http.response.status_code': 200,
        'plinth.collection': 'posts',
      },
    });
    expect(statement).toMatchObject({
      name: 'read posts',
      kind: CLIENT,
      parentSpanId: request?.spanId,
      attributes: {
        'db.system.name': 'postgresql',
        'db.collection.name': 'posts',
        'db.query.text': expect.stringMatching(/WHERE .*\$1/),
        'plinth.statement.name': expect.stringMatching(/^plinth_/),
      },
    });
    expect(request!.startedAt).toBeLessThanOrEqual(statement!.startedAt);
    expect(statement!.endedAt).toBeLessThanOrEqual(request!.endedAt);
    const now = BigInt(Date.now()) * 1_000_000n;
    expect(now - request!.startedAt).toBeLessThan(60_000_000_000n);
    expect(JSON.stringify([request?.attributes, statement?.attributes])).not.toMatch(/quagga|918273645/);
  });

  it('have a span for each statement of a transaction', async () => {
    const operations = [
      { method: 'PATCH', path: '/posts/1', body: { views: 3 } },
      { method: 'GET', path: '/posts' },
    ];
    const [request, ...statements] = await spansOf(
      await ask('/api/batch', { method: 'POST', body: { operations } }),
    );
    expect(request?.name).toBe('POST /api/batch');
    expect(statements.map(({ name }) => name)).toEqual(['BEGIN', 'batch', 'batch', 'COMMIT']);
    expect(new Set(statements.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([request?.spanId]));
  });

  it('tell failures of the server as errors, and mistakes of the client not', async () => {
    const [asleep, statement] = await spansOf(await ask('/api/sleepers'));
    expect(asleep).toMatchObject({
      status: ERROR,
      attributes: { 'http.response.status_code': 503, 'error.type': 'statement-timeout' },
    });
    expect(statement).toMatchObject({ status: ERROR, attributes: { 'db.response.status_code': '57014' } });
    const [unknown] = await spansOf(await ask('/api/quagga?quagga=1'));
    expect(unknown).toMatchObject({
      name: 'GET /api/{collection}',
      status: 0,
      attributes: { 'http.response.status_code': 404, 'plinth.problem': 'unknown-collection' },
    });
    expect(JSON.stringify(unknown?.attributes)).not.toContain('quagga');
  });

  it('are left alone where the client does not record them', async () => {
    const skipped = await ask('/api/posts', { flags: '00' });
    await spansOf(await ask('/api/posts'));
    expect(receiver.spans.filter(({ traceId }) => traceId === skipped)).toEqual([]);
  });

  it('begin here where the client has none, or none that is valid', async () => {
    for (const traceparent of ['', `00-${'0'.repeat(32)}-${PARENT}-01`, `ff-${newTraceId()}-${PARENT}-01`]) {
      const id = `begins-${traceparent.length}-${traceparent.slice(0, 4)}`;
      await sendRaw(app.url, 'GET', '/api/posts', { traceparent, tracestate: 'rojo=1', 'x-request-id': id });
      const root = await vi.waitFor(() => {
        const found = receiver.spans.find((span) => span.attributes['plinth.request.id'] === id);
        if (found === undefined) throw new Error(`There is no span of ${id}.`);
        return found;
      }, SOON);
      expect(root.parentSpanId ?? '').toBe('');
      expect(root.traceState).toBeUndefined();
      expect(root.traceId).toMatch(/^(?!0{32})[\da-f]{32}$/);
    }
  });

  it('are tied to log lines by their id', async () => {
    const traceId = await ask('/api/sleepers');
    const [request] = await spansOf(traceId);
    const line = lines.find(({ event, traceId: of }) => event === 'request.unserved' && of === traceId);
    expect(line?.['requestId']).toBe(request?.attributes['plinth.request.id']);
  });

  it('say whose they are', async () => {
    const [request] = await spansOf(await ask('/api/posts'));
    expect(request?.resource).toMatchObject({
      'service.name': 'shop-api',
      'service.version': expect.stringMatching(/^\d+\./),
      'service.instance.id': expect.any(String),
    });
    expect(lines.find(({ event }) => event === 'tracing.started')).toMatchObject({
      endpoint: `${receiver.url}/v1/traces`,
      protocol: 'http/json',
    });
  });
});

describe('the export of traces', () => {
  it('speaks protobuf where it is not told otherwise, with the standard headers and attributes', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'x-tenant=plinth');
    vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'service.name=from-attributes,deployment.environment.name=test');
    app = await start({ otlpProtocol: 'http/protobuf', spanDelayMs: 60_000 });
    const traceId = await ask('/api/posts');
    // What is gathered is sent before the server ends.
    await app.close();
    const sent = receiver.exports.find(({ body }) => body.includes(Buffer.from(traceId, 'hex')));
    expect(sent?.path).toBe('/v1/traces');
    expect(sent?.headers).toMatchObject({ 'content-type': 'application/x-protobuf', 'x-tenant': 'plinth' });
    const texts = ['from-attributes', 'deployment.environment.name', 'GET /api/{collection}'];
    expect(texts.filter((text) => sent?.body.includes(text) !== true)).toEqual([]);
  });

  it('tells trouble once, harms no request, and goes on when the collector is back', async () => {
    app = await start();
    receiver.answerWith(400);
    await ask('/api/posts');
    const events = (name: string): LogLine[] => lines.filter(({ event }) => event === name);
    await vi.waitFor(() => expect(events('tracing.export-failed')).toHaveLength(1), SOON);
    const refused = receiver.exports.length;
    expect((await app.admin('GET', '/api/posts')).status).toBe(200);
    await vi.waitFor(() => expect(receiver.exports.length).toBeGreaterThan(refused), SOON);
    receiver.answerWith(200);
    await spansOf(await ask('/api/posts'));
    await vi.waitFor(() => expect(events('tracing.export-recovered')).toHaveLength(1), SOON);
    expect(events('tracing.export-failed')).toHaveLength(1);
    const { text } = await app.admin('GET', '/metrics');
    expect(text).toMatch(/plinth_trace_spans_exported_total\{outcome="failed"\} [1-9]/);
    expect(text).toMatch(/plinth_trace_spans_exported_total\{outcome="exported"\} [1-9]/);
    await app.close();
  });

  it('does not keep the server from stopping', async () => {
    const silent = await startOtlpReceiver();
    silent.answerWith(null);
    vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '3600000');
    app = await start({
      otlpTracesEndpoint: `${silent.url}/traces`,
      spanExportTimeoutMs: 3_600_000,
      shutdownTimeoutMs: 400,
    });
    await ask('/api/posts');
    await vi.waitFor(() => expect(silent.exports.map(({ path }) => path)).toContain('/traces'), SOON);
    await app.close();
    await silent.close();
  });

  it.each([{ isTelemetryDisabled: true }, { tracesExporter: 'none' }] as const)(
    'is off with %o',
    async (config) => {
      app = await start(config);
      const before = receiver.exports.length;
      await ask('/api/posts');
      await app.close();
      expect(receiver.exports.length).toBe(before);
      expect(lines.filter(({ event }) => event === 'tracing.started')).toEqual([]);
    },
  );
});
