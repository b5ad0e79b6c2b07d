import { Injectable } from '@nestjs/common';
import { ReadQueries, WriteQueries, type PlanCacheCounts } from '@plinth/query';
import { PlinthConfig, queryLimits } from '../common/config/index.js';
import { MetricRegistry } from '../common/observability/index.js';
import { CursorCodecService } from './cursor-codec.js';

/** The compiled plans of all requests, bounded in number. */
@Injectable()
export class QueryPlans {
  readonly reads: ReadQueries;
  readonly writes: WriteQueries;

  constructor(cursors: CursorCodecService, config: PlinthConfig, registry: MetricRegistry) {
    const limits = queryLimits(config);
    const { orderSecret } = cursors;
    this.reads = new ReadQueries({ cursors, orderSecret, limits, cacheCapacity: config.planCacheSize });
    this.writes = new WriteQueries({ orderSecret, limits, cacheCapacity: config.planCacheSize });
    this.tellCounts(registry);
  }

  private tellCounts(registry: MetricRegistry): void {
    const read = (member: keyof PlanCacheCounts) => () => [
      { labels: { cache: 'read' }, value: this.reads.planCounts[member] },
      { labels: { cache: 'write' }, value: this.writes.planCounts[member] },
    ];
    registry.collect('plinth_plan_cache_entries', read('entries'));
    registry.collect('plinth_plan_cache_hits_total', read('hits'));
    registry.collect('plinth_plan_cache_misses_total', read('misses'));
    registry.collect('plinth_plan_cache_evictions_total', read('evictions'));
  }
}
