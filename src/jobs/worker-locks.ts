import type { ClientBase, Pool } from 'pg';

/** Of advisory locks that stand for workers; any number that nobody else is likely to lock. */
const LOCK_CLASS = 705_260_150;

/** Whose jobs a worker has that no open connection stands for. */
const FIND_GONE = `
  SELECT DISTINCT held.locked_by AS worker FROM (
    SELECT locked_by FROM plinth_jobs._private_jobs WHERE locked_at IS NOT NULL
    UNION ALL SELECT locked_by FROM plinth_jobs._private_job_queues WHERE locked_at IS NOT NULL
  ) AS held
  WHERE NOT EXISTS (
    SELECT FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = ${LOCK_CLASS}
      AND l.objid::bigint = hashtext(held.locked_by)::bigint & 4294967295
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  )`;

/** The attempt counts: a job that ends its process each time must not do so for ever. */
const FREE = `
  WITH queues AS (
    UPDATE plinth_jobs._private_job_queues SET locked_at = NULL, locked_by = NULL WHERE locked_by = ANY ($1)
  ), jobs AS (
    UPDATE plinth_jobs._private_jobs
    SET locked_at = NULL, locked_by = NULL, updated_at = now(), last_error = 'The process that ran it is gone.'
    WHERE locked_by = ANY ($1) RETURNING id
  )
  SELECT count(*)::int AS jobs FROM jobs`;

/**
 * Takes jobs away from workers that are gone. Each worker has a lock, shared by the connections of its process, that
 * PostgreSQL frees when the last of them ends, however that came about: a crash or a kill needs no clock and no writes to
 * be noticed. A connection that is lost and opened again leaves a gap, so it takes two looks to believe it.
 */
export class WorkerLocks {
  private suspects: ReadonlySet<string> = new Set();

  constructor(private readonly workers: readonly string[]) {}

  /** Holds the locks of all workers of this process for as long as the connection lasts. */
  async hold(client: ClientBase): Promise<void> {
    await client.query(
      'SELECT pg_advisory_lock_shared($1, hashtext(worker)) FROM unnest($2::text[]) AS worker',
      [LOCK_CLASS, this.workers],
    );
  }

  /** @returns how many jobs can be taken again that were a gone worker's */
  async freeJobsOfGone(pool: Pool): Promise<number> {
    const { rows } = await pool.query<{ worker: string }>(FIND_GONE);
    const gone = rows.map(({ worker }) => worker);
    const certain = gone.filter((worker) => this.suspects.has(worker));
    this.suspects = new Set(gone);
    if (certain.length === 0) return 0;
    const { rows: freed } = await pool.query<{ jobs: number }>(FREE, [certain]);
    return freed[0]?.jobs ?? 0;
  }
}
