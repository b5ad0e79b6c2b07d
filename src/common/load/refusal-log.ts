import type { Logger } from '../observability/index.js';

const INTERVAL_MS = 1000;

/**
 * Tells of refused requests once a second and not once each: to log every one of them would cost what refusing them
 * saves.
 */
export class RefusalLog {
  private readonly counts = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly logger: Logger) {}

  /** The first of a kind is told at once, the others with the next count. */
  note(reason: string): void {
    const count = this.counts.get(reason);
    if (count === undefined) this.logger.warn({ reason }, 'Requests are refused');
    this.counts.set(reason, (count ?? 0) + 1);
    this.timer ??= this.schedule();
  }

  private schedule(): NodeJS.Timeout {
    const timer = setTimeout(() => this.tell(), INTERVAL_MS);
    timer.unref();
    return timer;
  }

  private tell(): void {
    for (const [reason, refused] of this.counts) {
      if (refused === 0) this.counts.delete(reason);
      else {
        this.logger.warn({ reason, refused }, 'Requests were refused in the last second');
        this.counts.set(reason, 0);
      }
    }
    this.timer = this.counts.size === 0 ? undefined : this.schedule();
  }
}
