import type { LogPosition } from '../log-position.js';

/** Which database a server has, and which branch of its history. */
export interface ServerIdentity {
  readonly systemId: string;
  readonly timeline: number;
}

interface Sample {
  /** When it was asked for, in milliseconds of `performance.now`. */
  readonly atMs: number;
  readonly position: LogPosition;
}

/**
 * How far the primary's log was at which time. How far a standby is behind is measured by it, without clocks of several
 * machines: it has all that was written up to the last time at which the log was no longer than what it has replayed.
 */
export class PrimaryLog {
  private samples: readonly Sample[] = [];
  private known: ServerIdentity | null = null;

  /** @param keepMs for how long samples are of use */
  constructor(private readonly keepMs: number) {}

  /** Null before anything is known. */
  get identity(): ServerIdentity | null {
    return this.known;
  }

  /** @param atMs when the question was sent: all that was written before is within `position` */
  note(atMs: number, position: LogPosition, identity: ServerIdentity): void {
    const { systemId } = this.known ?? identity;
    this.known = identity;
    const last = this.samples.at(-1);
    // The address leads to another server, or to one that lost the end of its log.
    const isNew = systemId !== identity.systemId || (last !== undefined && position < last.position);
    const kept = isNew ? [] : this.samples.filter((sample) => atMs - sample.atMs <= this.keepMs);
    // What was written in between is what counts, so of equal positions the last one is enough.
    const before = kept.at(-1)?.position === position ? kept.slice(0, -1) : kept;
    this.samples = [...before, { atMs, position }];
  }

  /** For how long a server may have missed what was written, in milliseconds; null where it is longer than is known. */
  lagOf(replayed: LogPosition, nowMs: number): number | null {
    const sample = this.samples.findLast(({ position }) => position <= replayed);
    return sample === undefined ? null : nowMs - sample.atMs;
  }
}
