import type { ProblemType } from '../errors/problem.js';
import type { ObservedRequest } from './observed-request.js';
import type { StatementText } from './observe-statement.js';

/**
 * Everything worth observing, named once. Whoever learns a fact says it to the `Observer`; logs, metrics and traces are
 * sinks that make of it what they want. Names are `area.what-happened`, stable for ever, and stand in the log lines.
 */
interface Facts {
  /** The HTTP server answers at these addresses. */
  'server.listening': { readonly api: string; readonly docs: string; readonly openapi: string };
  'server.stopping': { readonly signal: string };
  'server.stopped': object;
  'server.stop-timed-out': { readonly timeoutMs: number };
  'server.stop-failed': { readonly error: unknown };

  /** A worker process ended without having been asked to; another one takes its place after so long. */
  'worker.died': {
    readonly worker: number;
    readonly pid: number;
    readonly code: number | null;
    readonly signal: string | null;
    readonly delayMs: number;
  };
  'worker.replaced': { readonly worker: number; readonly pid: number };
  /** One could not start so many times in a row; the server stops. */
  'worker.given-up': { readonly worker: number; readonly attempts: number; readonly reason: string };

  'request.started': { readonly request: ObservedRequest };
  /** The answer is out, or the client is gone. */
  'request.finished': { readonly request: ObservedRequest };
  /** Answered with an internal error: a bug, or something that nobody thought of. */
  'request.failed': {
    readonly request: ObservedRequest;
    readonly problem: ProblemType;
    readonly error: unknown;
  };
  /** Answered with another 5xx: the database is away, a statement took too long, ... */
  'request.unserved': {
    readonly request: ObservedRequest;
    readonly problem: ProblemType;
    readonly error: unknown;
  };
  /** Refused before it was a request: no HTTP, or too much of it. */
  'request.unreadable': { readonly problem: ProblemType };
  'request.retried': { readonly request: ObservedRequest; readonly reason: RetryReason };
  /** A write with an Idempotency-Key was answered with what its first request was answered. */
  'request.replayed': { readonly request: ObservedRequest };

  /** A statement or a transaction had its turn on a connection after so long, or could not have it. */
  'connection.awaited': Timed & { readonly request: ObservedRequest | null };
  /** `error` is null where it succeeded. */
  'statement.finished': Timed & {
    readonly request: ObservedRequest | null;
    readonly statement: StatementText;
    readonly error: unknown;
  };

  'database.embedded-started': { readonly port: number; readonly dataDir: string };
  'database.embedded-noticed': { readonly notice: string; readonly data: object };
  'database.embedded-ended': {
    readonly code: number | null;
    readonly signal: string | null;
    readonly logPath: string;
    readonly delayMs: number;
  };
  'database.embedded-restarted': { readonly port: number };
  'database.embedded-restart-failed': { readonly reason: string; readonly delayMs: number };
  'database.awaited': { readonly attempt: number; readonly reason: string };
  'database.connection-lost': { readonly pool: PoolName; readonly reason: string };
  /** Nothing came from it any more: connections are broken off, and new ones not tried. */
  'database.silent': { readonly reason: string };
  'database.heard': object;
  /** All processes together may open more connections than the database takes. */
  'database.connections-short': { readonly needed: number; readonly available: number };
  'database.closed': object;
  /** From now on, records are read from this standby. */
  'replica.joined': { readonly replica: string; readonly lagMs: number };
  /** From now on, they are not. */
  'replica.left-out': { readonly replica: string; readonly reason: ReplicaFault; readonly detail: string };

  'catalog.read': { readonly version: string; readonly collections: ReadonlySet<string> };
  'catalog.followed': { readonly by: 'event triggers' | 'polling' };
  'catalog.unreadable': { readonly error: unknown };
  'catalog.readable': object;
  'catalog.listener-failed': { readonly error: unknown };

  /** Roles and policies were read, or compiled against a new catalog. */
  'access.loaded': { readonly version: string; readonly policies: number; readonly broken: number };
  'access.policy-broken': {
    readonly policy: string;
    readonly role: string;
    readonly collection: string;
    readonly action: string;
    readonly reason: string;
  };
  'access.unreadable': { readonly error: unknown };
  'access.readable': object;
  'access.key-use-unnoted': { readonly reason: string };

  /** One of the audit's events. */
  'auth.happened': {
    readonly what: string;
    readonly user: string | null;
    readonly session: string | null;
  };
  /** There is no administrator: with this link, the first one is made, once. */
  'auth.set-up-awaited': { readonly link: string; readonly hours: number };
  'auth.signing-key-made': { readonly key: string };
  'auth.signing-keys-unreadable': { readonly reason: string };
  /** What encrypts the keys cannot be kept, so each start makes new ones. */
  'auth.secret-unkept': { readonly file: string; readonly reason: string };
  'auth.session-use-unnoted': { readonly reason: string };
  /** The secret of an authenticator app was encrypted with another secret than that of this server. */
  'auth.totp-unreadable': { readonly user: string };
  'auth.sweep-failed': { readonly reason: string };
  /** A provider did not say who somebody is. That a user does not want to is none of these. */
  'auth.provider-failed': {
    readonly provider: string;
    readonly failure: 'unavailable' | 'refused';
    readonly reason: string;
  };
  /** Roles that groups of a provider would give are not there. */
  'auth.mapped-role-missing': { readonly provider: string; readonly role: string };
  /** Whether changes of sessions and users can be heard of. */
  'auth.unreadable': { readonly error: unknown };
  'auth.readable': object;

  'job.done': JobRun;
  /** It is tried again. */
  'job.failed': JobRun & { readonly reason: string };
  /** It has failed too often, or in a way that another attempt would not change, and is kept. */
  'job.died': JobRun & { readonly reason: string };
  /** Jobs that a process had taken that is gone can be taken again. */
  'jobs.rescued': { readonly jobs: number };
  /** Jobs are not worked here until the runner has started anew. */
  'jobs.interrupted': { readonly reason: string };

  /** There is no mail server, so a mail was written to a file. */
  'mail.filed': { readonly file: string };

  'idempotency.sweep-failed': { readonly reason: string };

  'tracing.started': { readonly endpoint: string; readonly protocol: string; readonly sampler: string };
  /** Told once, until it works again. */
  'tracing.export-failed': { readonly spans: number; readonly reason: string };
  'tracing.export-recovered': object;
  'tracing.exported': { readonly spans: number; readonly outcome: 'exported' | 'failed' };
}

/** Milliseconds of `performance.now()`. */
interface Timed {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

interface JobRun extends Timed {
  /** The definition's name. */
  readonly job: string;
  readonly id: string;
  readonly attempt: number;
}

/** Why a request was run again: the schema had changed, or another transaction was in the way. */
export type RetryReason = 'schema' | 'serialization' | 'deadlock' | 'conflict';

/** Why a standby is not read from: it is away, behind, a primary itself, of another database, on another timeline. */
export type ReplicaFault = 'unreachable' | 'lagging' | 'promoted' | 'foreign' | 'diverged';

/** Connections are kept by purpose: for requests, to listen on, to read the catalog, for requests on standbys, for jobs. */
export type PoolName = 'requests' | 'notifications' | 'catalog' | 'replicas' | 'jobs';

export type ObservationKind = keyof Facts;

export type ObservationOf<Kind extends ObservationKind> = { readonly kind: Kind } & Facts[Kind];

/** The closed union of all of them. */
export type Observation = { readonly [Kind in ObservationKind]: ObservationOf<Kind> }[ObservationKind];
