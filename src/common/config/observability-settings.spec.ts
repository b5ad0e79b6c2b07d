import { describe, expect, it } from 'vitest';
import { ConfigError, describeConfig, parseConfig } from './index.js';

const mistakesIn = (environment: Readonly<Record<string, string>>): string[] => {
  try {
    parseConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.mistakes.map(({ variable, message }) => `${variable} ${message}`);
  }
};

describe('settings of observability', () => {
  it('are refused where they cannot be meant', () => {
    expect(
      mistakesIn({
        PLINTH_LOG_REQUESTS: 'warn',
        PLINTH_SLOW_REQUEST_MS: '-1',
        PLINTH_METRICS: 'token',
        PLINTH_METRICS_TOKEN: 'short',
        OTEL_EXPORTER_OTLP_ENDPOINT: '127.0.0.1:4317',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        OTEL_TRACES_EXPORTER: 'zipkin',
        OTEL_TRACES_SAMPLER: 'jaeger_remote',
        OTEL_TRACES_SAMPLER_ARG: '1.5',
      }),
    ).toEqual([
      'PLINTH_LOG_REQUESTS must be one of debug, info, off',
      'PLINTH_SLOW_REQUEST_MS must be a whole number of milliseconds from 0 to 86400000, or off',
      'PLINTH_METRICS must be one of protected, public, off',
      'PLINTH_METRICS_TOKEN must be 16 or more letters, digits and - . _ ~ + / =, and not begin like an API key',
      'OTEL_EXPORTER_OTLP_ENDPOINT must be an address such as http://127.0.0.1:4318',
      'OTEL_EXPORTER_OTLP_PROTOCOL must be one of http/protobuf, http/json',
      'OTEL_TRACES_EXPORTER must be one of otlp, none',
      'OTEL_TRACES_SAMPLER must be one of always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio',
      'OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, such as 0.25',
    ]);
    expect(mistakesIn({ PLINTH_METRICS_TOKEN: 'plinth_0123456789abcdef' })).toHaveLength(1);
    expect(mistakesIn({ PLINTH_METRICS_TOKEN: 'with a space 0123456789' })).toHaveLength(1);
  });

  it.each(['0', '1', '.5', '0.25', '1.0'])('take %s as a ratio', (text) => {
    expect(parseConfig({ OTEL_TRACES_SAMPLER_ARG: text }).tracesSamplerRatio).toBe(Number(text));
  });

  it('never show the token or the password of an address', () => {
    const config = parseConfig({
      PLINTH_METRICS_TOKEN: 'scraper-token-0123456789',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://user:hidden-word@collector.example.org',
    });
    const shown = describeConfig(config)
      .map(({ value }) => value)
      .join('\n');
    expect(shown).not.toMatch(/scraper-token|hidden-word/);
    expect(shown).toContain('https://user:***@collector.example.org/');
  });
});
