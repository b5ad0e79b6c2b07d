import type { MetricRegistry } from '../../observability/index.js';
import type { Replica } from './replica.js';

/** Counts who answers reads. */
export interface ReadCounts {
  /** @param replica null for the primary */
  answered(replica: Replica | null): void;
  /** The standby could not answer, so that the primary has to. */
  moved(replica: Replica): void;
}

/** What is told of standbys; nothing where there are none. */
export function collectReplicaMetrics(registry: MetricRegistry, replicas: readonly Replica[]): ReadCounts {
  const reads = new Map<Replica | null, { add(): void }>();
  const moves = new Map<Replica, { add(): void }>();
  if (replicas.length > 0) reads.set(null, registry.counter('plinth_reads_total', { server: 'primary' }));
  for (const replica of replicas) {
    const { name } = replica;
    reads.set(replica, registry.counter('plinth_reads_total', { server: name }));
    moves.set(replica, registry.counter('plinth_replica_reads_moved_total', { replica: name }));
  }
  registry.collect('plinth_replica_in_use', () =>
    replicas.map(({ name, isFit }) => ({ labels: { replica: name }, value: isFit ? 1 : 0 })),
  );
  registry.collect('plinth_replica_lag_seconds', () =>
    replicas.flatMap(({ name, lagMs }) =>
      lagMs === null ? [] : [{ labels: { replica: name }, value: lagMs / 1000 }],
    ),
  );
  return {
    answered: (replica) => reads.get(replica)?.add(),
    moved: (replica) => moves.get(replica)?.add(),
  };
}
