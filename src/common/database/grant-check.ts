import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { PlinthConfig } from '../config/index.js';
import { Logger } from '../observability/index.js';
import { findMissingGrants, findMissingSchemas, type RunQuery } from './grants.js';
import { SYSTEM_DATA_SOURCE } from './system-data-source.js';

/** Tells at the start which schemas are missing and what the database role lacks, so that nobody has to find out from requests that fail. */
@Injectable()
export class GrantCheck implements OnApplicationBootstrap {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly config: PlinthConfig,
    private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    try {
      const query: RunQuery = (text, values) => this.dataSource.query(text, [...values]);
      for (const schema of await findMissingSchemas(query, this.config.schemas)) {
        this.logger.warn({ schema }, 'There is no such schema: create it, or correct PLINTH_SCHEMAS');
      }
      const missing = await findMissingGrants(query, this.config.schemas);
      for (const { what, statement, neededFor } of missing) {
        const level = neededFor === 'writing' ? 'info' : 'warn';
        this.logger[level]({ what, statement }, 'The database role lacks a grant');
      }
    } catch (error) {
      this.logger.warn({ reason: (error as Error).message }, 'The grants could not be checked');
    }
  }
}
