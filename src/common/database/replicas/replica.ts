import type { Observer, ReplicaFault } from '../../observability/index.js';
import type { Database } from '../database.js';
import type { DatabaseSockets } from '../database-sockets.js';
import { parseLogPosition, type LogPosition } from '../log-position.js';
import type { Caller } from '../running-statements.js';
import type { PreparedStatement, TextRow } from '../text-query.js';
import { judgeReplica, type ReplicaReport } from './judge-replica.js';
import type { PrimaryLog } from './primary-log.js';
import { Probe } from './probe.js';

export interface ReplicaOptions {
  /** What it is called in metrics and logs. */
  readonly name: string;
  readonly url: string;
  readonly sockets: DatabaseSockets;
  /** Its connections for reads. */
  readonly database: Database;
  readonly log: PrimaryLog;
  readonly maxLagMs: number;
  readonly observer: Observer;
}

/** Thrown to reads that are under way when the standby turns out to be gone. */
export class ReplicaLost extends Error {
  override readonly name = 'ReplicaLost';
}

interface Waiter {
  readonly position: LogPosition;
  readonly untilMs: number;
  readonly settle: (isReached: boolean) => void;
}

/** How often a standby is asked how it is, in milliseconds; more often while somebody waits for it to get somewhere. */
const PROBE_MS = 500;
const WAITING_PROBE_MS = 5;

const REPLAYED = 'SELECT pg_last_wal_replay_lsn()::text';
/** Its timeline is that of the last restart point, of what it must replay at least, and of what it receives. */
const REPORT = `
  SELECT system_identifier::text, pg_is_in_recovery()::text, coalesce(pg_last_wal_replay_lsn(), '0/0')::text,
    greatest((SELECT timeline_id FROM pg_control_checkpoint()),
      (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
      (SELECT received_tli FROM pg_stat_get_wal_receiver()))::text
  FROM pg_control_system()`;

/** A standby that records are read from while it is fit for that. */
export class Replica {
  readonly name: string;
  private readonly probe: Probe;
  private readonly underWay = new Set<() => void>();
  private waiters: readonly Waiter[] = [];
  private timer: NodeJS.Timeout | undefined;
  private probing: Promise<void> | null = null;
  private isClosed = false;
  private reportedAtMs = Number.NEGATIVE_INFINITY;
  private replayedTo: LogPosition = 0n;
  private lag: number | null = null;
  /** Null while it is read from. At first nothing is known of it. */
  private fault: ReplicaFault | 'unknown' | null = 'unknown';

  constructor(private readonly options: ReplicaOptions) {
    this.name = options.name;
    this.probe = new Probe(options.url, options.sockets);
  }

  /** Begins to ask the standby how it is. */
  start(): void {
    this.schedule(0);
  }

  get isFit(): boolean {
    return this.fault === null;
  }

  /** At least so far its log is replayed. */
  get replayed(): LogPosition {
    return this.replayedTo;
  }

  /** In milliseconds; null where it cannot be known. */
  get lagMs(): number | null {
    return this.lag;
  }

  /** How many reads are under way. */
  get load(): number {
    return this.underWay.size;
  }

  /** @throws ReplicaLost when the standby is found to be gone meanwhile; otherwise as `Database.execute` */
  execute(statement: PreparedStatement, caller?: Caller): Promise<readonly TextRow[]> {
    return new Promise((resolve, reject) => {
      const abandon = (): void => reject(new ReplicaLost(`The standby ${this.name} is gone.`));
      this.underWay.add(abandon);
      this.options.database
        .execute(statement, caller)
        .then(resolve, reject)
        .finally(() => this.underWay.delete(abandon));
    });
  }

  stream(statement: PreparedStatement, caller?: Caller): AsyncGenerator<readonly TextRow[], void, undefined> {
    return this.options.database.stream(statement, caller);
  }

  /** Waits until the log is replayed up to a position; gives whether it was within the time. */
  waitFor(position: LogPosition, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const untilMs = performance.now() + timeoutMs;
      this.waiters = [...this.waiters, { position, untilMs, settle: resolve }];
      this.askSoon();
    });
  }

  /** To be called where a read failed on it: it may be that nothing can be read from it any more. */
  askSoon(): void {
    if (this.probing === null) this.schedule(0);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await Promise.all([this.probe.close(), this.probing, this.options.database.close()]);
    this.settleWaiters(Number.POSITIVE_INFINITY);
  }

  private schedule(delayMs: number): void {
    clearTimeout(this.timer);
    if (this.isClosed) return;
    this.timer = setTimeout(() => {
      this.probing = this.ask().finally(() => {
        this.probing = null;
        this.schedule(this.waiters.length > 0 ? WAITING_PROBE_MS : PROBE_MS);
      });
    }, delayMs).unref();
  }

  private async ask(): Promise<void> {
    const nowMs = performance.now();
    try {
      // Somebody waits: how far it is can be told more often, and for less.
      if (this.isFit && nowMs - this.reportedAtMs < PROBE_MS) {
        const [replayed] = await this.probe.ask(REPLAYED);
        this.replayedTo = parseLogPosition(replayed ?? '');
      } else {
        const report = readReport(await this.probe.ask(REPORT));
        this.reportedAtMs = nowMs;
        this.replayedTo = report.replayed;
        this.judge(report);
      }
    } catch (error) {
      if (!this.isClosed) this.leaveOut('unreachable', (error as Error).message);
    }
    this.settleWaiters(performance.now());
  }

  private judge(report: ReplicaReport): void {
    const { log, maxLagMs, observer } = this.options;
    const { fault, lagMs } = judgeReplica(report, log, { nowMs: performance.now(), maxLagMs });
    this.lag = lagMs;
    if (fault !== null) {
      this.leaveOut(fault.reason, fault.detail);
    } else if (this.fault !== null) {
      this.fault = null;
      observer.observe({ kind: 'replica.joined', replica: this.name, lagMs: Math.round(lagMs ?? 0) });
    }
  }

  private leaveOut(reason: ReplicaFault, detail: string): void {
    if (reason !== 'lagging') this.lag = null;
    const isNews = this.fault !== reason;
    this.fault = reason;
    if (reason === 'unreachable') this.abandonReads();
    if (isNews)
      this.options.observer.observe({ kind: 'replica.left-out', replica: this.name, reason, detail });
  }

  /** Connections to a server that went silent would be held for as long as it stays so. */
  private abandonReads(): void {
    for (const abandon of this.underWay) abandon();
    this.underWay.clear();
    this.options.sockets.destroyAll();
  }

  private settleWaiters(nowMs: number): void {
    const { fault, replayedTo } = this;
    const isOver = ({ position, untilMs }: Waiter): boolean =>
      fault !== null || position <= replayedTo || untilMs <= nowMs;
    const over = this.waiters.filter(isOver);
    if (over.length === 0) return;
    this.waiters = this.waiters.filter((waiter) => !isOver(waiter));
    for (const { position, settle } of over) settle(fault === null && position <= replayedTo);
  }
}

function readReport([systemId, isStandby, replayed, timeline]: TextRow): ReplicaReport {
  return {
    systemId: systemId ?? '',
    isStandby: isStandby === 'true',
    replayed: parseLogPosition(replayed ?? ''),
    timeline: Number(timeline),
  };
}
