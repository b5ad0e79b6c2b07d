import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PlinthConfig, serverName } from '../../config/index.js';
import { Logger, MetricRegistry, Observer } from '../../observability/index.js';
import { DATABASE_ENDPOINT, type DatabaseEndpoint } from '../database-endpoint.js';
import { DatabaseSockets } from '../database-sockets.js';
import { Database } from '../database.js';
import type { LogPosition } from '../log-position.js';
import { LocatedWrites, type WriteExecutor } from './located-writes.js';
import { PrimaryLog } from './primary-log.js';
import { PrimaryWatch } from './primary-watch.js';
import { Probe } from './probe.js';
import { Replica } from './replica.js';
import { collectReplicaMetrics, type ReadCounts } from './replica-metrics.js';
import { RoutedReads, type ReadExecutor } from './routed-reads.js';

/** How long a read may wait for a standby to have what its client wrote, before it asks the primary. */
const WAIT_MS = 100;

/** The standbys that records are read from. Where the configuration names none, everything is the primary's. */
@Injectable()
export class ReplicaSet implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly replicas: readonly Replica[];
  private readonly watch: PrimaryWatch;
  private readonly counts: ReadCounts;
  /** Of reads without a position; one for all of them. */
  private readonly anywhere: ReadExecutor;
  private turn = 0;

  constructor(
    private readonly primary: Database,
    @Inject(DATABASE_ENDPOINT) endpoint: DatabaseEndpoint,
    config: PlinthConfig,
    observer: Observer,
    registry: MetricRegistry,
    logger: Logger,
  ) {
    const { replicaMaxLagMs: maxLagMs } = config;
    const log = new PrimaryLog(maxLagMs);
    this.watch = new PrimaryWatch(new Probe(endpoint.url, endpoint.sockets), log);
    this.replicas = config.replicaUrls.map((url) => {
      const sockets = new DatabaseSockets();
      const name = serverName(url);
      const own = { url, isEmbedded: false, replica: name, sockets, stop: () => Promise.resolve() };
      const database = new Database(own, null, config, observer, registry, logger);
      return new Replica({ name, url, sockets, database, log, maxLagMs, observer });
    });
    this.counts = collectReplicaMetrics(registry, this.replicas);
    this.anywhere = this.isEmpty ? primary : this.route(null);
  }

  get isEmpty(): boolean {
    return this.replicas.length === 0;
  }

  /** What runs a read of records. @param after what it must see: everything up to there */
  reads(after: LogPosition | null): ReadExecutor {
    return after === null || this.isEmpty ? this.anywhere : this.route(after);
  }

  /** What runs the writes of one request. */
  writes(): WriteExecutor {
    return this.isEmpty ? this.primary : new LocatedWrites(this.primary);
  }

  onApplicationBootstrap(): void {
    if (this.isEmpty) return;
    void this.watch.start().then(() => {
      for (const replica of this.replicas) replica.start();
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.watch.close(), ...this.replicas.map((replica) => replica.close())]);
  }

  private route(after: LogPosition | null): ReadExecutor {
    return new RoutedReads(this.primary, () => this.choose(after), this.counts);
  }

  /** The standby with the fewest reads under way of those that have all up to `after`; null for the primary. */
  private choose(after: LogPosition | null): Replica | null | Promise<Replica | null> {
    let best: Replica | null = null;
    // By turns, where one is as good as the other.
    this.turn += 1;
    for (let index = 0; index < this.replicas.length; index += 1) {
      const replica = this.replicas[(index + this.turn) % this.replicas.length];
      if (replica === undefined || !replica.isFit) continue;
      if (after !== null && replica.replayed < after) continue;
      if (best === null || replica.load < best.load) best = replica;
    }
    return best !== null || after === null ? best : this.awaitReplica(after);
  }

  private async awaitReplica(after: LogPosition): Promise<Replica | null> {
    const [nearest] = this.replicas
      .filter(({ isFit }) => isFit)
      .toSorted((one, other) => (one.replayed > other.replayed ? -1 : 1));
    return nearest !== undefined && (await nearest.waitFor(after, WAIT_MS)) ? nearest : null;
  }
}
