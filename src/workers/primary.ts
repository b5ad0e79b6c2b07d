import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { countWorkers, type PlinthConfig } from '../common/config/index.js';
import type { Observer } from '../common/observability/index.js';
import { RateCounter } from '../common/rate-limit/rate-counter.js';
import type { ToPrimary } from '../common/workers/index.js';
import { ConnectionDispatcher } from './connection-dispatcher.js';
import { MetricGatherer } from './metric-gatherer.js';
import { WorkerKeeper } from './worker-keeper.js';
import { WorkerProcess } from './worker-process.js';

/** Whoever takes the place of another waits for a database that is away, as those that serve do. */
const FOR_EVER_MS = Number.MAX_SAFE_INTEGER;

export interface PrimaryOptions {
  readonly config: PlinthConfig;
  readonly observer: Observer;
  readonly databaseUrl: string;
  /** A worker could not be replaced; what follows from it is the caller's to decide. */
  readonly onGivenUp: () => void;
}

/**
 * What the primary process does for its workers: it owns the port and gives connections to them, counts rates for all of
 * them, and adds up their metrics.
 */
export class Primary {
  private readonly keeper: WorkerKeeper;
  private readonly dispatcher: ConnectionDispatcher;
  private readonly gatherer: MetricGatherer;
  private readonly rates: RateCounter;
  /** Connections are handed over unread. */
  private readonly server = createServer({ pauseOnConnect: true, noDelay: true });

  constructor(private readonly options: PrimaryOptions) {
    const { config, observer, onGivenUp } = options;
    this.keeper = new WorkerKeeper({
      launch: (number, isReplacement) => this.launch(number, isReplacement),
      observer,
      onExit: (worker) => this.noteExit(worker),
      onServing: () => this.dispatcher.assignWaiting(),
      onGivenUp,
    });
    this.dispatcher = new ConnectionDispatcher(this.keeper.workers);
    this.gatherer = new MetricGatherer(this.keeper.workers);
    this.rates = new RateCounter(config);
    // Of those that no worker has yet.
    this.server.maxConnections = config.maxConnections;
    this.server.on('connection', (connection) => this.dispatcher.dispatch(connection));
  }

  /**
   * Starts the workers and listens. The first one brings Plinth's own tables up to date before there are others.
   *
   * @throws Error what keeps a worker from starting, or the port from being taken
   */
  async start(): Promise<AddressInfo> {
    const { config } = this.options;
    await this.keeper.keep(1);
    const others = Array.from({ length: countWorkers(config) - 1 }, (_, index) =>
      this.keeper.keep(index + 2),
    );
    await Promise.all(others);
    this.server.listen(config.port, config.host);
    await once(this.server, 'listening');
    return this.server.address() as AddressInfo;
  }

  /** Lets one worker tell what only those who serve can know. */
  announce(url: string): void {
    for (const worker of this.keeper.workers) return worker.send({ kind: 'listening', url });
  }

  /**
   * Takes no more connections, and ends when every worker has answered what it has.
   *
   * @throws Error where one ended in another way
   */
  async close(): Promise<void> {
    this.keeper.stopReplacing();
    this.server.close();
    this.dispatcher.close();
    const stopped = [...this.keeper.workers].map(async (worker) => {
      worker.send({ kind: 'stop' });
      const { code } = await worker.exited;
      if (code !== 0) throw new Error(`Worker ${worker.assignment.worker} did not stop in good order.`);
    });
    await Promise.all(stopped);
  }

  /** Ends every worker at once. */
  kill(): void {
    this.keeper.stopReplacing();
    this.signal('SIGKILL');
  }

  /** Sends a signal to every worker. */
  signal(signal: NodeJS.Signals): void {
    for (const worker of this.keeper.workers) worker.signal(signal);
  }

  private launch(number: number, isReplacement: boolean): WorkerProcess {
    const { config, databaseUrl } = this.options;
    const assignment = {
      worker: number,
      databaseUrl,
      databaseWaitMs: isReplacement ? FOR_EVER_MS : config.databaseWaitMs,
      maxConnections: Math.ceil(config.maxConnections / countWorkers(config)),
    };
    return new WorkerProcess(assignment, (message, worker) => this.receive(message, worker));
  }

  private receive(message: ToPrimary, worker: WorkerProcess): void {
    switch (message.kind) {
      case 'taken':
        return this.dispatcher.noteTaken(message.id);
      case 'take':
        return worker.send({ kind: 'verdicts', id: message.id, verdicts: this.rates.take(message.takes) });
      case 'gather':
        void this.gatherer
          .gather()
          .then((families) => worker.send({ kind: 'metrics', id: message.id, families }));
        return;
      default:
    }
  }

  private noteExit(worker: WorkerProcess): void {
    this.gatherer.noteExit(worker);
    this.dispatcher.reassign(worker);
  }
}
