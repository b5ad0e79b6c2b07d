import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { pageOf, readCursor, type SystemPage } from '../access/index.js';
import { SYSTEM_DATA_SOURCE } from '../common/database/index.js';
import { Problem } from '../common/errors/index.js';
import type { JobDto, JobQuery } from './job.dto.js';
import { JobRegistry } from './job-registry.js';

const ID = /^\d{1,18}$/;

const LIST = `
  SELECT * FROM (
    SELECT j.id::text, t.identifier AS name, j.priority, j.attempts, j.max_attempts AS "maxAttempts", j.key,
      q.queue_name AS queue, j.last_error AS error, j.payload, j.run_at AS "runAt", j.locked_at AS "startedAt",
      j.created_at AS "createdAt",
      CASE WHEN j.locked_at IS NOT NULL THEN 'running' WHEN j.attempts >= j.max_attempts THEN 'dead'
        WHEN j.run_at > now() THEN 'scheduled' ELSE 'waiting' END AS state
    FROM plinth_jobs._private_jobs j JOIN plinth_jobs._private_tasks t ON t.id = j.task_id
    LEFT JOIN plinth_jobs._private_job_queues q ON q.id = j.job_queue_id
  ) AS job`;

const RETRY = `
  UPDATE plinth_jobs._private_jobs SET attempts = 0, max_attempts = greatest(max_attempts, $2),
    run_at = now(), updated_at = now()
  WHERE id = $1 AND locked_at IS NULL RETURNING id`;

const CANCEL = 'DELETE FROM plinth_jobs._private_jobs WHERE id = $1 AND locked_at IS NULL RETURNING id';

/** An update tells nobody, unlike what is added. */
const WAKE = `SELECT pg_notify('jobs:insert', '{"count":1}')`;

/** Jobs, as administrators see and change them. Those that are done are gone. */
@Injectable()
export class JobManagement {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly registry: JobRegistry,
  ) {}

  /** Newest first. */
  async list({ limit, cursor, state, name }: JobQuery): Promise<SystemPage<JobDto>> {
    const rows = await this.dataSource.query<JobDto[]>(
      `${LIST} WHERE ($1::bigint IS NULL OR id::bigint < $1) AND ($2::text IS NULL OR state = $2)
         AND ($3::text IS NULL OR name = $3) ORDER BY id::bigint DESC LIMIT $4`,
      [readCursor(cursor), state ?? null, name ?? null, limit + 1],
    );
    return pageOf(
      rows.map((row) => this.withoutSecrets(row)),
      limit,
      ({ id }) => id,
    );
  }

  /** @throws Problem `not-found` */
  async get(id: string, manager: EntityManager = this.dataSource.manager): Promise<JobDto> {
    const rows = ID.test(id) ? await manager.query<JobDto[]>(`${LIST} WHERE id::bigint = $1`, [id]) : [];
    if (rows[0] === undefined) {
      throw new Problem('not-found', { detail: 'There is no such job; what is done is not kept.' });
    }
    return this.withoutSecrets(rows[0]);
  }

  /**
   * Lets a job that is dead or waits for its time run now, with all its attempts.
   * @throws Problem `not-found`; `conflict` while it is running
   */
  retry(id: string): Promise<JobDto> {
    return this.dataSource.transaction(async (manager) => {
      const { name, maxAttempts } = await this.get(id, manager);
      // One that was given up has lost the attempts that it had left.
      await this.change(manager, id, RETRY, this.registry.find(name)?.maxAttempts ?? maxAttempts);
      await manager.query(WAKE);
      // Once it is committed, a worker may have done it and forgotten it.
      return this.get(id, manager);
    });
  }

  /** @throws Problem `not-found`; `conflict` while it is running */
  async cancel(id: string): Promise<void> {
    await this.change(this.dataSource.manager, id, CANCEL);
  }

  private async change(
    manager: EntityManager,
    id: string,
    statement: string,
    ...values: readonly unknown[]
  ): Promise<void> {
    await this.get(id, manager);
    const [rows] = await manager.query<[unknown[], number]>(statement, [id, ...values]);
    if (rows.length > 0) return;
    // Or it is done meanwhile.
    await this.get(id, manager);
    throw new Problem('conflict', { detail: 'The job is running.' });
  }

  /** Of a kind that is not known any more, nobody knows what it held. */
  private withoutSecrets(job: JobDto): JobDto {
    const definition = this.registry.find(job.name);
    return definition === undefined || definition.isSealed ? Object.assign(job, { payload: null }) : job;
  }
}
