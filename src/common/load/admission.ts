import { Problem } from '../errors/problem.js';

export interface AdmissionOptions {
  /** How much work is under way at once; what comes on top waits. */
  readonly slots: number;
  /** How much may wait. */
  readonly maxWaiting: number;
  /** How long the last in the queue may be expected to wait. */
  readonly maxWaitMs: number;
}

/** Over how long the speed of work is averaged: short pauses, such as of garbage collection, must not count as its end. */
const MEMORY_MS = 2000;

/** A queue younger than this says nothing of the speed of work: it may be a burst, which is over soon. */
const PATIENCE_MS = 1000;

const MAX_RETRY_SECONDS = 30;

/**
 * Decides whether work may still join a queue. It only counts: what waits where, and what runs it, is no concern of it.
 * Call `enter` before the work and, where that did not throw, `leave` after it.
 *
 * The expected wait is the place in the queue times the mean time between completions since the queue began to form
 * (Little's law), the last seconds weighing most. Both methods are O(1), and read the clock only while something waits.
 */
export class Admission {
  private inFlight = 0;
  private refusedCount = 0;
  /** When the queue began to form. */
  private sinceMs = 0;
  /** Up to when the two below are. */
  private countedMs = 0;
  /** Milliseconds and completions since then; both fade in the same way, so that their ratio is a mean. */
  private recentMs = 0;
  private recentCompletions = 0;
  private lastCompletionMs = 0;

  constructor(
    private readonly options: AdmissionOptions,
    private readonly onRefusal: (reason: string) => void = () => {},
    /** Milliseconds that only grow. */
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** Work that waits for others to be done. */
  get waiting(): number {
    return Math.max(0, this.inFlight - this.options.slots);
  }

  /** Work that was refused since the start. */
  get refused(): number {
    return this.refusedCount;
  }

  /** @throws Problem `overloaded` where the queue is too long, or too slow */
  enter(): void {
    if (this.inFlight >= this.options.slots) this.join();
    this.inFlight += 1;
  }

  leave(): void {
    if (this.inFlight > this.options.slots) {
      this.passTime();
      this.recentCompletions += 1;
      this.lastCompletionMs = this.countedMs;
    }
    this.inFlight -= 1;
  }

  private join(): void {
    const { slots, maxWaiting, maxWaitMs } = this.options;
    const place = this.inFlight - slots + 1;
    if (place === 1) this.beginQueue();
    else this.passTime();
    const waitMs = this.expectWait(place);
    if (place > maxWaiting) throw this.refuse('queue-full', waitMs);
    // As many as are under way may always wait: what they take tells when the work has become quick again.
    if (place > slots && waitMs > maxWaitMs) throw this.refuse('queue-slow', waitMs);
  }

  /** How fast work was done at the last queue says nothing of this one. */
  private beginQueue(): void {
    this.sinceMs = this.clock();
    this.countedMs = this.sinceMs;
    this.lastCompletionMs = this.sinceMs;
    this.recentMs = 0;
    this.recentCompletions = 0;
  }

  private passTime(): void {
    const nowMs = this.clock();
    const passedMs = nowMs - this.countedMs;
    const share = Math.exp(-passedMs / MEMORY_MS);
    this.recentMs = this.recentMs * share + passedMs;
    this.recentCompletions *= share;
    this.countedMs = nowMs;
  }

  private expectWait(place: number): number {
    if (this.countedMs - this.sinceMs < PATIENCE_MS) return 0;
    // Without a completion, all that is known is how long nothing has been done.
    const stalledMs = this.countedMs - this.lastCompletionMs;
    if (this.recentCompletions === 0) return stalledMs;
    return Math.max(stalledMs, (place * this.recentMs) / this.recentCompletions);
  }

  private refuse(reason: string, waitMs: number): Problem {
    this.refusedCount += 1;
    this.onRefusal(reason);
    const seconds = Math.min(MAX_RETRY_SECONDS, Math.max(1, Math.ceil(waitMs / 1000)));
    return new Problem('overloaded', {
      detail: 'Too many requests wait for the database; try again later.',
      headers: { 'retry-after': String(seconds) },
    });
  }
}
