import { createHash } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { PlinthConfig } from '../common/config/index.js';
import { actorKey, type RequestContext } from '../common/context/index.js';
import { SYSTEM_DATA_SOURCE, type StatementExecutor, type WriteExecutor } from '../common/database/index.js';
import { Problem } from '../common/errors/index.js';
import { Observer } from '../common/observability/index.js';
import { IdempotentAnswer } from './idempotent-answer.entity.js';
import type { RecordAnswer } from './record-answer.js';

/** A write that is to happen once. */
export interface IdempotentWrite {
  /** What makes two requests the same: everything that decides on the write or its answer. */
  readonly fingerprint: readonly string[];
  readonly write: (executor: StatementExecutor) => Promise<RecordAnswer>;
}

const KEY = /^[\x21-\x7e]{1,255}$/;
const SWEEP_MS = 3_600_000;
/** Of one statement of the sweep: so few that no statement timeout is near, however large the answers are. */
const SWEEP_BATCH = 500;

/**
 * Makes a write with an Idempotency-Key happen once. The claim on the key, the write and its answer are one
 * transaction: a concurrent retry waits on the key's row, a retry after a crash finds either everything or nothing.
 * A write that was refused changed nothing and leaves no answer behind, so it may be tried again with the same key.
 */
@Injectable()
export class IdempotencyService implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(
    @InjectRepository(IdempotentAnswer, SYSTEM_DATA_SOURCE)
    private readonly answers: Repository<IdempotentAnswer>,
    private readonly config: PlinthConfig,
    private readonly observer: Observer,
  ) {}

  /**
   * @throws Problem `invalid-parameter` for a malformed key, `idempotency-key-reused` for another request's key
   */
  async once(
    writes: WriteExecutor,
    key: string,
    { actor, observed }: RequestContext,
    { fingerprint: request, write }: IdempotentWrite,
  ): Promise<RecordAnswer> {
    if (!KEY.test(key)) {
      throw new Problem('invalid-parameter', {
        detail: 'The header Idempotency-Key must be 1 to 255 visible ASCII characters, such as a UUID.',
      });
    }
    const owner = actorKey(actor);
    const fingerprint = createHash('sha256').update(JSON.stringify(request)).digest();
    const writeOnce = async (executor: StatementExecutor): Promise<RecordAnswer> => {
      const claimed = await executor.execute({
        name: 'plinth_idempotency_claim',
        text: `INSERT INTO plinth.idempotent_answers AS a (actor, key, fingerprint) VALUES ($1, $2, $3)
               ON CONFLICT (actor, key) DO UPDATE
                 SET fingerprint = excluded.fingerprint, status = NULL, headers = NULL, body = NULL, created_at = now()
                 WHERE a.created_at < now() - make_interval(hours => $4::int)
               RETURNING 1`,
        values: [owner, key, fingerprint, String(this.config.idempotencyHours)],
      });
      if (claimed.length === 0) {
        const kept = await this.replay(executor, owner, key, fingerprint);
        this.observer.observe({ kind: 'request.replayed', request: observed });
        return kept;
      }
      const answer = await write(executor);
      await executor.execute({
        name: 'plinth_idempotency_keep',
        text: `UPDATE plinth.idempotent_answers SET status = $3, headers = $4, body = $5 WHERE actor = $1 AND key = $2`,
        values: [owner, key, String(answer.status), JSON.stringify(answer.headers), answer.body],
      });
      return answer;
    };
    return writes.transaction(writeOnce, observed);
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.sweep(), SWEEP_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    this.isStopped = true;
    clearInterval(this.timer);
  }

  private async replay(
    executor: StatementExecutor,
    owner: string,
    key: string,
    fingerprint: Buffer,
  ): Promise<RecordAnswer> {
    const [row] = await executor.execute({
      name: 'plinth_idempotency_find',
      text: `SELECT fingerprint = $3, status, headers, body FROM plinth.idempotent_answers WHERE actor = $1 AND key = $2`,
      values: [owner, key, fingerprint],
    });
    if (row?.[1] == null || row[2] == null)
      throw new Problem('conflict', {
        detail: 'The first request with this Idempotency-Key is gone; send it again.',
      });
    if (row[0] !== 't') {
      throw new Problem('idempotency-key-reused', {
        detail: 'This Idempotency-Key was used for another request; a new request needs a new key.',
      });
    }
    const headers = JSON.parse(row[2]) as Record<string, string>;
    return {
      status: Number(row[1]),
      headers: { ...headers, 'idempotency-replayed': 'true' },
      body: row[3] ?? null,
    };
  }

  /**
   * Removes answers older than the configuration keeps them, by the database's clock, which has dated them.
   * @param batchSize answers to remove with one statement
   */
  async sweep(batchSize = SWEEP_BATCH): Promise<void> {
    try {
      let removed: number;
      do removed = await this.removeExpired(batchSize);
      while (removed === batchSize && !this.isStopped);
    } catch (error) {
      this.observer.observe({ kind: 'idempotency.sweep-failed', reason: (error as Error).message });
    }
  }

  /** Gives how many it removed. Skips those that a retry, or the sweep of another instance, has in hand. */
  private async removeExpired(most: number): Promise<number> {
    const [, removed] = await this.answers.query<[rows: unknown[], removed: number]>(
      `WITH expired AS (
         SELECT actor, key FROM plinth.idempotent_answers WHERE created_at < now() - make_interval(hours => $1::int)
         ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
       DELETE FROM plinth.idempotent_answers a USING expired e WHERE a.actor = e.actor AND a.key = e.key`,
      [this.config.idempotencyHours, most],
    );
    return removed;
  }
}
