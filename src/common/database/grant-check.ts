import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { PlinthConfig } from '../config/index.js';
import { Logger } from '../observability/index.js';
import { findMissingGrants } from './grants.js';
import { SYSTEM_DATA_SOURCE } from './system-data-source.js';

/** Tells at the start what the database role lacks, so that nobody has to find out from requests that fail. */
@Injectable()
export class GrantCheck implements OnApplicationBootstrap {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly config: PlinthConfig,
    private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    try {
      const missing = await findMissingGrants(
        (text, values) => this.dataSource.query(text, [...values]),
        this.config.schemas,
      );
      for (const { what, statement, neededFor } of missing) {
        const level = neededFor === 'writing' ? 'info' : 'warn';
        this.logger[level]({ what, statement }, 'The database role lacks a grant');
      }
    } catch (error) {
      this.logger.warn({ reason: (error as Error).message }, 'The grants could not be checked');
    }
  }
}
