import { fork, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { MetricFamily } from '../common/observability/metrics/metric-family.js';
import {
  Questions,
  type Assignment,
  type Failure,
  type ToPrimary,
  type ToWorker,
} from '../common/workers/index.js';

const ENTRY = fileURLToPath(new URL('worker.js', import.meta.url));

/** How a worker ended. */
export interface WorkerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One worker, seen from the primary process. */
export class WorkerProcess {
  /** Connections that it was given and has not closed. */
  connections = 0;
  readonly pid: number;
  /** True when it serves, false when it has ended before it did. */
  readonly started: Promise<boolean>;
  readonly exited: Promise<WorkerExit>;
  private readonly child: ChildProcess;
  private readonly reports = new Questions<readonly MetricFamily[] | null>();
  private noteStarted: (hasStarted: boolean) => void = () => {};
  private servingSinceMs: number | null = null;
  private lifeMs = 0;
  private toldFailure: Failure | null = null;
  private hasExited = false;

  /** @param receive hears what the worker says of its own accord */
  constructor(
    readonly assignment: Assignment,
    receive: (message: ToPrimary, worker: WorkerProcess) => void,
  ) {
    this.child = fork(ENTRY, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: process.sourceMapsEnabled ? [...process.execArgv, '--enable-source-maps'] : process.execArgv,
    });
    this.pid = this.child.pid ?? 0;
    this.started = new Promise((resolve) => (this.noteStarted = resolve));
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.noteExit();
        resolve({ code, signal });
      };
      // After everything that it has said was heard, which its exit alone does not mean.
      this.child.once('close', end);
      // One of a channel whose other end is dead is told by its exit as well.
      this.child.on('error', () => this.child.pid === undefined && end(null, null));
    });
    this.child.on('message', (message: ToPrimary) => this.receive(message, receive));
    this.send({ kind: 'serve', assignment });
  }

  get isServing(): boolean {
    return this.servingSinceMs !== null && !this.hasExited;
  }

  /** For how long it served, once it has exited. */
  get servedMs(): number {
    return this.lifeMs;
  }

  /** What it said that kept it from starting. */
  get failure(): Failure | null {
    return this.toldFailure;
  }

  /** Hands a connection over, which stays open here. */
  give(id: number, connection: Socket): void {
    this.connections += 1;
    const message: ToWorker = { kind: 'connection', id };
    if (this.child.connected) this.child.send(message, connection, { keepOpen: true }, () => {});
  }

  /** What the worker measures of itself; null where it does not answer in time. */
  measure(timeoutMs: number): Promise<readonly MetricFamily[] | null> {
    return this.reports.ask((id) => {
      this.send({ kind: 'measure', id });
      setTimeout(() => this.reports.answer(id, null), timeoutMs).unref();
    });
  }

  send(message: ToWorker): void {
    if (this.child.connected) this.child.send(message, () => {});
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  private receive(message: ToPrimary, tell: (message: ToPrimary, worker: WorkerProcess) => void): void {
    switch (message.kind) {
      case 'ready':
        this.servingSinceMs = performance.now();
        return this.noteStarted(true);
      case 'failed':
        this.toldFailure = message.failure;
        return;
      case 'measured':
        return this.reports.answer(message.id, message.families);
      case 'closed':
        this.connections -= message.count;
        return;
      default:
        tell(message, this);
    }
  }

  private noteExit(): void {
    if (this.servingSinceMs !== null) this.lifeMs = performance.now() - this.servingSinceMs;
    this.hasExited = true;
    this.noteStarted(false);
  }
}

/** How it ended, in words that go on after a comma. */
export const describeExit = ({ code, signal }: WorkerExit): string =>
  signal === null ? `at last with code ${code}` : `at last by ${signal}`;
