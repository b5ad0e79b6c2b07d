import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parseCronItems, run, type Runner, type TaskList, type WorkerEvents } from 'graphile-worker';
import type { ClientBase, Pool } from 'pg';
import { JOBS_SCHEMA } from '../common/database/system-schema.js';
import type { JobDefinition } from './job-definition.js';
import { SILENT, type JobQueue } from './job-queue.js';
import { WorkerLocks } from './worker-locks.js';

/** Jobs that are put in the queue are told of; those whose time comes, such as a retry, are looked for so often. */
const POLL_MS = 5000;
/** Jobs of a process that is gone are taken again after two of these at most. */
const RESCUE_MS = 5000;
/** For jobs to heed their signal. */
const UNWILLING_MS = 300;

export interface RunnerOptions {
  readonly queue: JobQueue;
  readonly tasks: TaskList;
  readonly definitions: readonly JobDefinition[];
  readonly concurrency: number;
  /** That jobs get to end when the runner stops; then their signal is aborted. */
  readonly drainMs: number;
  onRescued(jobs: number): void;
}

/** Graphile-worker, on a pool of its own, until it is stopped or something breaks that it does not recover from. */
export class JobRunner {
  private readonly workers: string[] = [];
  private readonly locks = new WorkerLocks(this.workers);
  private readonly pool: Pool;
  private runner: Runner | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopping: Promise<void> | null = null;
  /** Rejects with what went wrong; resolves after `stop`. */
  readonly ended: Promise<void>;
  private end: (error?: unknown) => void = () => {};

  constructor(private readonly options: RunnerOptions) {
    this.pool = options.queue.openPool((client) => this.hold(client));
    this.ended = new Promise((resolve, reject) => {
      this.end = (error) => (error === undefined ? resolve() : reject(error));
    });
    this.ended.catch(() => {});
  }

  async start(): Promise<void> {
    const { tasks, definitions, concurrency, drainMs } = this.options;
    this.runner = await run({
      pgPool: this.pool,
      schema: JOBS_SCHEMA,
      logger: SILENT,
      events: this.listen(),
      noHandleSignals: true,
      concurrency,
      pollInterval: POLL_MS,
      gracefulShutdownAbortTimeout: drainMs,
      taskList: tasks,
      parsedCronItems: parseCronItems(
        definitions.flatMap(({ name, schedule, maxAttempts, priority }) =>
          schedule === null
            ? []
            : [{ task: name, match: schedule, options: { backfillPeriod: 0, maxAttempts, priority } }],
        ),
      ),
    });
    this.runner.promise.catch((error: unknown) => this.end(error));
    this.scheduleRescue();
  }

  /** Takes no further job, waits for those under way. Never rejects. */
  stop(): Promise<void> {
    this.stopping ??= this.drain();
    return this.stopping;
  }

  private async drain(): Promise<void> {
    clearTimeout(this.timer);
    const patience = new AbortController();
    // What goes on in spite of its signal is left alone: with the connections its lock ends, and others take it again.
    await Promise.race([
      this.runner?.stop().catch(() => {}),
      delay(this.options.drainMs + UNWILLING_MS, undefined, { signal: patience.signal }).catch(() => {}),
    ]);
    patience.abort();
    clearTimeout(this.timer);
    await this.pool.end().catch(() => {});
    this.end();
  }

  private listen(): WorkerEvents {
    const events = new EventEmitter() as WorkerEvents;
    events.on('worker:create', ({ worker }) => void this.workers.push(worker.workerId));
    // This one may have been opened before the workers were known; it begins to listen now, and is free after that.
    events.on('pool:listen:success', ({ client }) => client.once('drain', () => void this.hold(client)));
    // One that cannot say how its job ended gives up; it takes all of them to begin anew.
    events.on('worker:fatalError', ({ error }) => this.end(error));
    return events;
  }

  private async hold(client: ClientBase): Promise<void> {
    if (this.workers.length === 0) return;
    await this.locks.hold(client).catch(() => {
      // A connection that breaks now tells whoever uses it.
    });
  }

  private scheduleRescue(): void {
    this.timer = setTimeout(() => void this.rescue(), RESCUE_MS);
    this.timer.unref();
  }

  private async rescue(): Promise<void> {
    try {
      const jobs = await this.locks.freeJobsOfGone(this.pool);
      if (jobs > 0) this.options.onRescued(jobs);
    } catch {
      // The database is away; others tell so.
    } finally {
      if (this.stopping === null) this.scheduleRescue();
    }
  }
}
