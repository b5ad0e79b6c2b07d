import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { PlinthConfig } from '../common/config/index.js';
import { SYSTEM_DATA_SOURCE } from '../common/database/index.js';
import { Observer } from '../common/observability/index.js';
import { removeUnusedAnonymous } from './anonymous/remove-unused-anonymous.js';

const SWEEP_MS = 3_600_000;

/** Removes what is over: sessions, tokens, counts of attempts, and the audit beyond its time. */
@Injectable()
export class IdentityRetention implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly config: PlinthConfig,
    private readonly observer: Observer,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.sweep(), SWEEP_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Never rejects: the next one tries again. */
  async sweep(): Promise<void> {
    try {
      await this.dataSource.query('DELETE FROM plinth.sessions WHERE expires_at < now()');
      await this.dataSource.query('DELETE FROM plinth.one_time_tokens WHERE expires_at < now()');
      await this.dataSource.query('DELETE FROM plinth.totp_enrolments WHERE expires_at < now()');
      await this.dataSource.query(
        `DELETE FROM plinth.sign_in_codes WHERE created_at < now() - interval '1 day'`,
      );
      await this.dataSource.query(`
        DELETE FROM plinth.sign_in_attempts
        WHERE last_at < now() - interval '1 day'
          AND (succeeded_at IS NULL OR succeeded_at < now() - interval '30 days')`);
      await this.dataSource.query(
        'DELETE FROM plinth.sign_in_events WHERE at < now() - make_interval(days => $1)',
        [this.config.signInEventDays],
      );
      await removeUnusedAnonymous(this.config.anonymousDays, this.dataSource);
    } catch (error) {
      this.observer.observe({ kind: 'auth.sweep-failed', reason: (error as Error).message });
    }
  }
}
