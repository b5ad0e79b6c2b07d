import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { locateFailureInTransaction, QueryError, WriteError } from '@plinth/query';
import { CatalogService } from '../catalog/index.js';
import { Database } from '../common/database/index.js';
import { DatabaseFailure } from './database-failure.js';
import { queryProblem, writeProblem } from './query-problem.js';

/** Deadlocks and races for a new row end with the second attempt, nearly always. */
const MAX_ATTEMPTS = 4;
const JITTER_MS = 20;
/** A migration changes a schema several times in a row. */
const MAX_REFRESHES = 5;

/** Runs a request; tries again where that helps, and says in problems what is left. */
@Injectable()
export class RetryService {
  constructor(
    private readonly catalog: CatalogService,
    private readonly database: Database,
  ) {}

  /** `attempt` plans anew each time it is called, and has changed nothing when it fails. */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      return await this.attemptOften(attempt);
    } catch (error) {
      if (error instanceof QueryError) throw queryProblem(error);
      if (error instanceof WriteError) throw writeProblem(error);
      if (error instanceof DatabaseFailure) throw (await this.locate(error)).toProblem();
      throw error;
    }
  }

  private async attemptOften<T>(attempt: () => Promise<T>): Promise<T> {
    let refreshes = 0;
    for (let attempts = 1; ; attempts += 1) {
      const { version } = this.catalog.current();
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof DatabaseFailure)) throw error;
        const { retry } = error.meaning;
        if (retry === 'schema' && refreshes < MAX_REFRESHES) {
          refreshes += 1;
          const refreshed = await this.catalog.refresh();
          // The first time always: the schema may have changed back meanwhile, or one connection's plan is what is old.
          // After that an unchanged schema means that the mistake is in it, such as a trigger for a table that is gone.
          if (refreshed.version === version && refreshes > 1) throw error;
        } else if ((retry === 'statement' || retry === 'transaction') && attempts < MAX_ATTEMPTS) {
          await delay(Math.random() * JITTER_MS * attempts);
        } else {
          throw error;
        }
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
      .rehearse((executor, client) =>
        locateFailureInTransaction(
          {
            command: async (text) => void (await client.query(text)),
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

function isSame(found: unknown, error: DatabaseFailure['error']): boolean {
  const { code, constraint } = found as { code?: unknown; constraint?: unknown };
  return found instanceof Error && code === error.code && constraint === error.constraint;
}
