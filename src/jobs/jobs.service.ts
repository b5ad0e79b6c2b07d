import { Injectable, type Type } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { SYSTEM_DATA_SOURCE } from '../common/database/index.js';
import type { JobDefinition } from './job-definition.js';
import { JobPayloads } from './job-payloads.js';
import { JobRegistry } from './job-registry.js';

/**
 * What happens where a job with the key waits already: the new one takes its place, or takes it and keeps the time that it
 * was to run at, or is not added.
 */
export type KeyConflict = 'replace' | 'replace-keeping-time' | 'keep';

export interface EnqueueOptions {
  /** Not before. */
  readonly runAt?: Date;
  /** Default: the definition's. */
  readonly maxAttempts?: number;
  /** Lower ones go first; default: the definition's. */
  readonly priority?: number;
  /** Of jobs that wait, one has this key; up to 512 characters. */
  readonly key?: string;
  /** Default: `replace`. */
  readonly onKeyConflict?: KeyConflict;
  /** Jobs of one queue run one after the other, in all processes; up to 128 characters. */
  readonly queue?: string;
}

/** Runs a statement as a part of a transaction: TypeORM's `EntityManager`, or a client of pg. */
export interface JobTransaction {
  query(text: string, values: unknown[]): Promise<unknown>;
}

const ADD = `
  SELECT id::text FROM plinth_jobs.add_job(identifier => $1, payload => $2::json, queue_name => $3,
    run_at => $4::timestamptz, max_attempts => $5::smallint, job_key => $6, priority => $7::smallint, job_key_mode => $8)`;

const KEY_MODES: Readonly<Record<KeyConflict, string>> = {
  replace: 'replace',
  'replace-keeping-time': 'preserve_run_at',
  keep: 'unsafe_dedupe',
};

/** Puts background jobs in the queue. */
@Injectable()
export class Jobs {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly registry: JobRegistry,
    private readonly payloads: JobPayloads,
  ) {}

  /**
   * Adds a job, which is run once its transaction is committed, and not at all where it is rolled back.
   * @param transaction default: one of its own
   * @returns the job's id
   * @throws Error for a payload that is not valid
   */
  async enqueue<Payload extends object>(
    definition: Type<JobDefinition<Payload>>,
    payload: Payload,
    options: EnqueueOptions = {},
    transaction: JobTransaction = this.dataSource.manager,
  ): Promise<string> {
    const job = this.registry.get(definition);
    const { runAt, key, queue, maxAttempts = job.maxAttempts, priority = job.priority } = options;
    const answer = await transaction.query(ADD, [
      job.name,
      await this.payloads.encode(job, payload),
      queue ?? null,
      runAt?.toISOString() ?? null,
      maxAttempts,
      key ?? null,
      priority,
      KEY_MODES[options.onKeyConflict ?? 'replace'],
    ]);
    const rows = (Array.isArray(answer) ? answer : (answer as { rows: unknown[] }).rows) as { id: string }[];
    return rows[0]?.id ?? '';
  }
}
