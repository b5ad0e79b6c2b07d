import { expect, it } from 'vitest';
import { EventLoopDelay } from './event-loop-delay.js';

it('is too long when timers are late again and again, and fine as soon as one is not', () => {
  const delay = new EventLoopDelay(100);
  const seen = [0, 500, 20, 101, 200, 300, 100, 101].map((delayMs) => {
    delay.note(delayMs);
    return delay.isTooLong;
  });
  expect(seen).toEqual([false, false, false, false, true, true, false, false]);
});
