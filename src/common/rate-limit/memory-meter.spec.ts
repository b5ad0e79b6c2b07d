import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRate, type Rate } from '../config/rate.js';
import { MemoryMeter } from './memory-meter.js';

const rate = (text: string): Rate => {
  const parsed = parseRate(text);
  if (parsed === null) throw new Error(`${text} is no rate.`);
  return parsed;
};

/** A meter by a clock that stands still until it is moved. */
function meterOf(text: string) {
  const clock = { nowMs: 5000 };
  return { clock, meter: new MemoryMeter(rate(text), () => clock.nowMs) };
}

describe('a meter', () => {
  it('allows the whole limit at once, and then as fast as it is earned', () => {
    const { clock, meter } = meterOf('3/min');
    expect([1, 2, 3].map(() => meter.take('a', 1))).toEqual([
      { isAllowed: true, remaining: 2, fullAfterSeconds: 20, retryAfterSeconds: 0 },
      { isAllowed: true, remaining: 1, fullAfterSeconds: 40, retryAfterSeconds: 0 },
      { isAllowed: true, remaining: 0, fullAfterSeconds: 60, retryAfterSeconds: 0 },
    ]);
    expect(meter.take('a', 1)).toEqual({
      isAllowed: false,
      remaining: 0,
      fullAfterSeconds: 60,
      retryAfterSeconds: 20,
    });
    expect(meter.take('b', 1).isAllowed).toBe(true);
    clock.nowMs += 19_999;
    expect(meter.take('a', 1)).toMatchObject({ isAllowed: false, retryAfterSeconds: 1 });
    clock.nowMs += 1;
    expect(meter.take('a', 1)).toMatchObject({ isAllowed: true, remaining: 0 });
    clock.nowMs += 60_000;
    expect(meter.take('a', 3)).toMatchObject({ isAllowed: true, remaining: 0 });
  });

  it('takes nothing where it refuses', () => {
    const { meter } = meterOf('10/s');
    expect(meter.take('a', 8)).toMatchObject({ isAllowed: true, remaining: 2 });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      expect(meter.take('a', 3)).toMatchObject({ isAllowed: false, remaining: 2 });
    }
    expect(meter.take('a', 2)).toMatchObject({ isAllowed: true, remaining: 0 });
    expect(meter.take('a', 11)).toMatchObject({ isAllowed: false, retryAfterSeconds: 1 });
  });

  it('lets through exactly its limit at once, whatever that is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.constantFrom('s', 'min', 'h', '7min'),
        (limit, unit) => {
          const { meter } = meterOf(`${limit}/${unit}`);
          const allowed = Array.from({ length: limit + 3 }, () => meter.take('a', 1).isAllowed);
          expect(allowed.filter(Boolean)).toHaveLength(limit);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('never lets through more than the limit and what was earned meanwhile', () => {
    const request = fc.record({
      pauseMs: fc.integer({ min: 0, max: 400 }),
      cost: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(request, { maxLength: 300 }),
        (limit, requests) => {
          const { clock, meter } = meterOf(`${limit}/s`);
          const start = clock.nowMs;
          let taken = 0;
          for (const { pauseMs, cost } of requests) {
            clock.nowMs += pauseMs;
            if (meter.take('a', cost).isAllowed) taken += cost;
            expect(taken).toBeLessThanOrEqual(limit + ((clock.nowMs - start) / 1000) * limit + 1e-6);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('is honest about how long to wait: then it allows, and not a second earlier', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 30_000 }),
        (limit, cost, pauseMs) => {
          fc.pre(cost <= limit);
          const { clock, meter } = meterOf(`${limit}/min`);
          while (meter.take('a', cost).isAllowed);
          clock.nowMs += pauseMs;
          const verdict = meter.take('a', cost);
          if (verdict.isAllowed) return;
          const { nowMs } = clock;
          clock.nowMs = nowMs + (verdict.retryAfterSeconds - 1) * 1000 - 1;
          expect(verdict.retryAfterSeconds > 1 && meter.take('a', cost).isAllowed).toBe(false);
          clock.nowMs = nowMs + verdict.retryAfterSeconds * 1000;
          expect(meter.take('a', cost).isAllowed).toBe(true);
        },
      ),
    );
  });
});
