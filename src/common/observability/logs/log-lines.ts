import { describeError } from '../describe-error.js';
import type { ObservationKind, ObservationOf } from '../observation.js';

export interface LogLine<Kind extends ObservationKind = ObservationKind> {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  /** What stands beside the message; default: every member of the observation. */
  readonly data?: (observation: ObservationOf<Kind>) => object;
}

type LogLines = { readonly [Kind in ObservationKind]?: LogLine<Kind> };

const withError = ({ error }: { readonly error: unknown }): object => ({ error: describeError(error) });

type Failure = ObservationOf<'request.failed' | 'request.unserved'>;

const ofFailure = ({ request, problem, error }: Failure): object => ({
  method: request.incoming.method,
  problem,
  error: describeError(error),
});

/** A lost database fails every request alike, and where in our code each of them noticed says nothing. */
const ofUnserved = ({ request, problem, error }: Failure): object => {
  const { stack: _stack, ...facts } = describeError(error);
  return { method: request.incoming.method, problem, error: facts };
};

type JobRun = ObservationOf<'job.done' | 'job.failed' | 'job.died'>;

const ofJob = ({ kind: _kind, startedAtMs, endedAtMs, ...facts }: JobRun): object => ({
  ...facts,
  durationMs: Math.round(endedAtMs - startedAtMs),
});

/** The log line of each observation that has one. Lines of requests as such are the request log's. */
export const LOG_LINES: LogLines = {
  'server.listening': { level: 'info', message: 'Plinth is listening' },
  'server.stopping': { level: 'info', message: 'Stopping' },
  'server.stopped': { level: 'info', message: 'Stopped' },
  'server.stop-timed-out': { level: 'error', message: 'Requests did not finish in time; stopping anyway' },
  'server.stop-failed': { level: 'error', message: 'Stopping failed', data: withError },
  'worker.died': { level: 'error', message: 'A worker ended unexpectedly; another one takes its place' },
  'worker.replaced': { level: 'info', message: 'A worker took the place of one that had ended' },
  'worker.given-up': {
    level: 'error',
    message: 'A worker could not be started, however often it was tried; the server stops',
  },
  'request.failed': { level: 'error', message: 'A request failed', data: ofFailure },
  'request.unserved': { level: 'warn', message: 'A request could not be served', data: ofUnserved },
  'request.unreadable': { level: 'debug', message: 'What arrived was no request' },
  'request.retried': {
    level: 'debug',
    message: 'A request is run again',
    data: ({ reason }) => ({ reason }),
  },
  'request.replayed': {
    level: 'debug',
    message: 'A write was answered from its first time',
    data: () => ({}),
  },
  'database.embedded-started': { level: 'info', message: 'Embedded PostgreSQL is running' },
  'database.embedded-noticed': {
    level: 'warn',
    message: 'Embedded PostgreSQL has something to tell',
    data: ({ notice, data }) => ({ notice, ...data }),
  },
  'database.embedded-ended': {
    level: 'error',
    message: 'The embedded PostgreSQL ended unexpectedly; it is started again after a delay',
  },
  'database.embedded-restarted': { level: 'info', message: 'The embedded PostgreSQL is running again' },
  'database.embedded-restart-failed': {
    level: 'error',
    message: 'The embedded PostgreSQL could not be started again; it is tried once more after a delay',
  },
  'database.awaited': { level: 'warn', message: 'The database cannot be reached yet, trying again' },
  'database.connection-lost': { level: 'warn', message: 'A database connection was lost' },
  'database.silent': {
    level: 'warn',
    message: 'The database does not answer; requests are refused until it does',
  },
  'database.heard': { level: 'info', message: 'The database answers again' },
  'database.connections-short': {
    level: 'warn',
    message: 'PLINTH_WORKERS times PLINTH_POOL_SIZE may need more connections than the database takes',
  },
  'database.closed': { level: 'debug', message: 'Database connections are closed' },
  'replica.joined': { level: 'info', message: 'Records are read from a standby' },
  'replica.left-out': { level: 'warn', message: 'A standby is left out' },
  'catalog.read': {
    level: 'info',
    message: 'The catalog was read',
    data: ({ version, collections }) => ({ version, collections: collections.size }),
  },
  'catalog.followed': { level: 'info', message: 'Schema changes are followed' },
  'catalog.unreadable': { level: 'warn', message: 'The catalog cannot be read', data: withError },
  'catalog.readable': { level: 'info', message: 'The catalog can be read again' },
  'catalog.listener-failed': {
    level: 'error',
    message: 'A listener to catalog changes failed',
    data: withError,
  },
  'access.loaded': { level: 'debug', message: 'Access rules were read' },
  'access.policy-broken': { level: 'warn', message: 'A policy does not fit the schema and gives nothing' },
  'access.unreadable': { level: 'warn', message: 'Access rules cannot be read', data: withError },
  'access.readable': { level: 'info', message: 'Access rules can be read again' },
  'access.key-use-unnoted': { level: 'debug', message: "A key's last use was not noted" },
  'auth.happened': { level: 'info', message: 'Something happened around a sign-in' },
  'auth.set-up-awaited': {
    level: 'warn',
    message: 'There is no administrator yet; open the link to make the first one',
  },
  'auth.signing-key-made': { level: 'info', message: 'A key for access tokens was made' },
  'auth.signing-keys-unreadable': { level: 'warn', message: 'The keys for access tokens cannot be read' },
  'auth.secret-unkept': {
    level: 'warn',
    message:
      'The secret that encrypts keys cannot be kept; set PLINTH_SECRET or a PLINTH_DATA_DIR to write to',
  },
  'auth.totp-unreadable': {
    level: 'error',
    message: 'The secret of an authenticator app does not open: was it made with another PLINTH_SECRET?',
  },
  'auth.session-use-unnoted': { level: 'debug', message: "A session's last use was not noted" },
  'auth.sweep-failed': { level: 'warn', message: 'What is over could not be removed' },
  'auth.provider-failed': { level: 'warn', message: 'An identity provider did not say who somebody is' },
  'auth.mapped-role-missing': {
    level: 'warn',
    message: 'There is no such role as the groups of a provider should give',
  },
  'auth.unreadable': { level: 'warn', message: 'Changes of sessions cannot be read', data: withError },
  'auth.readable': { level: 'info', message: 'Changes of sessions can be read again' },
  'job.done': { level: 'debug', message: 'A job is done', data: ofJob },
  'job.failed': { level: 'warn', message: 'A job failed; it is tried again', data: ofJob },
  'job.died': { level: 'error', message: 'A job failed for the last time', data: ofJob },
  'jobs.rescued': { level: 'warn', message: 'Jobs of a process that is gone can be taken again' },
  'jobs.interrupted': { level: 'warn', message: 'Jobs are not worked for a moment' },
  'mail.filed': { level: 'info', message: 'A mail was written to a file, for there is no PLINTH_SMTP_URL' },
  'idempotency.sweep-failed': { level: 'warn', message: 'Old idempotent answers could not be removed' },
  'tracing.started': { level: 'info', message: 'Traces are exported' },
  'tracing.export-failed': { level: 'warn', message: 'Traces could not be exported' },
  'tracing.export-recovered': { level: 'info', message: 'Traces are exported again' },
};
