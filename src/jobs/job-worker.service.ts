import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { InjectDataSource } from '@nestjs/typeorm';
import type { JobHelpers, Task } from 'graphile-worker';
import type { DataSource } from 'typeorm';
import { PlinthConfig } from '../common/config/index.js';
import { SYSTEM_DATA_SOURCE } from '../common/database/index.js';
import { Observer } from '../common/observability/index.js';
import { PermanentFailure, type JobDefinition } from './job-definition.js';
import { JobPayloads } from './job-payloads.js';
import { JobQueue } from './job-queue.js';
import { JobRegistry } from './job-registry.js';
import { JobRunner } from './job-runner.js';

/** After something broke, such as the database, the runner is started anew. */
const RESTART_MS = 1000;
/** Of the time that a stop may take; the rest is for everything else. */
const DRAIN_SHARE = 0.8;

/** So that no further attempt is left. */
const GIVE_UP = 'UPDATE plinth_jobs._private_jobs SET max_attempts = attempts WHERE id = $1 AND attempts > 0';

/** Works jobs in this process, a few at a time, until the application stops. */
@Injectable()
export class JobWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private runner: JobRunner | null = null;
  private restart: NodeJS.Timeout | undefined;
  private isStopping = false;

  private drained: Promise<void> = Promise.resolve();

  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly queue: JobQueue,
    private readonly registry: JobRegistry,
    private readonly payloads: JobPayloads,
    private readonly config: PlinthConfig,
    private readonly adapterHost: HttpAdapterHost,
    private readonly observer: Observer,
  ) {}

  /** A command of the command line works none. */
  async onApplicationBootstrap(): Promise<void> {
    if (this.config.jobConcurrency === 0 || !this.adapterHost.httpAdapter) return;
    // Waited for together with requests, and not before these are told that no more are taken.
    this.adapterHost.httpAdapter.getInstance<FastifyInstance>().addHook('onClose', () => this.drained);
    await this.begin();
  }

  beforeApplicationShutdown(): void {
    this.isStopping = true;
    clearTimeout(this.restart);
    this.drained = this.runner?.stop() ?? this.drained;
  }

  private async begin(): Promise<void> {
    const definitions = this.registry.list();
    const runner = new JobRunner({
      queue: this.queue,
      definitions,
      tasks: Object.fromEntries(definitions.map((definition) => [definition.name, this.taskOf(definition)])),
      concurrency: this.config.jobConcurrency,
      drainMs: this.config.shutdownTimeoutMs * DRAIN_SHARE,
      onRescued: (jobs) => this.observer.observe({ kind: 'jobs.rescued', jobs }),
    });
    this.runner = runner;
    runner.ended.catch((error: unknown) => this.beginAnew(runner, error));
    try {
      await runner.start();
    } catch (error) {
      this.beginAnew(runner, error);
    }
  }

  private beginAnew(broken: JobRunner, error: unknown): void {
    if (this.isStopping || this.runner !== broken) return;
    this.runner = null;
    this.observer.observe({ kind: 'jobs.interrupted', reason: reasonOf(error) });
    void broken.stop();
    this.restart = setTimeout(() => void this.begin(), RESTART_MS);
    this.restart.unref();
  }

  private taskOf(definition: JobDefinition): Task {
    const { name } = definition;
    return async (kept, { job, abortSignal: signal }: JobHelpers) => {
      const { id, attempts: attempt, max_attempts: maxAttempts } = job;
      const startedAtMs = performance.now();
      const toldRun = () => ({ job: name, id, attempt, startedAtMs, endedAtMs: performance.now() });
      try {
        const payload = await this.payloads.decode(definition, kept);
        await definition.run(payload, { id, attempt, maxAttempts, signal: signal ?? NEVER_ABORTED });
      } catch (error) {
        const isPermanent = error instanceof PermanentFailure;
        if (isPermanent) await this.dataSource.query(GIVE_UP, [id]);
        const failed = { ...toldRun(), reason: reasonOf(error) };
        if (isPermanent || attempt >= maxAttempts) this.observer.observe({ kind: 'job.died', ...failed });
        else this.observer.observe({ kind: 'job.failed', ...failed });
        throw error;
      }
      this.observer.observe({ kind: 'job.done', ...toldRun() });
    };
  }
}

const NEVER_ABORTED = new AbortController().signal;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
