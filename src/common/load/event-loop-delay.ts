const SAMPLE_MS = 100;

/** A single pause, such as for one huge body, is over when it is noticed. */
const LATE_SAMPLES = 2;

/**
 * Watches how late timers run: when the process has more to do than it can, everything waits for its turn, and the only
 * remedy is to do less. Reading it costs nothing; a sample is a tenth of a second old at most.
 */
export class EventLoopDelay {
  private timer: NodeJS.Timeout | undefined;
  private late = 0;

  /** @param maxDelayMs 0: whatever the delay, it is not too much */
  constructor(private readonly maxDelayMs: number) {}

  /** Whether the process is so far behind that requests had better be refused. */
  get isTooLong(): boolean {
    return this.late >= LATE_SAMPLES;
  }

  start(): void {
    if (this.maxDelayMs === 0) return;
    let expectedMs = performance.now() + SAMPLE_MS;
    this.timer = setInterval(() => {
      const nowMs = performance.now();
      this.note(nowMs - expectedMs);
      expectedMs = nowMs + SAMPLE_MS;
    }, SAMPLE_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.late = 0;
  }

  /** Takes in how late a timer was. */
  note(delayMs: number): void {
    this.late = delayMs > this.maxDelayMs ? this.late + 1 : 0;
  }
}
