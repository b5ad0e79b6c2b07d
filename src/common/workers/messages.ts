import type { MetricFamily } from '../observability/metrics/metric-family.js';
import type { LimitName } from '../rate-limit/rates.js';
import type { RateVerdict } from '../rate-limit/rate-meter.js';

/** What a worker needs to serve, besides what stands in its environment. */
export interface Assignment {
  /** Which of the workers it is, from 1; one that takes the place of another has the same number. */
  readonly worker: number;
  /** With the password, which is therefore nobody's to see in a command line. */
  readonly databaseUrl: string;
  readonly databaseWaitMs: number;
  /** Of this worker alone. */
  readonly maxConnections: number;
}

/** Requests of one key to be counted. */
export interface Take {
  readonly limit: LimitName;
  readonly key: string;
  readonly cost: number;
}

/** What an error is known by on the other side of a channel. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
}

/** What the primary process says to a worker. */
export type ToWorker =
  | { readonly kind: 'serve'; readonly assignment: Assignment }
  /** Comes with the connection itself. */
  | { readonly kind: 'connection'; readonly id: number }
  | { readonly kind: 'verdicts'; readonly id: number; readonly verdicts: readonly RateVerdict[] }
  | { readonly kind: 'measure'; readonly id: number }
  | { readonly kind: 'metrics'; readonly id: number; readonly families: readonly MetricFamily[] }
  /** The port is open; said to one of them. */
  | { readonly kind: 'listening'; readonly url: string }
  | { readonly kind: 'stop' };

/** What a worker says to the primary process. */
export type ToPrimary =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'taken'; readonly id: number }
  /** So many connections are closed. */
  | { readonly kind: 'closed'; readonly count: number }
  | { readonly kind: 'take'; readonly id: number; readonly takes: readonly Take[] }
  | { readonly kind: 'measured'; readonly id: number; readonly families: readonly MetricFamily[] }
  /** Asks for the metrics of all workers together. */
  | { readonly kind: 'gather'; readonly id: number };
