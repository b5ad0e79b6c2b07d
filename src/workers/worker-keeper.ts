import { setTimeout as delay } from 'node:timers/promises';
import type { Observer } from '../common/observability/index.js';
import { describeExit, type WorkerProcess } from './worker-process.js';

const BACKOFF: Backoff = { firstMs: 100, mostMs: 10_000 };
/** A worker that served for so long did not die of what the one before died of. */
const STABLE_MS = 60_000;
/** So many starts of one worker may fail in a row. */
const MAX_FAILED_STARTS = 5;

/** How long to wait before another try: twice as long each time. */
export interface Backoff {
  readonly firstMs: number;
  readonly mostMs: number;
}

export interface KeeperOptions {
  readonly launch: (number: number, isReplacement: boolean) => WorkerProcess;
  readonly observer: Observer;
  /** Told of each worker that has ended, before another takes its place. */
  readonly onExit: (worker: WorkerProcess) => void;
  /** Told when a worker serves. */
  readonly onServing: () => void;
  /** A worker could not be replaced, however often it was tried. */
  readonly onGivenUp: () => void;
  readonly backoff?: Backoff;
}

/** Starts workers, and replaces those that die: at once at first, ever more slowly where they die again and again. */
export class WorkerKeeper {
  /** Those that have not ended. */
  readonly workers = new Set<WorkerProcess>();
  private readonly stopping = new AbortController();

  constructor(private readonly options: KeeperOptions) {}

  /**
   * Resolves when a worker of this number serves; from then on it is replaced whenever it dies.
   *
   * @throws Error what keeps it from starting: as it says itself, or that it ends again and again
   */
  async keep(number: number): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const worker = this.launch(number, false);
      if (await worker.started) {
        void this.replaceWhenDead(worker);
        return;
      }
      const exit = await worker.exited;
      const { failure } = worker;
      // A reason that it can tell does not go away by trying again.
      if (failure !== null) throw Object.assign(new Error(failure.message), failure);
      if (attempt === MAX_FAILED_STARTS || this.isStopping) {
        throw new Error(`A worker ended ${attempt} times while it started, ${describeExit(exit)}.`);
      }
      await this.pause(this.backoffMs(attempt));
    }
  }

  /** Replaces nobody any more. */
  stopReplacing(): void {
    this.stopping.abort();
  }

  private get isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private launch(number: number, isReplacement: boolean): WorkerProcess {
    const worker = this.options.launch(number, isReplacement);
    this.workers.add(worker);
    void worker.exited.then(() => {
      this.workers.delete(worker);
      this.options.onExit(worker);
    });
    void worker.started.then((isServing) => isServing && this.options.onServing());
    return worker;
  }

  private async replaceWhenDead(first: WorkerProcess): Promise<void> {
    const { observer, onGivenUp } = this.options;
    let worker = first;
    let failedStarts = 0;
    for (let deaths = 1; ; deaths += 1) {
      const exit = await worker.exited;
      if (this.isStopping) return;
      const { pid, failure, servedMs, assignment } = worker;
      failedStarts = servedMs > 0 ? 0 : failedStarts + 1;
      if (failedStarts === MAX_FAILED_STARTS) {
        const reason = failure?.message ?? describeExit(exit);
        observer.observe({
          kind: 'worker.given-up',
          worker: assignment.worker,
          attempts: failedStarts,
          reason,
        });
        onGivenUp();
        return;
      }
      if (servedMs > STABLE_MS) deaths = 1;
      const delayMs = this.backoffMs(deaths);
      observer.observe({ kind: 'worker.died', worker: assignment.worker, pid, ...exit, delayMs });
      await this.pause(delayMs);
      if (this.isStopping) return;
      worker = this.launch(assignment.worker, true);
      if (await worker.started) {
        observer.observe({ kind: 'worker.replaced', worker: assignment.worker, pid: worker.pid });
      }
    }
  }

  private backoffMs(attempt: number): number {
    const { firstMs, mostMs } = this.options.backoff ?? BACKOFF;
    return Math.min(mostMs, firstMs * 2 ** (attempt - 1));
  }

  /** Ends early, and with nothing to tell, when nobody shall be replaced any more. */
  private async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.stopping.signal }).catch(() => {});
  }
}
