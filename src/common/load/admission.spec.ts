import { describe, expect, it } from 'vitest';
import { Problem } from '../errors/index.js';
import { Admission } from './admission.js';

/** An admission by a clock that stands still until it is moved. */
class Queue {
  readonly refusals: string[] = [];
  readonly admission: Admission;
  private nowMs = 1000;

  constructor({ slots = 2, maxWaiting = 1000, maxWaitMs = 1000 }) {
    this.admission = new Admission(
      { slots, maxWaiting, maxWaitMs },
      (reason) => this.refusals.push(reason),
      () => this.nowMs,
    );
  }

  /** Whether one more was let in, or the problem that it was refused with. */
  enter(): true | Problem {
    try {
      this.admission.enter();
      return true;
    } catch (error) {
      if (error instanceof Problem) return error;
      throw error;
    }
  }

  /** How many of `count` were let in. */
  enterMany(count: number): number {
    let admitted = 0;
    for (let number = 0; number < count; number += 1) if (this.enter() === true) admitted += 1;
    return admitted;
  }

  /** Completes work, one piece after every `intervalMs`. */
  complete(count: number, intervalMs: number): void {
    for (let number = 0; number < count; number += 1) {
      this.nowMs += intervalMs;
      this.admission.leave();
    }
  }

  pass(ms: number): void {
    this.nowMs += ms;
  }
}

describe('admission', () => {
  it('lets in what can be done at once and what may wait, and no more', () => {
    const queue = new Queue({ slots: 2, maxWaiting: 3 });
    expect(queue.enterMany(10)).toBe(5);
    expect([queue.admission.waiting, queue.admission.refused]).toEqual([3, 5]);
    expect(new Set(queue.refusals)).toEqual(new Set(['queue-full']));
    queue.complete(1, 1);
    expect(queue.enterMany(10)).toBe(1);
  });

  it('lets nothing wait where nothing may', () => {
    const queue = new Queue({ slots: 2, maxWaiting: 0 });
    expect(queue.enterMany(5)).toBe(2);
  });

  it('refuses what would wait for too long, by how fast work is done', () => {
    const queue = new Queue({ slots: 2, maxWaitMs: 1050 });
    queue.enterMany(60);
    queue.complete(50, 100);
    // 10 are in, 8 of them wait; with 100 ms for each, the one at place 10 waits for a second.
    expect(queue.enterMany(5)).toBe(2);
    const refusal = queue.enter();
    expect(refusal).toMatchObject({ type: 'overloaded', headers: { 'retry-after': '2' } });
    expect(queue.refusals.at(-1)).toBe('queue-slow');
  });

  it('notices work that is stuck, without a completion', () => {
    const queue = new Queue({ slots: 2, maxWaitMs: 1000 });
    expect(queue.enterMany(10)).toBe(10);
    queue.pass(60_000);
    expect(queue.enter()).toMatchObject({ type: 'overloaded', headers: { 'retry-after': '30' } });
  });

  it('lets in everything again as soon as a burst is over', () => {
    const queue = new Queue({ slots: 2, maxWaiting: 20, maxWaitMs: 1000 });
    expect(queue.enterMany(1000)).toBe(22);
    queue.complete(22, 1);
    expect(queue.enterMany(22)).toBe(22);
  });

  it('lets as many wait as are under way, whatever they take, so that it finds out when work is quick again', () => {
    const queue = new Queue({ slots: 2, maxWaitMs: 1000 });
    queue.enterMany(5);
    queue.complete(2, 60_000);
    expect(queue.enterMany(30)).toBe(1);
    for (let round = 0; round < 3000; round += 1) {
      queue.complete(1, 1);
      queue.enter();
    }
    expect(queue.enterMany(100)).toBeGreaterThan(90);
  });

  it('takes neither a burst nor a pause for slowness', () => {
    const queue = new Queue({ slots: 2, maxWaitMs: 1000 });
    queue.enterMany(20);
    queue.complete(20, 60_000);
    expect(queue.enterMany(500)).toBe(500);
    queue.pass(300);
    expect(queue.enterMany(100)).toBe(100);
    for (let round = 0; round < 3000; round += 1) {
      queue.complete(1, 1);
      queue.enter();
    }
    queue.pass(300);
    expect(queue.enterMany(100)).toBe(100);
  });
});
