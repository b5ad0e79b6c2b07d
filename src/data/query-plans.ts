import { Injectable } from '@nestjs/common';
import { ReadQueries, WriteQueries } from '@plinth/query';
import { PlinthConfig } from '../common/config/index.js';
import { CursorCodecService } from './cursor-codec.js';

/** The compiled plans of all requests, bounded in number. */
@Injectable()
export class QueryPlans {
  readonly reads: ReadQueries;
  readonly writes: WriteQueries;

  constructor(cursors: CursorCodecService, config: PlinthConfig) {
    const limits = { maxLimit: config.maxLimit, defaultLimit: Math.min(50, config.maxLimit) };
    this.reads = new ReadQueries({ cursors, limits, cacheCapacity: config.planCacheSize });
    this.writes = new WriteQueries({ limits, cacheCapacity: config.planCacheSize });
  }
}
