import { createHash } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import { PlinthConfig } from '../common/config/index.js';
import { actorKey, type Actor } from '../common/context/index.js';
import { Database, SYSTEM_DATA_SOURCE, type StatementExecutor } from '../common/database/index.js';
import { Problem } from '../common/errors/index.js';
import { Logger } from '../common/observability/index.js';
import { IdempotentAnswer } from './idempotent-answer.entity.js';
import type { RecordAnswer } from './record-answer.js';

const KEY = /^[\x21-\x7e]{1,255}$/;
const SWEEP_MS = 3_600_000;

/**
 * Makes a write with an Idempotency-Key happen once. The claim on the key, the write and its answer are one
 * transaction: a concurrent retry waits on the key's row, a retry after a crash finds either everything or nothing.
 * A write that was refused changed nothing and leaves no answer behind, so it may be tried again with the same key.
 */
@Injectable()
export class IdempotencyService implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    @InjectRepository(IdempotentAnswer, SYSTEM_DATA_SOURCE)
    private readonly answers: Repository<IdempotentAnswer>,
    private readonly config: PlinthConfig,
    private readonly logger: Logger,
  ) {}

  /**
   * @param request what makes two requests the same: everything that decides on the write or its answer
   * @throws Problem `invalid-parameter` for a malformed key, `idempotency-key-reused` for another request's key
   */
  async once(
    key: string,
    actor: Actor,
    request: readonly string[],
    write: (executor: StatementExecutor) => Promise<RecordAnswer>,
  ): Promise<RecordAnswer> {
    if (!KEY.test(key)) {
      throw new Problem('invalid-parameter', {
        detail: 'The header Idempotency-Key must be 1 to 255 visible ASCII characters, such as a UUID.',
      });
    }
    const owner = actorKey(actor);
    const fingerprint = createHash('sha256').update(JSON.stringify(request)).digest();
    return this.database.transaction(async (executor) => {
      const claimed = await executor.execute({
        name: 'plinth_idempotency_claim',
        text: `INSERT INTO plinth.idempotent_answers AS a (actor, key, fingerprint) VALUES ($1, $2, $3)
               ON CONFLICT (actor, key) DO UPDATE
                 SET fingerprint = excluded.fingerprint, status = NULL, headers = NULL, body = NULL, created_at = now()
                 WHERE a.created_at < now() - make_interval(hours => $4::int)
               RETURNING 1`,
        values: [owner, key, fingerprint, this.config.idempotencyHours],
      });
      if (claimed.length === 0) return this.replay(executor, owner, key, fingerprint);
      const answer = await write(executor);
      await executor.execute({
        name: 'plinth_idempotency_keep',
        text: `UPDATE plinth.idempotent_answers SET status = $3, headers = $4, body = $5 WHERE actor = $1 AND key = $2`,
        values: [owner, key, answer.status, JSON.stringify(answer.headers), answer.body],
      });
      return answer;
    });
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.sweep(), SWEEP_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
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

  /** Answers older than the configuration keeps them. */
  private async sweep(): Promise<void> {
    const oldest = new Date(Date.now() - this.config.idempotencyHours * 3_600_000);
    try {
      await this.answers.delete({ createdAt: LessThan(oldest) });
    } catch (error) {
      this.logger.warn({ reason: (error as Error).message }, 'Old idempotent answers could not be removed');
    }
  }
}
