import { availableParallelism } from 'node:os';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { PlinthConfig } from '../config/index.js';
import { Problem } from '../errors/problem.js';
import { Admission, RefusalLog } from '../load/index.js';
import {
  Logger,
  MetricRegistry,
  noteStatement,
  noteWait,
  Observer,
  type ObservedRequest,
} from '../observability/index.js';
import { DATABASE_ENDPOINT, type DatabaseEndpoint } from './database-endpoint.js';
import { describeUnavailable, isDatabaseUnavailable } from './database-errors.js';
import { connectionOptions, silenceAfter } from './connection-options.js';
import { NotificationListener, type NotificationHandler } from './notification-listener.js';
import { cancelStatement } from './cancel-statement.js';
import { PoolClient } from './pool-client.js';
import { collectGroupMetrics, collectLaneMetrics, collectPoolMetrics } from './pool-metrics.js';
import type { LogPosition } from './log-position.js';
import { runCommit, runWrite, splitPosition, type LocatedRows } from './located-write.js';
import { isSpent, notePrepared } from './prepared-statements.js';
import type { LaneSettle } from './read-lane.js';
import { ReadLanes, type LaneCounts } from './read-lanes.js';
import { RowStreams } from './row-streams.js';
import { RunningStatements, type Caller } from './running-statements.js';
import { probeDatabase, SilenceWatch } from './silence-watch.js';
import { observeCost, StatementCosts, type StatementCost } from './statement-costs.js';
import { SYSTEM_DATA_SOURCE } from './system-data-source.js';
import { runStatement, type PreparedStatement, type TextRow } from './text-query.js';
import { runGroup, type GroupOutcome } from './write-group.js';
import { WriteGroups, type GroupSettle } from './write-groups.js';

/** Runs statements: the pool itself, or one connection inside a transaction. */
export interface StatementExecutor {
  /** @param caller who waits for the rows; where nobody does any more, the statement is cancelled */
  execute(statement: PreparedStatement, caller?: Caller): Promise<readonly TextRow[]>;
}

const SWEEP_MS = 50;
/** Of the time between two sweeps. */
const BUSY_LOOP = 0.5;

/** So many of the connections are lanes for short reads: more gain little, and one for each four leaves the most to others. */
const MAX_LANES = 3;
const CONNECTIONS_PER_LANE = 4;

/** Main lanes that outnumber the cores which this process leaves to the database would keep each other waiting. */
function countLanes(connections: number): LaneCounts {
  const cores = availableParallelism();
  const lanes = Math.min(MAX_LANES, Math.floor(connections / CONNECTIONS_PER_LANE), cores);
  const main = Math.min(lanes, Math.max(1, cores - 1));
  return { main, spare: lanes - main };
}

const BEGIN: PreparedStatement = { text: 'BEGIN', values: [] };
const COMMIT: PreparedStatement = { text: 'COMMIT', values: [] };
const ROLLBACK: PreparedStatement = { text: 'ROLLBACK', values: [] };

/** The records path's access to PostgreSQL: a pool, prepared statements, notifications. TypeORM has its own pool. */
@Injectable()
export class Database implements OnApplicationShutdown {
  readonly pool: pg.Pool;
  private readonly lanes: ReadLanes;
  private readonly running = new RunningStatements();
  private readonly costs = new StatementCosts();
  private readonly streams: RowStreams;
  private readonly groups: WriteGroups;
  private readonly silence: SilenceWatch;
  private readonly sweeper: NodeJS.Timeout;
  private loopBefore = performance.eventLoopUtilization();
  private isLoopBusy = false;
  /** Refuses what would wait too long for a connection of the pool. */
  readonly admission: Admission;
  private readonly listener: NotificationListener;

  constructor(
    @Inject(DATABASE_ENDPOINT) private readonly endpoint: DatabaseEndpoint,
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource | null,
    config: PlinthConfig,
    private readonly observer: Observer,
    registry: MetricRegistry,
    logger: Logger,
  ) {
    const connection = connectionOptions(endpoint.url, endpoint.sockets);
    const client = { ...connection, statement_timeout: config.statementTimeoutMs || undefined };
    this.lanes = new ReadLanes(client, countLanes(config.poolSize));
    const laneCount = this.lanes.count;
    this.pool = new pg.Pool({
      ...client,
      max: config.poolSize - laneCount,
      Client: PoolClient,
      // A request waits for its turn as long as its statement may take then.
      connectionTimeoutMillis: config.statementTimeoutMs && Math.max(config.statementTimeoutMs, 5000),
      idleTimeoutMillis: 30_000,
    });
    const refusals = new RefusalLog(logger);
    this.admission = new Admission(
      { slots: config.poolSize - laneCount, maxWaiting: config.queueLimit, maxWaitMs: config.queueWaitMs },
      (reason) => refusals.note(reason),
    );
    this.streams = new RowStreams({
      // At least half of the connections are left to everybody else.
      maxOpen: Math.max(1, Math.floor(config.poolSize / 2) - laneCount),
      timeoutMs: config.streamTimeoutMs,
      connect: (request) => this.connect(request),
      execute: (own, statement, request) => this.executeOn(own, statement, undefined, request),
      running: this.running,
      observer,
    });
    this.groups = new WriteGroups((statements) => this.executeTogether(statements));
    this.silence = new SilenceWatch(endpoint.sockets, observer, () => probeDatabase(connection));
    // For a server that went silent and cannot cancel anything any more.
    const silenceMs = silenceAfter(config.statementTimeoutMs) ?? null;
    this.sweeper = setInterval(() => this.sweep(silenceMs), SWEEP_MS).unref();
    // A connection in use that dies rejects its statement, or the next one; nobody else need hear of it.
    this.pool.on('connect', (client) => client.on('error', () => {}));
    // An idle connection that dies is replaced by the pool; without a handler it would end the process.
    const pool = endpoint.replica === undefined ? 'requests' : 'replicas';
    this.pool.on('error', (error) =>
      observer.observe({ kind: 'database.connection-lost', pool, reason: error.message }),
    );
    this.listener = new NotificationListener(connection, observer);
    collectPoolMetrics(registry, this.pool, endpoint.replica);
    collectLaneMetrics(registry, this.lanes, endpoint.replica);
    if (endpoint.replica === undefined) collectGroupMetrics(registry, this.groups);
  }

  get isEmbedded(): boolean {
    return this.endpoint.isEmbedded;
  }

  /**
   * Runs one statement: a short read in a lane, one of many quick writes in a group, anything else on a free connection.
   * @throws Problem `overloaded` when too much waits for a connection, `database-unavailable` when there is no way to the
   * database; otherwise the driver's error
   */
  execute(statement: PreparedStatement, caller?: Caller): Promise<readonly TextRow[]> {
    const { name, isRepeatable, isGroupable } = statement;
    if (name === undefined) return this.executeAlone(statement, caller);
    if (isRepeatable === true) return this.executeRead(statement, this.costs.of(name), caller);
    if (isGroupable === true) return this.executeWrite(statement, this.costs.of(name), caller);
    return this.executeAlone(statement, caller);
  }

  private executeRead(
    statement: PreparedStatement,
    cost: StatementCost,
    caller: Caller | undefined,
  ): Promise<readonly TextRow[]> {
    const request = caller?.observed ?? null;
    const offeredAtMs = performance.now();
    return new Promise((resolve, reject) => {
      const executeMeasured = (): void => {
        this.executeAlone(statement, caller, cost).then(resolve, reject);
      };
      const settle: LaneSettle = (error, rows, startedAtMs, endedAtMs) => {
        noteWait(this.observer, request, offeredAtMs, startedAtMs);
        noteStatement(this.observer, request, statement, error, startedAtMs, endedAtMs);
        if (error === null) resolve(rows);
        else reject(error);
      };
      const entry = { statement, caller, cost, settle, move: executeMeasured };
      if (!this.lanes.offer(entry, this.isBusy)) executeMeasured();
    });
  }

  private executeWrite(
    statement: PreparedStatement,
    cost: StatementCost,
    caller: Caller | undefined,
  ): Promise<readonly TextRow[]> {
    if (!this.isBusy) return this.executeAlone(statement, caller, cost);
    const request = caller?.observed ?? null;
    const offeredAtMs = performance.now();
    return new Promise((resolve, reject) => {
      const runAlone = (): void => {
        this.executeAlone(statement, caller, cost).then(resolve, reject);
      };
      const settle: GroupSettle = (error, rows, startedAtMs) => {
        noteWait(this.observer, request, offeredAtMs, startedAtMs);
        noteStatement(this.observer, request, statement, error, startedAtMs);
        if (error === null) resolve(rows);
        else reject(toProblem(error));
      };
      if (!this.groups.offer({ statement, caller, cost, settle, runAlone })) runAlone();
    });
  }

  /** Whether a statement gains nothing by a connection of its own: it had to wait for one, or this process is the bottleneck. */
  private get isBusy(): boolean {
    return this.isLoopBusy || (this.pool.idleCount === 0 && this.pool.totalCount >= this.pool.options.max);
  }

  private async executeAlone(
    statement: PreparedStatement,
    caller: Caller | undefined,
    cost?: StatementCost,
  ): Promise<readonly TextRow[]> {
    const client = await this.connect(caller?.observed);
    let failure: unknown;
    try {
      if (caller?.isGone === true) throw new Problem('request-timeout', { detail: 'The client is gone.' });
      const startedAtMs = performance.now();
      const rows = await this.executeOn(client, statement, caller, caller?.observed);
      if (cost !== undefined) {
        const nowMs = performance.now();
        observeCost(cost, nowMs - startedAtMs, nowMs);
      }
      return rows;
    } catch (error) {
      failure = error;
      throw toProblem(error);
    } finally {
      client.release(isSpent(client, failure));
    }
  }

  private async executeTogether(
    statements: readonly [PreparedStatement, ...PreparedStatement[]],
  ): Promise<GroupOutcome> {
    const client = await this.connect();
    const { name } = statements[0];
    if (name !== undefined) notePrepared(client, name);
    const running = this.running.begin(client, undefined);
    const outcome = await runGroup(client, statements);
    await this.running.end(running);
    client.release(isSpent(client, outcome.error ?? undefined));
    return outcome;
  }

  /**
   * Gives a statement's rows in batches as they come, at the speed of whoever takes them.
   * @throws Problem `database-unavailable`, `overloaded`; otherwise the driver's error
   */
  async *stream(
    statement: PreparedStatement,
    caller?: Caller,
  ): AsyncGenerator<readonly TextRow[], void, undefined> {
    try {
      yield* this.streams.read(statement, caller);
    } catch (error) {
      throw toProblem(error);
    }
  }

  /**
   * A connection of one's own; release it. `request` is who needs it.
   * @throws Problem `overloaded`, `database-unavailable`
   */
  async connect(request: ObservedRequest | null = null): Promise<pg.PoolClient> {
    this.admission.enter();
    const startedAtMs = performance.now();
    try {
      const client = await this.pool.connect();
      const release = client.release.bind(client);
      // The pool gives a release of its own with each connection that it hands out.
      client.release = (error) => {
        release(error);
        this.admission.leave();
      };
      return client;
    } catch (error) {
      this.admission.leave();
      throw toProblem(error);
    } finally {
      noteWait(this.observer, request, startedAtMs);
    }
  }

  /**
   * Runs `work` in one transaction: committed when it resolves, rolled back when it throws. `work` must use only the
   * executor that it is given; asking the pool for a second connection meanwhile could wait for ever.
   *
   * @param locate gets where the write-ahead log was after the commit
   */
  async transaction<T>(
    work: (executor: StatementExecutor, client: pg.PoolClient) => Promise<T>,
    request: ObservedRequest | null = null,
    locate: ((position: LogPosition) => void) | null = null,
  ): Promise<T> {
    const client = await this.connect(request);
    let failure: unknown;
    try {
      await this.executeOn(client, BEGIN, undefined, request);
      const result = await work(this.executorOn(client, request), client);
      if (locate === null) await this.executeOn(client, COMMIT, undefined, request);
      else
        locate(splitPosition(await this.executeOn(client, COMMIT, undefined, request, runCommit)).position);
      return result;
    } catch (error) {
      failure = await this.rollBack(client, error, request);
      throw toProblem(error);
    } finally {
      client.release(isSpent(client, failure));
    }
  }

  /**
   * Runs one write in a transaction of its own, and tells where the write-ahead log was after its commit: all in the
   * round trip that the write takes anyway.
   * @throws Problem as `execute`
   */
  async executeAndLocate(statement: PreparedStatement, caller?: Caller): Promise<LocatedRows> {
    const client = await this.connect(caller?.observed);
    let failure: unknown;
    try {
      const rows = await this.executeOn(client, statement, caller, caller?.observed, runWrite);
      return splitPosition(rows);
    } catch (error) {
      failure = await this.rollBack(client, error, caller?.observed);
      throw toProblem(error);
    } finally {
      client.release(isSpent(client, failure));
    }
  }

  /** Runs `work` in a transaction that is always rolled back: for finding out, never for changing. */
  async rehearse<T>(work: (executor: StatementExecutor, client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.connect();
    let failure: unknown;
    try {
      await this.executeOn(client, BEGIN, undefined);
      return await work(this.executorOn(client, null), client);
    } catch (error) {
      failure = error;
      throw toProblem(error);
    } finally {
      client.release(isSpent(client, await this.rollBack(client, failure)));
    }
  }

  /**
   * Calls `handler` with the payload of each notification on a channel, and with null after a reconnect, because
   * notifications may have been missed meanwhile. Resolves when listening; gives a function that stops it.
   */
  listen(channel: string, handler: NotificationHandler): Promise<() => void> {
    return this.listener.listen(channel, handler);
  }

  private executorOn(client: pg.ClientBase, request: ObservedRequest | null): StatementExecutor {
    return { execute: (statement, caller) => this.executeOn(client, statement, caller, request) };
  }

  private async executeOn(
    client: pg.ClientBase,
    statement: PreparedStatement,
    caller: Caller | undefined,
    request: ObservedRequest | null = null,
    run = runStatement,
  ): Promise<readonly TextRow[]> {
    if (statement.name !== undefined) notePrepared(client, statement.name);
    const running = this.running.begin(client, caller);
    let failure: unknown = null;
    try {
      return await run(client, statement);
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      noteStatement(this.observer, request, statement, failure, running.value.startedAtMs);
      const cancelled = this.running.end(running);
      if (cancelled !== null) await cancelled;
    }
  }

  /** Gives what may keep the connection from being used again: the database's error, or that there was no way back. */
  private async rollBack(
    client: pg.PoolClient,
    failure: unknown,
    request: ObservedRequest | null = null,
  ): Promise<unknown> {
    try {
      await this.executeOn(client, ROLLBACK, undefined, request);
    } catch (error) {
      return error;
    }
    const cause =
      failure instanceof Error && failure.cause instanceof pg.DatabaseError ? failure.cause : failure;
    // After a rollback that worked, a failure of other code is none of the connection's.
    return cause instanceof pg.DatabaseError ? cause : undefined;
  }

  private sweep(silenceMs: number | null): void {
    const nowMs = performance.now();
    const loop = performance.eventLoopUtilization();
    this.isLoopBusy = performance.eventLoopUtilization(loop, this.loopBefore).utilization > BUSY_LOOP;
    this.loopBefore = loop;
    this.silence.look(nowMs, this.running.size > 0 || this.pool.waitingCount > 0);
    this.running.sweep(nowMs, silenceMs);
    this.lanes.sweep(nowMs, silenceMs, (client) => void cancelStatement(client));
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    this.endpoint.sockets.destroySoon();
    await this.listener.close();
    clearInterval(this.sweeper);
    await this.lanes.close();
    await this.pool.end();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close();
    // Closed here and not by TypeORM's own hook, so that the embedded server stops after its last client.
    if (this.dataSource?.isInitialized) await this.dataSource.destroy();
    await this.endpoint.stop();
    this.observer.observe({ kind: 'database.closed' });
  }
}

function toProblem(error: unknown): unknown {
  return isDatabaseUnavailable(error)
    ? new Problem('database-unavailable', {
        detail: describeUnavailable(error),
        headers: { 'retry-after': '1' },
        cause: error,
      })
    : error;
}
