import { sqlStateOf } from '../describe-error.js';
import { createSink, type ObservationSink } from '../observer.js';
import type { Counter } from './counter.js';
import type { MetricRegistry } from './metric-registry.js';

/** SQLSTATE classes have two characters; there are some forty. */
const MAX_CLASSES = 60;

interface JobTimes {
  readonly job: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** Numbers about everything but requests: statements, connections, the catalog, the access rules. */
export function operationMetrics(registry: MetricRegistry): ObservationSink {
  const statements = {
    read: registry.histogram('plinth_statement_duration_seconds', { work: 'read' }).histogram,
    write: registry.histogram('plinth_statement_duration_seconds', { work: 'write' }).histogram,
    batch: registry.histogram('plinth_statement_duration_seconds', { work: 'batch' }).histogram,
    stream: registry.histogram('plinth_statement_duration_seconds', { work: 'stream' }).histogram,
    other: registry.histogram('plinth_statement_duration_seconds', { work: 'other' }).histogram,
  };
  const waits = registry.histogram('plinth_connection_wait_seconds', {}).histogram;
  const retries = {
    schema: registry.counter('plinth_http_request_retries_total', { reason: 'schema' }),
    serialization: registry.counter('plinth_http_request_retries_total', { reason: 'serialization' }),
    deadlock: registry.counter('plinth_http_request_retries_total', { reason: 'deadlock' }),
    conflict: registry.counter('plinth_http_request_retries_total', { reason: 'conflict' }),
  };
  const lost = {
    requests: registry.counter('plinth_connections_lost_total', { pool: 'requests' }),
    notifications: registry.counter('plinth_connections_lost_total', { pool: 'notifications' }),
    catalog: registry.counter('plinth_connections_lost_total', { pool: 'catalog' }),
    replicas: registry.counter('plinth_connections_lost_total', { pool: 'replicas' }),
    jobs: registry.counter('plinth_connections_lost_total', { pool: 'jobs' }),
  };
  const spans = {
    exported: registry.counter('plinth_trace_spans_exported_total', { outcome: 'exported' }),
    failed: registry.counter('plinth_trace_spans_exported_total', { outcome: 'failed' }),
  };
  const replays = registry.counter('plinth_idempotency_replays_total', {});
  const countFailure = failureCounter(registry);
  const noteCatalog = catalogMetrics(registry);
  const notePolicies = accessMetrics(registry);
  const noteJob = ({ job, startedAtMs, endedAtMs }: JobTimes, outcome: string): void =>
    registry
      .histogram('plinth_job_duration_seconds', { job, outcome })
      .histogram.observe((endedAtMs - startedAtMs) / 1000);
  return createSink({
    'statement.finished': ({ request, startedAtMs, endedAtMs, error }) => {
      statements[request?.work ?? 'other'].observe((endedAtMs - startedAtMs) / 1000);
      if (error !== null) countFailure(error);
    },
    'connection.awaited': ({ startedAtMs, endedAtMs }) => waits.observe((endedAtMs - startedAtMs) / 1000),
    'request.retried': ({ reason }) => retries[reason].add(),
    'request.replayed': () => replays.add(),
    'database.connection-lost': ({ pool }) => lost[pool].add(),
    'catalog.read': ({ version, collections }) => noteCatalog(version, collections.size),
    'access.loaded': ({ policies, broken }) => notePolicies(policies - broken, broken),
    'auth.happened': ({ what }) => registry.counter('plinth_sign_in_events_total', { event: what }).add(),
    'job.done': (run) => noteJob(run, 'done'),
    'job.failed': (run) => noteJob(run, 'failed'),
    'job.died': (run) => noteJob(run, 'died'),
    'jobs.rescued': ({ jobs }) => registry.counter('plinth_jobs_rescued_total', {}).add(jobs),
    'tracing.exported': ({ outcome, spans: count }) => spans[outcome].add(count),
  });
}

/** Classes come from the database and from functions in it, so there is an end to how many are told apart. */
function failureCounter(registry: MetricRegistry): (error: unknown) => void {
  const failures = new Map<string, Counter>();
  return (error) => {
    const found = sqlStateOf(error)?.slice(0, 2) ?? 'none';
    const sqlClass = failures.has(found) || failures.size < MAX_CLASSES ? found : 'other';
    const counter =
      failures.get(sqlClass) ?? registry.counter('plinth_statement_failures_total', { class: sqlClass });
    failures.set(sqlClass, counter);
    counter.add();
  };
}

function catalogMetrics(registry: MetricRegistry): (version: string, collections: number) => void {
  const refreshes = registry.counter('plinth_catalog_refreshes_total', {});
  let catalog: { readonly version: string; readonly collections: number } | null = null;
  registry.collect('plinth_catalog_info', () =>
    catalog === null ? [] : [{ labels: { version: catalog.version }, value: 1 }],
  );
  registry.collect('plinth_catalog_collections', () =>
    catalog === null ? [] : [{ labels: {}, value: catalog.collections }],
  );
  return (version, collections) => {
    catalog = { version, collections };
    refreshes.add();
  };
}

function accessMetrics(registry: MetricRegistry): (intact: number, broken: number) => void {
  const reloads = registry.counter('plinth_access_reloads_total', {});
  let policies = { intact: 0, broken: 0 };
  registry.collect('plinth_access_policies', () => [
    { labels: { state: 'intact' }, value: policies.intact },
    { labels: { state: 'broken' }, value: policies.broken },
  ]);
  return (intact, broken) => {
    policies = { intact, broken };
    reloads.add();
  };
}
