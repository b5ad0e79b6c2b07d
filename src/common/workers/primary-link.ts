import type { Socket } from 'node:net';
import type { MetricFamily } from '../observability/metrics/metric-family.js';
import type { RateVerdict } from '../rate-limit/rate-meter.js';
import type { Assignment, Failure, Take, ToPrimary, ToWorker } from './messages.js';
import { Questions } from './questions.js';

/** What a worker does when the primary process asks it to. */
export interface WorkerDuties {
  serve(assignment: Assignment): void;
  /** Takes a connection over. */
  accept(connection: Socket): void;
  /** The port is open at this address, which those who serve may have something to say about. */
  announce(url: string): void;
  /** Finishes what is under way, and ends. */
  stop(): void;
}

/** The end of the channel to the primary process, in a worker. Also the injection token; a process of its own has none. */
export class PrimaryLink {
  private readonly verdicts = new Questions<readonly RateVerdict[]>();
  private readonly metrics = new Questions<readonly MetricFamily[]>();
  private takes: Take[] = [];
  private flushing: Promise<readonly RateVerdict[]> | null = null;
  private closedCount = 0;
  private measure: () => readonly MetricFamily[] = () => [];

  /** @param channel this process, which was forked */
  constructor(private readonly channel: NodeJS.Process) {}

  /** Begins to do what the primary process asks for. */
  open(duties: WorkerDuties): void {
    this.channel.on('message', (message: ToWorker, connection: unknown) =>
      this.receive(message, connection as Socket | undefined, duties),
    );
  }

  ready(): void {
    this.send({ kind: 'ready' });
  }

  /** Resolves when it is said. */
  fail(failure: Failure): Promise<void> {
    return new Promise((resolve) => this.send({ kind: 'failed', failure }, resolve));
  }

  /** Says how this process is measured when the primary process asks for that. */
  measureWith(measure: () => readonly MetricFamily[]): void {
    this.measure = measure;
  }

  /** The metrics of all workers together. */
  gatherMetrics(): Promise<readonly MetricFamily[]> {
    return this.metrics.ask((id) => this.send({ kind: 'gather', id }));
  }

  /** Counts requests where all workers count theirs. What is asked for in one turn of the event loop travels together. */
  async take(take: Take): Promise<RateVerdict> {
    const index = this.takes.push(take) - 1;
    this.flushing ??= new Promise((resolve) => {
      setImmediate(() => resolve(this.flushTakes()));
    });
    const verdict = (await this.flushing)[index];
    if (verdict === undefined) throw new Error('The primary process did not count a request.');
    return verdict;
  }

  private flushTakes(): Promise<readonly RateVerdict[]> {
    const { takes } = this;
    this.takes = [];
    this.flushing = null;
    return this.verdicts.ask((id) => this.send({ kind: 'take', id, takes }));
  }

  private receive(message: ToWorker, connection: Socket | undefined, duties: WorkerDuties): void {
    switch (message.kind) {
      case 'serve':
        return duties.serve(message.assignment);
      case 'connection':
        this.send({ kind: 'taken', id: message.id });
        return this.accept(connection, duties);
      case 'verdicts':
        return this.verdicts.answer(message.id, message.verdicts);
      case 'measure':
        return this.send({ kind: 'measured', id: message.id, families: this.measure() });
      case 'metrics':
        return this.metrics.answer(message.id, message.families);
      case 'listening':
        return duties.announce(message.url);
      case 'stop':
        return duties.stop();
    }
  }

  /** A client that left on the way leaves nothing to accept. */
  private accept(connection: Socket | undefined, duties: WorkerDuties): void {
    if (connection === undefined) return this.noteClosed();
    connection.once('close', () => this.noteClosed());
    duties.accept(connection);
  }

  private noteClosed(): void {
    this.closedCount += 1;
    if (this.closedCount > 1) return;
    setImmediate(() => {
      this.send({ kind: 'closed', count: this.closedCount });
      this.closedCount = 0;
    });
  }

  /** What a primary process that is gone would have had to hear is nobody's concern. */
  private send(message: ToPrimary, onSent = (): void => {}): void {
    if (this.channel.connected) this.channel.send?.(message, undefined, undefined, onSent);
    else onSent();
  }
}
