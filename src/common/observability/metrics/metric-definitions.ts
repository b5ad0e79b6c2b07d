export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending; the last one, infinity, is not written out. */
  readonly buckets?: readonly number[];
  /** What the values of several processes make together; default: their sum. */
  readonly together?: 'max' | 'min';
}

const LATENCY = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
const JOBS = [0.01, 0.1, 1, 10, 60, 600] as const;
const COLLECTIONS = [0.001, 0.01, 0.1, 1, 2, 5] as const;

/**
 * Every metric, once: `/metrics` and the page about it are made from this list. Those of Node.js and of the process are
 * called as the common Node.js dashboards expect them.
 */
export const METRICS = {
  plinth_http_request_duration_seconds: {
    type: 'histogram',
    help: 'From the arrival of a request to the end of its answer. `aborted` is a client that left before.',
    labels: ['method', 'route', 'collection', 'status'],
    buckets: LATENCY,
  },
  plinth_http_requests_in_flight: {
    type: 'gauge',
    help: 'Requests that are being answered.',
    labels: [],
  },
  plinth_http_requests_rejected_total: {
    type: 'counter',
    help: 'Requests answered with a problem, by its type.',
    labels: ['problem'],
  },
  plinth_http_requests_slow_total: {
    type: 'counter',
    help: 'Requests that took as long as `PLINTH_SLOW_REQUEST_MS` or longer.',
    labels: [],
  },
  plinth_http_request_retries_total: {
    type: 'counter',
    help: 'Requests that were run again, unseen by the client, by reason.',
    labels: ['reason'],
  },
  plinth_idempotency_replays_total: {
    type: 'counter',
    help: 'Writes answered with the kept answer of their first time.',
    labels: [],
  },
  plinth_statement_duration_seconds: {
    type: 'histogram',
    help: 'Time that the database took for a statement, by what it was part of; of a `stream` with its client.',
    labels: ['work'],
    buckets: LATENCY,
  },
  plinth_statement_failures_total: {
    type: 'counter',
    help: 'Statements that failed, by the class of their SQLSTATE; `none` is a lost connection.',
    labels: ['class'],
  },
  plinth_connection_wait_seconds: {
    type: 'histogram',
    help: 'Time that a statement or a transaction waited for its turn on a connection.',
    labels: [],
    buckets: LATENCY,
  },
  plinth_grouped_writes_total: {
    type: 'counter',
    help: 'Writes that were committed together with others.',
    labels: [],
  },
  plinth_write_groups_total: {
    type: 'counter',
    help: 'Transactions in which writes of several requests were committed together.',
    labels: [],
  },
  plinth_lane_statements: {
    type: 'gauge',
    help: 'Short reads that are under way on the connections they share.',
    labels: ['pool'],
  },
  plinth_pool_connections: {
    type: 'gauge',
    help: 'Open connections by state: of `requests` one a statement, of `lanes` shared by short reads; `@` names a standby.',
    labels: ['pool', 'state'],
  },
  plinth_pool_connections_max: {
    type: 'gauge',
    help: 'Connections that may be open, at most.',
    labels: ['pool'],
  },
  plinth_pool_waiting: {
    type: 'gauge',
    help: 'Statements and transactions that wait for a free connection.',
    labels: ['pool'],
  },
  plinth_connections_lost_total: {
    type: 'counter',
    help: 'Connections that the database or the network ended.',
    labels: ['pool'],
  },
  plinth_replica_in_use: {
    type: 'gauge',
    help: '1 while records are read from the standby, 0 while it is left out.',
    labels: ['replica'],
  },
  plinth_replica_lag_seconds: {
    type: 'gauge',
    help: 'How far the standby is behind, at most; there is none while that cannot be known.',
    labels: ['replica'],
  },
  plinth_reads_total: {
    type: 'counter',
    help: 'Reads of records, by the server that answered: `primary` or a standby. Only where there are standbys.',
    labels: ['server'],
  },
  plinth_replica_reads_moved_total: {
    type: 'counter',
    help: 'Reads that a standby could not answer, so that the primary did.',
    labels: ['replica'],
  },
  plinth_plan_cache_entries: {
    type: 'gauge',
    help: 'Compiled plans in memory.',
    labels: ['cache'],
  },
  plinth_plan_cache_hits_total: {
    type: 'counter',
    help: 'Requests whose plan was in memory.',
    labels: ['cache'],
  },
  plinth_plan_cache_misses_total: {
    type: 'counter',
    help: 'Requests that were parsed, planned and compiled anew.',
    labels: ['cache'],
  },
  plinth_plan_cache_evictions_total: {
    type: 'counter',
    help: 'Plans that made room for others.',
    labels: ['cache'],
  },
  plinth_catalog_info: {
    type: 'gauge',
    help: 'Always 1; `version` is that of the catalog in force.',
    labels: ['version'],
    together: 'max',
  },
  plinth_catalog_collections: {
    type: 'gauge',
    help: 'Collections in the catalog.',
    labels: [],
    together: 'max',
  },
  plinth_catalog_refreshes_total: {
    type: 'counter',
    help: 'New versions of the catalog, the first one included.',
    labels: [],
  },
  plinth_access_reloads_total: {
    type: 'counter',
    help: 'How often roles and policies were read, or compiled against a new catalog.',
    labels: [],
  },
  plinth_access_policies: {
    type: 'gauge',
    help: 'Policies; those that do not fit the schema and give nothing are `broken`.',
    labels: ['state'],
    together: 'max',
  },
  plinth_sign_in_events_total: {
    type: 'counter',
    help: 'What happened around sign-ins, by the kinds of the audit.',
    labels: ['event'],
  },
  plinth_job_duration_seconds: {
    type: 'histogram',
    help: 'Time that a run of a job took. After `failed` it is tried again, after `died` it is not.',
    labels: ['job', 'outcome'],
    buckets: JOBS,
  },
  plinth_jobs_rescued_total: {
    type: 'counter',
    help: 'Jobs that were taken again from a process that was gone.',
    labels: [],
  },
  plinth_trace_spans_exported_total: {
    type: 'counter',
    help: 'Spans that the OpenTelemetry collector took, and those that it did not.',
    labels: ['outcome'],
  },
  plinth_workers: {
    type: 'gauge',
    help: 'Worker processes that serve; absent where there is one process only.',
    labels: [],
  },
  plinth_worker_deaths_total: {
    type: 'counter',
    help: 'Worker processes that ended without having been asked to, and were replaced.',
    labels: [],
  },
  plinth_build_info: {
    type: 'gauge',
    help: 'Always 1; which Plinth this is.',
    labels: ['version'],
    together: 'max',
  },
  nodejs_version_info: {
    type: 'gauge',
    help: 'Always 1; which Node.js this is.',
    labels: ['version'],
    together: 'max',
  },
  nodejs_eventloop_lag_seconds: {
    type: 'gauge',
    help: 'Mean delay of the event loop since the last time that it was asked for.',
    labels: [],
    together: 'max',
  },
  nodejs_eventloop_lag_p50_seconds: {
    type: 'gauge',
    help: 'Median of the same.',
    labels: [],
    together: 'max',
  },
  nodejs_eventloop_lag_p99_seconds: {
    type: 'gauge',
    help: '99th percentile of the same.',
    labels: [],
    together: 'max',
  },
  nodejs_eventloop_lag_max_seconds: {
    type: 'gauge',
    help: 'Maximum of the same.',
    labels: [],
    together: 'max',
  },
  nodejs_eventloop_time_seconds_total: {
    type: 'counter',
    help: 'Time that the event loop was active and idle; its utilisation is the rate of the former.',
    labels: ['state'],
  },
  nodejs_gc_duration_seconds: {
    type: 'histogram',
    help: 'Pauses of the garbage collector, by kind.',
    labels: ['kind'],
    buckets: COLLECTIONS,
  },
  nodejs_heap_size_total_bytes: {
    type: 'gauge',
    help: 'Size of the JavaScript heap.',
    labels: [],
  },
  nodejs_heap_size_used_bytes: {
    type: 'gauge',
    help: 'Used part of the JavaScript heap.',
    labels: [],
  },
  nodejs_heap_size_limit_bytes: {
    type: 'gauge',
    help: 'Size that the JavaScript heap may have; reaching it ends the process.',
    labels: [],
  },
  nodejs_external_memory_bytes: {
    type: 'gauge',
    help: 'Memory outside the heap that JavaScript objects hold, buffers among it.',
    labels: [],
  },
  process_resident_memory_bytes: {
    type: 'gauge',
    help: 'Resident memory of the process.',
    labels: [],
  },
  process_cpu_user_seconds_total: {
    type: 'counter',
    help: 'CPU time of the process in user mode.',
    labels: [],
  },
  process_cpu_system_seconds_total: {
    type: 'counter',
    help: 'CPU time of the process in the kernel.',
    labels: [],
  },
  process_open_fds: {
    type: 'gauge',
    help: 'Open file descriptors; on Linux only.',
    labels: [],
  },
  process_start_time_seconds: {
    type: 'gauge',
    help: 'When the process started, in Unix time.',
    labels: [],
    together: 'min',
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;

/** The labels of a metric, each with its value. */
export type LabelsOf<Name extends MetricName> = Readonly<
  Record<(typeof METRICS)[Name]['labels'][number], string>
>;

/** Names of the metrics of one type. */
export type MetricOf<Type extends MetricDefinition['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];
