import type { ReplicaFault } from '../../observability/index.js';
import type { LogPosition } from '../log-position.js';
import type { PrimaryLog, ServerIdentity } from './primary-log.js';

/** What a server says of itself. */
export interface ReplicaReport extends ServerIdentity {
  readonly isStandby: boolean;
  /** All of the log up to there is in what a query sees. */
  readonly replayed: LogPosition;
}

export interface ReplicaJudgement {
  /** How far it is behind, at most, in milliseconds; null where that cannot be known. */
  readonly lagMs: number | null;
  /** Null where records may be read from it. */
  readonly fault: { readonly reason: ReplicaFault; readonly detail: string } | null;
}

/** Whether records may be read from a server, by what it and the primary say of themselves. */
export function judgeReplica(
  report: ReplicaReport,
  log: PrimaryLog,
  { nowMs, maxLagMs }: { readonly nowMs: number; readonly maxLagMs: number },
): ReplicaJudgement {
  const lagMs = log.lagOf(report.replayed, nowMs);
  const left = (reason: ReplicaFault, detail: string): ReplicaJudgement => ({
    lagMs: reason === 'lagging' ? lagMs : null,
    fault: { reason, detail },
  });
  if (!report.isStandby) return left('promoted', 'it is no standby, or none any more');
  const primary = log.identity;
  if (primary === null) return left('lagging', 'nothing was heard from the primary yet');
  if (report.systemId !== primary.systemId) {
    return left(
      'foreign',
      `its system identifier is ${report.systemId}, the primary's is ${primary.systemId}`,
    );
  }
  // An older timeline may be of what it has not replayed yet; a newer one is of a history that the primary has no part in.
  if (report.timeline > primary.timeline) {
    return left('diverged', `it follows timeline ${report.timeline}, the primary is on ${primary.timeline}`);
  }
  if (lagMs === null || lagMs > maxLagMs) {
    return left('lagging', `it may be more than ${maxLagMs} ms behind`);
  }
  return { lagMs, fault: null };
}
