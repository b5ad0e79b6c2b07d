import type pg from 'pg';
import type { MetricRegistry } from '../observability/index.js';
import type { ReadLanes } from './read-lanes.js';
import type { WriteGroups } from './write-groups.js';

/** Pools of a standby are told apart by its name. */
const nameOf = (pool: string, replica: string | undefined): string =>
  replica === undefined ? pool : `${pool}@${replica}`;

/**
 * How many connections a pool has, and how many statements wait for one; asked of it when somebody reads.
 *
 * @param replica the standby that the connections lead to
 */
export function collectPoolMetrics(registry: MetricRegistry, connections: pg.Pool, replica?: string): void {
  const pool = nameOf('requests', replica);
  registry.collect('plinth_pool_connections', () => {
    const { totalCount, idleCount } = connections;
    return [
      { labels: { pool, state: 'idle' }, value: idleCount },
      { labels: { pool, state: 'used' }, value: totalCount - idleCount },
    ];
  });
  registry.collect('plinth_pool_connections_max', () => [
    { labels: { pool }, value: connections.options.max },
  ]);
  registry.collect('plinth_pool_waiting', () => [{ labels: { pool }, value: connections.waitingCount }]);
}

/** The same for lanes, on which many statements are under way together. */
export function collectLaneMetrics(registry: MetricRegistry, lanes: ReadLanes, replica?: string): void {
  const pool = nameOf('lanes', replica);
  registry.collect('plinth_pool_connections', () => {
    const { depths } = lanes;
    const idleCount = depths.filter((depth) => depth === 0).length;
    return [
      { labels: { pool, state: 'idle' }, value: idleCount },
      { labels: { pool, state: 'used' }, value: depths.length - idleCount },
    ];
  });
  registry.collect('plinth_pool_connections_max', () => [{ labels: { pool }, value: lanes.count }]);
  registry.collect('plinth_lane_statements', () => [
    { labels: { pool }, value: lanes.depths.reduce((sum, depth) => sum + depth, 0) },
  ]);
}

/** How many transactions several writes have shared, and how many writes that were. */
export function collectGroupMetrics(registry: MetricRegistry, groups: WriteGroups): void {
  registry.collect('plinth_write_groups_total', () => [{ labels: {}, value: groups.counts.groups }]);
  registry.collect('plinth_grouped_writes_total', () => [{ labels: {}, value: groups.counts.writes }]);
}
