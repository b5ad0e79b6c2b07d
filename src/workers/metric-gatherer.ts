import { addFamilies, keepCounts } from '../common/observability/metrics/add-families.js';
import type { MetricFamily } from '../common/observability/metrics/metric-family.js';
import type { WorkerProcess } from './worker-process.js';

/** A worker that is too busy to answer for so long is told of as it was when it was last asked. */
const TIMEOUT_MS = 1000;

/**
 * The metrics of all workers as one. What a worker counted goes on counting when it is gone, as far as it was asked
 * before, so that no counter ever falls.
 */
export class MetricGatherer {
  private readonly latest = new Map<WorkerProcess, readonly MetricFamily[]>();
  private past: readonly MetricFamily[] = [];
  private deaths = 0;
  private gathering: Promise<readonly MetricFamily[]> | null = null;

  constructor(private readonly workers: Iterable<WorkerProcess>) {}

  /** Everybody who asks meanwhile gets the same. */
  gather(): Promise<readonly MetricFamily[]> {
    this.gathering ??= this.measure().finally(() => {
      this.gathering = null;
    });
    return this.gathering;
  }

  noteExit(worker: WorkerProcess): void {
    this.deaths += 1;
    const last = this.latest.get(worker);
    this.latest.delete(worker);
    if (last !== undefined) this.past = addFamilies([this.past, keepCounts(last)]);
  }

  private async measure(): Promise<readonly MetricFamily[]> {
    const serving = [...this.workers].filter(({ isServing }) => isServing);
    await Promise.all(
      serving.map(async (worker) => {
        const families = await worker.measure(TIMEOUT_MS);
        if (families !== null && worker.isServing) this.latest.set(worker, families);
      }),
    );
    return addFamilies([...this.latest.values(), this.past, this.describeWorkers(serving.length)]);
  }

  private describeWorkers(serving: number): readonly MetricFamily[] {
    return [
      { name: 'plinth_workers', series: [{ labels: {}, value: serving }] },
      { name: 'plinth_worker_deaths_total', series: [{ labels: {}, value: this.deaths }] },
    ];
  }
}
