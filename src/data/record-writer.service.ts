import { Injectable } from '@nestjs/common';
import {
  getWritableCollection,
  parseJsonBody,
  readWriteResult,
  type BoundStatement,
  type JsonBody,
  type PreconditionOptions,
  type QueryContext,
  type WriteQueries,
  type WriteQuery,
  type WriteResult,
} from '@plinth/query';
import type { Collection } from '@plinth/schema';
import { AccessService } from '../access/index.js';
import { CatalogService } from '../catalog/index.js';
import { PlinthConfig } from '../common/config/index.js';
import type { RequestContext } from '../common/context/index.js';
import type { StatementExecutor, TextRow } from '../common/database/index.js';
import { Problem } from '../common/errors/index.js';
import { explainFailure } from './database-failure.js';
import { digestContent, formatEntityTag } from './entity-tag.js';
import { IdempotencyService } from './idempotency.service.js';
import { Positions } from './positions.service.js';
import { QueryPlans } from './query-plans.js';
import type { RecordAddress } from './record-address.js';
import type { RecordAnswer } from './record-answer.js';
import type { RecordRequest } from './record-request.js';
import { RetryService } from './retry.service.js';

export type WriteAction = 'create' | 'update' | 'update-many' | 'replace' | 'delete' | 'delete-many';

/** A write, as far as it does not matter whether it came alone or in a batch. */
export interface RecordWrite {
  readonly action: WriteAction;
  readonly address: RecordAddress;
  /** Of actions that have one. */
  readonly body: JsonBody | null;
  readonly ifMatch: '*' | readonly string[] | null;
  readonly ifNoneMatch: string | null;
  /** What the client said about the answer; where it said nothing, deleting answers nothing and the others the record. */
  readonly prefer: 'minimal' | 'representation' | null;
}

const ACTIONS_WITHOUT_BODY: ReadonlySet<WriteAction> = new Set(['delete', 'delete-many']);

/** Writes records: one statement a request. */
@Injectable()
export class RecordWriter {
  private readonly queries: WriteQueries;

  constructor(
    private readonly positions: Positions,
    private readonly catalog: CatalogService,
    private readonly access: AccessService,
    private readonly retry: RetryService,
    private readonly idempotency: IdempotencyService,
    private readonly config: PlinthConfig,
    plans: QueryPlans,
  ) {
    this.queries = plans.writes;
  }

  create(context: RequestContext, request: RecordRequest): Promise<RecordAnswer> {
    return this.write(context, request, 'create');
  }

  update(context: RequestContext, request: RecordRequest): Promise<RecordAnswer> {
    return this.write(context, request, 'update');
  }

  updateMany(context: RequestContext, request: RecordRequest): Promise<RecordAnswer> {
    return this.write(context, request, 'update-many');
  }

  replace(context: RequestContext, request: RecordRequest): Promise<RecordAnswer> {
    return this.write(context, request, 'replace');
  }

  delete(context: RequestContext, request: RecordRequest): Promise<RecordAnswer> {
    return this.write(context, request, 'delete');
  }

  deleteMany(context: RequestContext, request: RecordRequest): Promise<RecordAnswer> {
    return this.write(context, request, 'delete-many');
  }

  /** One write on a given executor, as part of a transaction or not; failures are the caller's to retry or to tell. */
  async perform(
    executor: StatementExecutor,
    context: RequestContext,
    write: RecordWrite,
  ): Promise<RecordAnswer> {
    const query = this.plan(this.contextFor(context, write.address.collection), write);
    const run = (
      { statement: { name, text }, values }: BoundStatement,
      isGroupable: boolean,
    ): Promise<readonly TextRow[]> =>
      explainFailure(query.describe, () => executor.execute({ name, text, values, isGroupable }, context));
    let [row] = await run(query, query.isOfOneRecord);
    if (row === undefined && query.bindOtherwise !== null) [row] = await run(query.bindOtherwise(), false);
    const result = readWriteResult(row);
    context.observed.noteRows(result.written);
    return answerWrite(write, query.collection, result);
  }

  private write(context: RequestContext, request: RecordRequest, action: WriteAction): Promise<RecordAnswer> {
    return this.retry.run(context, 'write', async () => {
      const write: RecordWrite = {
        action,
        address: request.address,
        body: ACTIONS_WITHOUT_BODY.has(action) ? refuseBody(request) : this.parseBody(request.body),
        ifMatch: request.ifMatch,
        ifNoneMatch: request.ifNoneMatch,
        prefer: request.prefer.return,
      };
      const writes = this.positions.writes();
      const answer =
        request.idempotencyKey === null
          ? await this.perform(writes, context, write)
          : await this.idempotency.once(writes, request.idempotencyKey, context, {
              fingerprint: fingerprint(request),
              write: (executor) => this.perform(executor, context, write),
            });
      return this.positions.mark(answer, writes);
    });
  }

  private parseBody(text: string): JsonBody {
    if (text.trim() === '') {
      throw new Problem('invalid-json', {
        detail: 'The body is empty; send JSON with Content-Type: application/json.',
      });
    }
    return parseJsonBody(text, { maxLength: this.config.bodyLimitBytes });
  }

  private contextFor({ actor }: RequestContext, name: string): QueryContext {
    const catalog = this.catalog.current();
    const access = this.access.viewFor(actor.roles);
    return { catalog, access, collection: getWritableCollection(catalog, access, name), auth: actor };
  }

  private plan(context: QueryContext, write: RecordWrite): WriteQuery {
    const { key, parameters } = write.address;
    const options: PreconditionOptions = {
      isMinimal: isMinimal(write),
      ifMatch: write.ifMatch,
      ifNoneMatch: write.ifNoneMatch?.trim() === '*' ? '*' : null,
    };
    switch (write.action) {
      case 'create':
        return this.queries.create(context, bodyOf(write), parameters, options);
      case 'update':
        return this.queries.patch(context, key, bodyOf(write), parameters, options);
      case 'update-many':
        return this.queries.patchMany(context, bodyOf(write), parameters, options);
      case 'replace':
        return this.queries.replace(context, key, bodyOf(write), parameters, options);
      case 'delete':
        return this.queries.delete(context, key, parameters, options);
      case 'delete-many':
        return this.queries.deleteMany(context, parameters, options);
    }
  }
}

function bodyOf({ body }: RecordWrite): JsonBody {
  if (body === null) throw new Problem('invalid-json', { detail: 'A body is needed.' });
  return body;
}

function refuseBody({ body }: RecordRequest): null {
  if (body !== '') throw new Problem('invalid-request', { detail: 'A DELETE has no body.' });
  return null;
}

/** A delete answers with the records only when it is asked to. */
const isMinimal = ({ action, prefer }: RecordWrite): boolean =>
  prefer === 'minimal' || (prefer === null && ACTIONS_WITHOUT_BODY.has(action));

/** Everything that decides on the write or its answer. */
const fingerprint = (request: RecordRequest): readonly string[] => [
  request.method,
  request.path,
  JSON.stringify(request.address.parameters),
  request.body,
  JSON.stringify([request.ifMatch, request.ifNoneMatch, request.prefer]),
];

function answerWrite(write: RecordWrite, collection: Collection, result: WriteResult): RecordAnswer {
  switch (result.outcome) {
    case 'not-found':
      throw new Problem('not-found', { detail: 'There is no such record.' });
    case 'forbidden':
      throw new Problem('forbidden', { detail: 'You may not change this record; nothing was changed.' });
    case 'precondition-failed':
      throw new Problem('precondition-failed', {
        detail: 'The record is not the one that the precondition asks for; nothing was changed.',
      });
    case 'done':
      return describeDone(write, collection, result);
  }
}

function describeDone(write: RecordWrite, collection: Collection, result: WriteResult): RecordAnswer {
  const isCreated = result.created > 0;
  const headers: Record<string, string> = {};
  if (isCreated && result.key !== null) headers['location'] = recordPath(collection, result.key);
  if (result.version !== null && write.action !== 'delete') {
    headers['etag'] = formatEntityTag(result.version, result.data === null ? '' : digestContent(result.data));
  }
  if (write.prefer !== null) headers['preference-applied'] = `return=${write.prefer}`;
  const body = result.data === null || isList(write) ? wrapList(write, result.data) : result.data;
  const withBody = isCreated ? 201 : 200;
  return { status: body === null && !isCreated ? 204 : withBody, headers, body };
}

const isList = ({ action, body }: RecordWrite): boolean =>
  action === 'update-many' || action === 'delete-many' || (action === 'create' && Array.isArray(body?.root));

const wrapList = (write: RecordWrite, data: string | null): string | null =>
  data === null ? null : isList(write) ? `{"data":${data}}` : data;

const recordPath = ({ name }: Collection, key: readonly string[]): string =>
  `/api/${encodeURIComponent(name)}/${key.map(encodeURIComponent).join(',')}`;
