import { flag, httpUrl, integer, integerOr, oneOf, parser, ratio, setting } from './setting.js';

const MIN_TOKEN_LENGTH = 16;

const token = parser<string>(`${MIN_TOKEN_LENGTH} or more letters, digits and \`-._~+/=\``, (text) =>
  /^[\w.~+/=-]+$/.test(text) && text.length >= MIN_TOKEN_LENGTH && !text.startsWith('plinth_')
    ? { value: text }
    : {
        mistake: `must be ${MIN_TOKEN_LENGTH} or more letters, digits and - . _ ~ + / =, and not begin like an API key`,
      },
);

/** What is told of the running server, and to whom. Variables that begin with OTEL are OpenTelemetry's own. */
export const OBSERVABILITY_SETTINGS = {
  logRequests: setting({
    variable: 'PLINTH_LOG_REQUESTS',
    description: 'The level of the line that is written for each request: debug, info, or off for none.',
    defaultValue: 'debug',
    example: 'info',
    parse: oneOf('debug', 'info', 'off'),
  }),
  slowRequestMs: setting<number | 'off'>({
    variable: 'PLINTH_SLOW_REQUEST_MS',
    description:
      'A request that takes this many milliseconds is told as slow, with its statement; 0 tells every one, off none.',
    defaultValue: 1000,
    example: '250',
    parse: integerOr('off', 0, 86_400_000, 'milliseconds'),
  }),
  metrics: setting({
    variable: 'PLINTH_METRICS',
    description:
      'Who may read `/metrics`: protected is the role admin and the holder of `PLINTH_METRICS_TOKEN`, public is everybody, off is nobody.',
    defaultValue: 'protected',
    example: 'off',
    parse: oneOf('protected', 'public', 'off'),
  }),
  metricsToken: setting<string | null>({
    variable: 'PLINTH_METRICS_TOKEN',
    description: 'A bearer token that opens `/metrics` and nothing else, for the scraper.',
    defaultText: 'none',
    defaultValue: null,
    isSecret: true,
    example: 'a-long-random-text-0123456789',
    parse: token,
  }),
  otlpEndpoint: setting<string | null>({
    variable: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    description: 'Where an OpenTelemetry collector takes OTLP over HTTP; set, it switches tracing on.',
    defaultText: 'no tracing',
    defaultValue: null,
    isSecret: true,
    example: 'http://127.0.0.1:4318',
    parse: httpUrl,
  }),
  otlpTracesEndpoint: setting<string | null>({
    variable: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    description: 'The same as a whole address for traces, to which no path is added.',
    defaultText: 'the endpoint above and `/v1/traces`',
    defaultValue: null,
    isSecret: true,
    example: 'http://127.0.0.1:4318/v1/traces',
    parse: httpUrl,
  }),
  otlpProtocol: setting({
    variable: 'OTEL_EXPORTER_OTLP_PROTOCOL',
    description: 'How traces are encoded; gRPC is not spoken.',
    defaultValue: 'http/protobuf',
    example: 'http/json',
    parse: oneOf('http/protobuf', 'http/json'),
  }),
  tracesExporter: setting({
    variable: 'OTEL_TRACES_EXPORTER',
    description: 'none switches tracing off again where the endpoint is set for other signals.',
    defaultValue: 'otlp',
    example: 'none',
    parse: oneOf('otlp', 'none'),
  }),
  isTelemetryDisabled: setting<boolean>({
    variable: 'OTEL_SDK_DISABLED',
    description: 'true switches OpenTelemetry off whatever else is set.',
    defaultValue: false,
    example: 'true',
    parse: flag,
  }),
  serviceName: setting<string | null>({
    variable: 'OTEL_SERVICE_NAME',
    description: 'What traces call this server.',
    defaultText: '`plinth`',
    defaultValue: null,
    example: 'shop-api',
    parse: parser<string>('a name', (text) => ({ value: text })),
  }),
  tracesSampler: setting({
    variable: 'OTEL_TRACES_SAMPLER',
    description: 'Which traces are recorded; the parentbased ones follow what the client decided.',
    defaultValue: 'parentbased_always_on',
    example: 'parentbased_traceidratio',
    parse: oneOf(
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ),
  }),
  tracesSamplerRatio: setting({
    variable: 'OTEL_TRACES_SAMPLER_ARG',
    description: 'The part of the traces that the traceidratio samplers record, from 0 to 1.',
    defaultValue: 1,
    example: '0.1',
    parse: ratio,
  }),
  spanQueueSize: setting({
    variable: 'OTEL_BSP_MAX_QUEUE_SIZE',
    description: 'Spans that wait to be exported, at most; what comes on top is dropped.',
    defaultValue: 2048,
    example: '8192',
    parse: integer(1, 1_000_000),
  }),
  spanBatchSize: setting({
    variable: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
    description: 'Spans that are exported together, at most.',
    defaultValue: 512,
    example: '1024',
    parse: integer(1, 1_000_000),
  }),
  spanDelayMs: setting({
    variable: 'OTEL_BSP_SCHEDULE_DELAY',
    description: 'Milliseconds that spans are gathered before they are exported.',
    defaultValue: 5000,
    example: '1000',
    parse: integer(1, 3_600_000, 'milliseconds'),
  }),
  spanExportTimeoutMs: setting({
    variable: 'OTEL_BSP_EXPORT_TIMEOUT',
    description: 'Milliseconds after which an export is given up.',
    defaultValue: 30_000,
    example: '10000',
    parse: integer(1, 3_600_000, 'milliseconds'),
  }),
} as const;
