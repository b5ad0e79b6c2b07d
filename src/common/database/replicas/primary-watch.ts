import { parseLogPosition } from '../log-position.js';
import type { PrimaryLog } from './primary-log.js';
import type { Probe } from './probe.js';

const ASK_MS = 500;

/** A standby can have what is flushed, and nothing of the rest. The name of a segment begins with the timeline. */
const POSITION = `
  SELECT system_identifier::text, pg_current_wal_flush_lsn()::text, left(pg_walfile_name(pg_current_wal_flush_lsn()), 8)
  FROM pg_control_system()`;

/** Notes how far the primary's log is, all the time. */
export class PrimaryWatch {
  private timer: NodeJS.Timeout | undefined;
  private asking: Promise<void> | null = null;
  private isClosed = false;

  constructor(
    private readonly probe: Probe,
    private readonly log: PrimaryLog,
  ) {}

  /** Resolves when the primary was asked for the first time, be it in vain. */
  async start(): Promise<void> {
    this.asking = this.ask();
    await this.asking;
    this.schedule();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await Promise.all([this.probe.close(), this.asking]);
  }

  private schedule(): void {
    if (this.isClosed) return;
    this.timer = setTimeout(() => void this.start(), ASK_MS).unref();
  }

  /** While the primary is away, its log does not become longer; how long ago that was known is what counts. */
  private async ask(): Promise<void> {
    const atMs = performance.now();
    try {
      const [systemId, position, timeline] = await this.probe.ask(POSITION);
      this.log.note(atMs, parseLogPosition(position ?? ''), {
        systemId: systemId ?? '',
        timeline: Number.parseInt(timeline ?? '', 16),
      });
    } catch {
      // Requests that need it tell of it.
    }
  }
}
