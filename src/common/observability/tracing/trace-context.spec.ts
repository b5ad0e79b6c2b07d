import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTrace, startTrace, traceHeaders } from './trace-context.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const VALID = `00-${TRACE}-${SPAN}-01`;

const parse = (traceparent: string, tracestate?: string) => parseTrace({ traceparent, tracestate });

describe('traceparent', () => {
  it.each([
    [VALID, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    [`00-${TRACE}-${SPAN}-03`, true],
    [`00-${TRACE}-${SPAN}-fe`, false],
    [`01-${TRACE}-${SPAN}-01`, true],
    [`cc-${TRACE}-${SPAN}-01-what-the-future-brings`, true],
  ])('%s is taken, and sampled: %s', (header, isSampled) => {
    expect(parse(header)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled, state: null });
  });

  it.each([
    '',
    'x',
    `ff-${TRACE}-${SPAN}-01`,
    `0-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-0g`,
    `00-${TRACE}-${SPAN}-01-`,
    `00-${TRACE}-${SPAN}-01-more`,
    `cc-${TRACE}-${SPAN}-01.more`,
    `cc-${TRACE}-${SPAN}-011`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN.toUpperCase()}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}0-${SPAN}-01`,
    `00-${TRACE}-${SPAN.slice(1)}-01`,
    `00_${TRACE}_${SPAN}_01`,
    ` ${VALID}`,
    `${VALID} `,
    `${VALID}\n`,
    `${VALID}, ${VALID}`,
  ])('%j is ignored', (header) => {
    expect(parse(header, 'a=1')).toBeNull();
  });

  it('is ignored where it is absent', () => {
    expect(parseTrace({ tracestate: 'a=1' })).toBeNull();
  });
});

describe('tracestate', () => {
  const longest = `${'k'.repeat(256)}=${'v'.repeat(256)}`;
  it.each([
    ['rojo=00f067aa0ba902b7', 'rojo=00f067aa0ba902b7'],
    ['rojo=1,congo=t61rcWkgMzE', 'rojo=1,congo=t61rcWkgMzE'],
    [' rojo=1 ,\tcongo=2', 'rojo=1,congo=2'],
    ['rojo=1,,congo=2,', 'rojo=1,congo=2'],
    ['fw529a3039@dt=x/y*z', 'fw529a3039@dt=x/y*z'],
    ['a= b c', 'a= b c'],
    [longest, longest],
    [
      Array.from({ length: 32 }, (_, n) => `k${n}=1`).join(','),
      Array.from({ length: 32 }, (_, n) => `k${n}=1`).join(','),
    ],
  ])('%j goes on', (header, state) => {
    expect(parse(VALID, header)?.state).toBe(state);
  });

  it.each([
    '',
    ' , ',
    'a',
    '=1',
    'a=',
    'A=1',
    'aB=1',
    'a=1=2',
    'a b=1',
    '1a=1',
    'a@1b=1',
    'a=é',
    'a=1,a=2',
    `${'k'.repeat(257)}=1`,
    `a=${'v'.repeat(257)}`,
    Array.from({ length: 33 }, (_, n) => `k${n}=1`).join(','),
  ])('%j is left out, and the trace goes on', (header) => {
    expect(parse(VALID, header)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: true, state: null });
  });
});

describe('trace headers', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'Z', '0', '-', '=', ',', '@', ' ', '\t', '\n', '"', 'é', '\0'),
  });
  it('let a trace go on as it came', () => {
    const trace = parse(VALID, 'rojo=1');
    expect(trace && traceHeaders(trace)).toEqual({ traceparent: VALID, tracestate: 'rojo=1' });
  });

  it('of a trace that begins here are valid, and no two alike', () => {
    const started = Array.from({ length: 100 }, () => startTrace());
    for (const trace of started) expect(parseTrace(traceHeaders(trace))).toEqual(trace);
    expect(new Set(started.map(({ traceId }) => traceId)).size).toBe(100);
  });

  it('never fail to be read, whatever they are', () => {
    fc.assert(
      fc.property(text, text, (traceparent, tracestate) => {
        expect(parseTrace({ traceparent, tracestate })).toBeNull();
        const trace = parse(VALID, tracestate);
        expect(trace && parseTrace(traceHeaders(trace))).toEqual(trace);
      }),
    );
  });
});
