import { ROOT_CONTEXT, SpanKind, trace, TraceFlags, type Context } from '@opentelemetry/api';
import { SamplingDecision } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { createSampler } from './sampler.js';

/** Of a trace that a ratio of a half takes, and of one that it does not. */
const LOW = '00000001000000000000000000000000';
const HIGH = 'ffffffff000000000000000000000000';

const under = (traceId: string, traceFlags: TraceFlags): Context =>
  trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: '00f067aa0ba902b7', traceFlags, isRemote: true });

describe('the sampler that OTEL_TRACES_SAMPLER names', () => {
  // Of a root with a low and a high id, and of a child of what is, and what is not, recorded.
  it.each([
    ['always_on', [true, true, true, true]],
    ['always_off', [false, false, false, false]],
    ['traceidratio', [true, false, true, true]],
    ['parentbased_always_on', [true, true, true, false]],
    ['parentbased_always_off', [false, false, true, false]],
    ['parentbased_traceidratio', [true, false, true, false]],
  ] as const)('%s', (tracesSampler, expected) => {
    const sampler = createSampler({ tracesSampler, tracesSamplerRatio: 0.5 });
    const isSampled = (context: Context, traceId: string): boolean =>
      sampler.shouldSample(context, traceId, 'GET', SpanKind.SERVER, {}, []).decision ===
      SamplingDecision.RECORD_AND_SAMPLED;
    expect([
      isSampled(ROOT_CONTEXT, LOW),
      isSampled(ROOT_CONTEXT, HIGH),
      isSampled(under(LOW, TraceFlags.SAMPLED), LOW),
      isSampled(under(LOW, TraceFlags.NONE), LOW),
    ]).toEqual(expected);
  });
});
