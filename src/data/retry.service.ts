import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { locateFailureInTransaction, QueryError, WriteError } from '@plinth/query';
import { CatalogService } from '../catalog/index.js';
import type { RequestContext } from '../common/context/index.js';
import { Database } from '../common/database/index.js';
import {
  Observer,
  type ObservedRequest,
  type RetryReason,
  type StatementWork,
} from '../common/observability/index.js';
import { DatabaseFailure } from './database-failure.js';
import { queryProblem, writeProblem } from './query-problem.js';

/** Deadlocks and races for a new row end with the second attempt, nearly always. */
const MAX_ATTEMPTS = { statement: 4, transaction: 4, race: 2 };
const JITTER_MS = 20;
/** A migration changes a schema many times in a row. */
const MAX_REFRESHES = 12;
/**
 * So often in a row a schema may be found as it was: it may have changed back meanwhile, or one connection's plan is
 * what is old. After that the mistake is in the schema, such as a trigger for a table that is gone.
 */
const MAX_UNCHANGED = 3;

/** Runs a request; tries again where that helps, and says in problems what is left. */
@Injectable()
export class RetryService {
  constructor(
    private readonly catalog: CatalogService,
    private readonly database: Database,
    private readonly observer: Observer,
  ) {}

  /** `attempt` plans anew each time it is called, and has changed nothing when it fails. */
  run<T>(context: RequestContext, work: StatementWork, attempt: () => Promise<T>): Promise<T> {
    const { observed } = context;
    observed.work = work;
    const { version } = this.catalog.current();
    return tryOnce(attempt).catch((error: unknown) => this.recover(observed, attempt, error, version));
  }

  private async recover<T>(
    observed: ObservedRequest,
    attempt: () => Promise<T>,
    failure: unknown,
    version: string,
  ): Promise<T> {
    try {
      return await this.attemptAgain(observed, attempt, failure, version);
    } catch (error) {
      if (error instanceof QueryError) throw queryProblem(error);
      if (error instanceof WriteError) throw writeProblem(error);
      if (error instanceof DatabaseFailure) throw (await this.locate(error)).toProblem();
      throw error;
    }
  }

  private async attemptAgain<T>(
    observed: ObservedRequest,
    attempt: () => Promise<T>,
    failure: unknown,
    failedVersion: string,
  ): Promise<T> {
    let error = failure;
    let version = failedVersion;
    let refreshes = 0;
    let unchanged = 0;
    for (let attempts = 1; ; attempts += 1) {
      if (!(error instanceof DatabaseFailure)) throw error;
      const { retry } = error.meaning;
      if (retry === 'schema' && refreshes < MAX_REFRESHES) {
        refreshes += 1;
        if (refreshes > 1) await delay(Math.random() * JITTER_MS);
        const refreshed = await this.catalog.refresh();
        unchanged = refreshed.version === version ? unchanged + 1 : 0;
        if (unchanged > MAX_UNCHANGED) throw error;
      } else if (retry !== null && retry !== 'schema' && attempts < MAX_ATTEMPTS[retry]) {
        await delay(Math.random() * JITTER_MS * attempts);
      } else {
        throw error;
      }
      observed.retries += 1;
      this.observer.observe({ kind: 'request.retried', request: observed, reason: reasonOf(error) });
      version = this.catalog.current().version;
      try {
        return await attempt();
      } catch (again) {
        error = again;
      }
    }
  }

  /** Finds out which record of many the database refused, so that the problem can point at it. */
  private async locate(failure: DatabaseFailure): Promise<DatabaseFailure> {
    const { request, meaning, error } = failure;
    const { prefix, records } = request;
    if (
      !meaning.isOfOneRecord ||
      records < 2 ||
      prefix === undefined ||
      request.failingRecord !== undefined
    ) {
      return failure;
    }
    const index = await this.database
      .rehearse((executor) =>
        locateFailureInTransaction(
          {
            command: async (text) => void (await executor.execute({ text, values: [] })),
            attempt: async (count) => {
              const { statement, values } = prefix(count);
              await executor.execute({ text: statement.text, values });
            },
          },
          records,
          (found) => isSame(found, error),
        ),
      )
      // Only the pointer is at stake; the refusal itself is told in any case.
      .catch(() => null);
    return index === null ? failure : failure.at(index);
  }
}

const REASONS: Readonly<Record<string, RetryReason>> = { '40001': 'serialization', '40P01': 'deadlock' };

/** Of what is left, most are races for a new row. */
const reasonOf = ({ meaning, error }: DatabaseFailure): RetryReason =>
  meaning.retry === 'schema' ? 'schema' : (REASONS[error.code] ?? 'conflict');

function isSame(found: unknown, error: DatabaseFailure['error']): boolean {
  const { code, constraint } = found as { code?: unknown; constraint?: unknown };
  return found instanceof Error && code === error.code && constraint === error.constraint;
}

/** A request that cannot even be planned throws at once. */
function tryOnce<T>(attempt: () => Promise<T>): Promise<T> {
  try {
    return attempt();
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
}
