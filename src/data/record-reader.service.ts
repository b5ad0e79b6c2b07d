import { Injectable } from '@nestjs/common';
import {
  getReadableCollection,
  type BoundStatement,
  type ListQuery,
  type QueryContext,
  type ReadQueries,
} from '@plinth/query';
import { AccessService } from '../access/index.js';
import { CatalogService } from '../catalog/index.js';
import type { RequestContext } from '../common/context/index.js';
import type { ReadExecutor, StatementExecutor, TextRow } from '../common/database/index.js';
import { Problem } from '../common/errors/index.js';
import { explainFailure } from './database-failure.js';
import { digestContent, formatEntityTag, matchesNone } from './entity-tag.js';
import { Positions } from './positions.service.js';
import { QueryPlans } from './query-plans.js';
import { nextPagePath, type RecordAddress } from './record-address.js';
import type { RecordAnswer, StreamedAnswer } from './record-answer.js';
import type { RecordRequest } from './record-request.js';
import { RetryService } from './retry.service.js';
import { streamPage } from './stream-page.js';

/** Reads records: one statement a request, whose JSON goes out as it came. */
@Injectable()
export class RecordReader {
  private readonly queries: ReadQueries;

  constructor(
    private readonly positions: Positions,
    private readonly catalog: CatalogService,
    private readonly access: AccessService,
    private readonly retry: RetryService,
    plans: QueryPlans,
  ) {
    this.queries = plans.reads;
  }

  /** A page of records: `{"data": [...], "page": {"next", "total"?}}`. */
  list(context: RequestContext, request: RecordRequest): Promise<RecordAnswer | StreamedAnswer> {
    return this.retry.run<RecordAnswer | StreamedAnswer>(context, 'read', () => {
      const queryContext = this.contextFor(context, request.address.collection);
      const query = this.queries.list(queryContext, request.address.parameters);
      const reads = this.positions.reads(request.position);
      return query.isRowByRow
        ? this.stream(reads, context, queryContext, query)
        : this.listWhole(reads, context, request, queryContext, query);
    });
  }

  /** The same inside a transaction, where nothing can be streamed. */
  listWith(
    executor: StatementExecutor,
    context: RequestContext,
    request: Pick<RecordRequest, 'address' | 'path'>,
  ): Promise<RecordAnswer> {
    const queryContext = this.contextFor(context, request.address.collection);
    const query = this.queries.list(queryContext, request.address.parameters);
    if (query.isRowByRow) {
      throw new Problem('query-too-complex', {
        detail: `In a batch, a list has at most ${this.queries.limits.maxWholeRows} records.`,
        errors: [{ pointer: '?limit', code: 'too-large', message: 'is too large for a batch' }],
      });
    }
    return this.listWhole(executor, context, request, queryContext, query);
  }

  private async stream(
    reads: ReadExecutor,
    context: RequestContext,
    queryContext: QueryContext,
    query: ListQuery,
  ): Promise<StreamedAnswer> {
    const { statement, values } = query;
    context.observed.work = 'stream';
    const rows = reads.stream({ name: statement.name, text: statement.text, values }, context);
    const body = await explainFailure(
      () => ({ ...NO_BODY, ...queryContext }),
      () => streamPage(query, rows, (count) => context.observed.noteRows(count)),
    );
    return { status: 200, headers: {}, body };
  }

  private async listWhole(
    executor: StatementExecutor,
    context: RequestContext,
    { address, path }: Pick<RecordRequest, 'address' | 'path'>,
    queryContext: QueryContext,
    query: ListQuery,
  ): Promise<RecordAnswer> {
    const [data, next, total] = getRow(await this.run(executor, context, queryContext, query));
    const cursor = query.nextCursor(next ?? null);
    // How many there are is known of a full page only; counting the others would mean to read them.
    if (cursor !== null) context.observed.noteRows(query.rows);
    const page = total == null ? { next: cursor } : { next: cursor, total: Number(total) };
    const headers: Record<string, string> =
      cursor === null ? {} : { link: `<${nextPagePath(path, address, cursor)}>; rel="next"` };
    const records = query.records(data ?? '[]', next ?? null);
    return { status: 200, headers, body: `{"data":${records},"page":${JSON.stringify(page)}}` };
  }

  /**
   * One record, as it is.
   * @throws Problem `not-found` where there is none that the caller may see
   */
  get(context: RequestContext, { address, ifNoneMatch, position }: RecordRequest): Promise<RecordAnswer> {
    return this.retry.run(context, 'read', () =>
      this.getWith(this.positions.reads(position), context, address, ifNoneMatch),
    );
  }

  /** The same inside a transaction. */
  async getWith(
    executor: StatementExecutor,
    context: RequestContext,
    address: RecordAddress,
    ifNoneMatch: string | null,
  ): Promise<RecordAnswer> {
    const queryContext = this.contextFor(context, address.collection);
    const query = this.queries.record(queryContext, address.key, address.parameters);
    const [row] = await this.run(executor, context, queryContext, query);
    const body = row?.[0];
    if (row === undefined || body == null) {
      throw new Problem('not-found', { detail: 'There is no such record.' });
    }
    context.observed.noteRows(1);
    const representation = query.isRowVersionSufficient
      ? query.statement.name.slice(-8)
      : digestContent(body);
    const etag = formatEntityTag(row[1] ?? null, representation);
    return ifNoneMatch !== null && matchesNone(ifNoneMatch, etag)
      ? { status: 304, headers: { etag }, body: null }
      : { status: 200, headers: { etag }, body };
  }

  /** Groups and measures: `{"data": [...]}`. */
  aggregate(context: RequestContext, { address, position }: RecordRequest): Promise<RecordAnswer> {
    return this.retry.run(context, 'read', async () => {
      const queryContext = this.contextFor(context, address.collection);
      const query = this.queries.aggregate(queryContext, address.parameters);
      const reads = this.positions.reads(position);
      const [data] = getRow(await this.run(reads, context, queryContext, query));
      return { status: 200, headers: {}, body: `{"data":${data ?? '[]'}}` };
    });
  }

  private contextFor({ actor }: RequestContext, name: string): QueryContext {
    const catalog = this.catalog.current();
    const access = this.access.viewFor(actor.roles);
    const collection = getReadableCollection(catalog, access, name);
    return { catalog, access, collection, auth: actor };
  }

  private run(
    executor: StatementExecutor,
    context: RequestContext,
    queryContext: QueryContext,
    { statement: { name, text }, values }: BoundStatement,
  ): Promise<readonly TextRow[]> {
    return explainFailure(
      () => ({ ...NO_BODY, ...queryContext }),
      () => executor.execute({ name, text, values, isRepeatable: true }, context),
    );
  }
}

/** A read has no body that a failure could point into. */
const NO_BODY = {
  records: 0,
  pointer: (): string => '',
  sentFields: new Set<string>(),
  knownFields: new Set<string>(),
  isMerge: false,
};

function getRow(rows: readonly TextRow[]): TextRow {
  const [row] = rows;
  if (row === undefined) throw new Error('A statement that always gives one row gave none.');
  return row;
}
