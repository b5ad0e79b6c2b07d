import { Injectable } from '@nestjs/common';
import {
  getReadableCollection,
  type BoundStatement,
  type QueryContext,
  type ReadQueries,
} from '@plinth/query';
import { AccessService } from '../access/index.js';
import { CatalogService } from '../catalog/index.js';
import type { RequestContext } from '../common/context/index.js';
import { Database, type StatementExecutor, type TextRow } from '../common/database/index.js';
import { Problem } from '../common/errors/index.js';
import { explainFailure } from './database-failure.js';
import { digestContent, formatEntityTag, matchesNone } from './entity-tag.js';
import { QueryPlans } from './query-plans.js';
import type { RecordAddress } from './record-address.js';
import type { RecordAnswer } from './record-answer.js';
import type { RecordRequest } from './record-request.js';
import { RetryService } from './retry.service.js';

/** Reads records: one statement a request, whose JSON goes out as it came. */
@Injectable()
export class RecordReader {
  private readonly queries: ReadQueries;

  constructor(
    private readonly database: Database,
    private readonly catalog: CatalogService,
    private readonly access: AccessService,
    private readonly retry: RetryService,
    plans: QueryPlans,
  ) {
    this.queries = plans.reads;
  }

  /** A page of records: `{"data": [...], "page": {"next", "total"?}}`. */
  list(context: RequestContext, { address, path }: RecordRequest): Promise<RecordAnswer> {
    return this.retry.run(() => this.listWith(this.database, context, address, path));
  }

  /** The same inside a transaction. */
  async listWith(
    executor: StatementExecutor,
    context: RequestContext,
    address: RecordAddress,
    path: string,
  ): Promise<RecordAnswer> {
    const queryContext = this.contextFor(context, address.collection);
    const query = this.queries.list(queryContext, address.parameters);
    const [data, next, total] = getRow(await this.run(executor, queryContext, query));
    const cursor = query.nextCursor(next ?? null);
    const page = total == null ? { next: cursor } : { next: cursor, total: Number(total) };
    const headers: Record<string, string> =
      cursor === null ? {} : { link: `<${nextPagePath(path, address, cursor)}>; rel="next"` };
    return { status: 200, headers, body: `{"data":${data ?? '[]'},"page":${JSON.stringify(page)}}` };
  }

  /**
   * One record, as it is.
   * @throws Problem `not-found` where there is none that the caller may see
   */
  get(context: RequestContext, { address, ifNoneMatch }: RecordRequest): Promise<RecordAnswer> {
    return this.retry.run(() => this.getWith(this.database, context, address, ifNoneMatch));
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
    const [row] = await this.run(executor, queryContext, query);
    const body = row?.[0];
    if (row === undefined || body == null) {
      throw new Problem('not-found', { detail: 'There is no such record.' });
    }
    const representation = query.isRowVersionSufficient
      ? query.statement.name.slice(-8)
      : digestContent(body);
    const etag = formatEntityTag(row[1] ?? null, representation);
    return ifNoneMatch !== null && matchesNone(ifNoneMatch, etag)
      ? { status: 304, headers: { etag }, body: null }
      : { status: 200, headers: { etag }, body };
  }

  /** Groups and measures: `{"data": [...]}`. */
  aggregate(context: RequestContext, { address }: RecordRequest): Promise<RecordAnswer> {
    return this.retry.run(async () => {
      const queryContext = this.contextFor(context, address.collection);
      const query = this.queries.aggregate(queryContext, address.parameters);
      const [data] = getRow(await this.run(this.database, queryContext, query));
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
    context: QueryContext,
    { statement, values }: BoundStatement,
  ): Promise<readonly TextRow[]> {
    return explainFailure(
      () => ({ ...NO_BODY, ...context }),
      () => executor.execute({ name: statement.name, text: statement.text, values }),
    );
  }
}

/** A read has no body that a failure could point into. */
const NO_BODY = {
  records: 0,
  pointer: (): string => '',
  sentFields: new Set<string>(),
  knownFields: new Set<string>(),
};

function getRow(rows: readonly TextRow[]): TextRow {
  const [row] = rows;
  if (row === undefined) throw new Error('A statement that always gives one row gave none.');
  return row;
}

function nextPagePath(path: string, { parameters }: RecordAddress, cursor: string): string {
  const next = new URLSearchParams();
  for (const [name, value] of parameters) {
    if (name !== 'cursor' && name !== 'offset') next.append(name, value);
  }
  next.set('cursor', cursor);
  return `${path}?${next.toString()}`;
}
