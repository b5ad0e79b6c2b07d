import { Injectable } from '@nestjs/common';
import {
  addressText,
  bodyOfNode,
  isJsonArray,
  OperationResults,
  parseBatch,
  parseJsonBody,
  QueryError,
  refuseLargeBody,
  resolveReferences,
  WriteError,
  type BatchMethod,
  type BatchOperation,
  type DatabaseProblem,
  type JsonBody,
  type JsonNode,
  type ReferableResults,
} from '@plinth/query';
import { PlinthConfig } from '../common/config/index.js';
import type { RequestContext } from '../common/context/index.js';
import type { StatementExecutor } from '../common/database/index.js';
import { Problem } from '../common/errors/index.js';
import { RateLimits, type RateHeaders } from '../common/rate-limit/index.js';
import { DatabaseFailure } from './database-failure.js';
import { parseIfMatch } from './entity-tag.js';
import { IdempotencyService } from './idempotency.service.js';
import { Positions } from './positions.service.js';
import { queryProblem, writeProblem } from './query-problem.js';
import type { RecordAddress } from './record-address.js';
import type { RecordAnswer } from './record-answer.js';
import { RecordReader } from './record-reader.service.js';
import type { RecordRequest } from './record-request.js';
import { RecordWriter, type WriteAction } from './record-writer.service.js';
import { RetryService } from './retry.service.js';

const ON_COLLECTION: Readonly<Partial<Record<BatchMethod, WriteAction>>> = {
  POST: 'create',
  PATCH: 'update-many',
  DELETE: 'delete-many',
};
const ON_RECORD: Readonly<Partial<Record<BatchMethod, WriteAction>>> = {
  PATCH: 'update',
  PUT: 'replace',
  DELETE: 'delete',
};

/** Runs several operations in one transaction, on one connection: all of them, or none. */
@Injectable()
export class BatchService {
  constructor(
    private readonly positions: Positions,
    private readonly reader: RecordReader,
    private readonly writer: RecordWriter,
    private readonly retry: RetryService,
    private readonly idempotency: IdempotencyService,
    private readonly limits: RateLimits,
    private readonly config: PlinthConfig,
  ) {}

  /** `{"operations": [...]}` to `{"results": [...]}`; a failure names the operation and leaves nothing behind. */
  async run(context: RequestContext, request: RecordRequest): Promise<RecordAnswer> {
    const counted: { headers: RateHeaders | null } = { headers: null };
    const answer = await this.retry.run(context, 'batch', async () => {
      const [parameter] = request.address.parameters;
      if (parameter) {
        throw new Problem('unknown-parameter', {
          detail: `A batch has no parameter ${JSON.stringify(parameter[0])}.`,
        });
      }
      const body = parseJsonBody(request.body, { maxLength: this.config.bodyLimitBytes });
      const operations = parseBatch(body, { maxOperations: this.config.maxBatchOperations });
      // The batch itself was counted as one request already. Trying again is our affair, and not counted.
      counted.headers ??= await this.limits.count(context, operations.length - 1);
      const work = (executor: StatementExecutor): Promise<RecordAnswer> =>
        this.runAll(executor, context, operations);
      const writes = this.positions.writes();
      const answer =
        request.idempotencyKey === null
          ? await writes.transaction(work, context.observed)
          : await this.idempotency.once(writes, request.idempotencyKey, context, {
              fingerprint: ['POST', request.path, request.body],
              write: work,
            });
      return this.positions.mark(answer, writes);
    });
    return { ...answer, headers: { ...answer.headers, ...counted.headers } };
  }

  private async runAll(
    executor: StatementExecutor,
    context: RequestContext,
    operations: readonly BatchOperation[],
  ): Promise<RecordAnswer> {
    const results = new OperationResults();
    const answers: string[] = [];
    for (const operation of operations) {
      const { status, body } = await this.runOne(executor, context, operation, results);
      if (operation.label !== null) results.add(operation.label, body);
      const label = operation.label === null ? '' : `"label":${JSON.stringify(operation.label)},`;
      answers.push(`{${label}"status":${status}${body === null ? '' : `,"body":${body}`}}`);
    }
    return { status: 200, headers: {}, body: `{"results":[${answers.join(',')}]}` };
  }

  private async runOne(
    executor: StatementExecutor,
    context: RequestContext,
    operation: BatchOperation,
    results: ReferableResults,
  ): Promise<RecordAnswer> {
    try {
      const { address, isRecord } = readAddress(operation, results);
      if (operation.method === 'GET') {
        return isRecord
          ? await this.reader.getWith(executor, context, address, null)
          : await this.reader.listWith(executor, context, { address, path: `/api${operation.path}` });
      }
      const action = (isRecord ? ON_RECORD : ON_COLLECTION)[operation.method];
      if (action === undefined) {
        throw new Problem('method-not-allowed', {
          detail: `${operation.method} is not for ${isRecord ? 'a record' : 'a collection'}.`,
        });
      }
      const body = operation.body === undefined ? null : this.readBody(operation.body, operation, results);
      return await this.writer.perform(executor, context, {
        action,
        address,
        body,
        ifMatch: operation.ifMatch === null ? null : parseIfMatch(operation.ifMatch),
        ifNoneMatch: null,
        prefer: null,
      });
    } catch (error) {
      throw inOperation(error, operation);
    }
  }

  private readBody(body: JsonNode, { pointer }: BatchOperation, results: ReferableResults): JsonBody {
    const resolved = resolveReferences(body, results, `${pointer}/body`);
    refuseLargeBody(resolved, { maxLength: this.config.bodyLimitBytes });
    return bodyOfNode(resolved);
  }
}

/** What all operations are tried again for; a record that is taken is told at once, with its place. */
const RETRIED_WHOLE: ReadonlySet<DatabaseProblem['retry']> = new Set(['statement', 'transaction', 'schema']);

/** An error with its pointers leading into the batch. Failures that may be tried again stay what they are. */
function inOperation(error: unknown, { pointer }: BatchOperation): unknown {
  if (error instanceof DatabaseFailure && RETRIED_WHOLE.has(error.meaning.retry)) return error;
  const problem = toProblem(error);
  // A reference that leads nowhere is told with its place in the batch already.
  if (problem === null || problem.errors?.some((detail) => detail.pointer.startsWith(pointer))) {
    return problem ?? error;
  }
  const errors = problem.errors?.map((detail) => ({ ...detail, pointer: join(pointer, detail.pointer) })) ?? [
    { pointer, code: problem.type, message: problem.detail ?? problem.title },
  ];
  const { detail, headers, cause, type } = problem;
  return new Problem(type, { detail: `In ${pointer}: ${detail ?? problem.title}`, errors, headers, cause });
}

function toProblem(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  if (error instanceof QueryError) return queryProblem(error);
  if (error instanceof WriteError) return writeProblem(error);
  return error instanceof DatabaseFailure ? error.toProblem() : null;
}

/** `?filter` is a parameter, anything else a place in the body. */
const join = (operation: string, pointer: string): string =>
  pointer.startsWith('?') ? `${operation}/query/${pointer.slice(1)}` : `${operation}/body${pointer}`;

function readAddress(
  operation: BatchOperation,
  results: ReferableResults,
): { readonly address: RecordAddress; readonly isRecord: boolean } {
  const [, collection = '', ...rest] = operation.path.split('/');
  const key =
    operation.id === undefined ? rest[0] : keyText(operation.id, results, `${operation.pointer}/id`);
  if (rest.length > 1 || (rest.length === 1 && operation.id !== undefined)) {
    throw new Problem('not-found', { detail: `There is nothing at ${JSON.stringify(operation.path)}.` });
  }
  const parameters = [...operation.query].map(([name, value]) => {
    const text = addressText(resolveReferences(value, results, `${operation.pointer}/query/${name}`));
    return [name, text ?? ''] as const;
  });
  return {
    address: { collection: decode(collection), key: key ?? '', query: null, parameters },
    isRecord: key !== undefined,
  };
}

/** A key as it stands in a path. */
function keyText(id: JsonNode, results: ReferableResults, pointer: string): string {
  const resolved = resolveReferences(id, results, pointer);
  const parts = isJsonArray(resolved) ? resolved : [resolved];
  return parts
    .map((part) => {
      const text = addressText(part);
      if (text === null) {
        throw new Problem('invalid-key', {
          detail: 'A key is made of texts and numbers.',
          errors: [{ pointer, code: 'type', message: 'must be a text or a number' }],
        });
      }
      return encodeURIComponent(text);
    })
    .join(',');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new Problem('invalid-request', {
      detail: 'The path is not percent-encoded as it should be.',
      cause: error,
    });
  }
}
