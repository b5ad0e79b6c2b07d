import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { PlinthConfig } from '../common/config/index.js';
import { SYSTEM_DATA_SOURCE } from '../common/database/index.js';
import { JobDefinition } from './job-definition.js';

class NoPayload {}

/** Removes jobs that died, after the time for which they are kept. */
@Injectable()
export class ExpiredJobs extends JobDefinition<NoPayload> {
  readonly name = 'jobs.remove-expired';
  readonly payload = NoPayload;
  override readonly schedule = '17 * * * *';
  override readonly maxAttempts = 1;

  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly config: PlinthConfig,
  ) {
    super();
  }

  async run(): Promise<void> {
    await this.dataSource.query(
      `DELETE FROM plinth_jobs._private_jobs
       WHERE locked_at IS NULL AND attempts >= max_attempts AND updated_at < now() - make_interval(days => $1)`,
      [this.config.deadJobDays],
    );
  }
}
