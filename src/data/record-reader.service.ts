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
import { digestContent, formatEntityTag, matchesNone } from './entity-tag.js';
import { QueryPlans } from './query-plans.js';
import type { RecordAddress } from './record-address.js';
import type { RecordAnswer } from './record-answer.js';
import type { RecordRequest } from './record-request.js';
import { SchemaChangeRetry } from './schema-change-retry.js';

/** Reads records: one statement a request, whose JSON goes out as it came. */
@Injectable()
export class RecordReader {
  private readonly queries: ReadQueries;

  constructor(
    private readonly database: Database,
    private readonly catalog: CatalogService,
    private readonly access: AccessService,
    private readonly retry: SchemaChangeRetry,
    plans: QueryPlans,
  ) {
    this.queries = plans.reads;
  }

  /** A page of records: `{"data": [...], "page": {"next", "total"?}}`. */
  list(context: RequestContext, { address, path }: RecordRequest): Promise<RecordAnswer> {
    return this.retry.run(async () => {
      const query = this.queries.list(this.contextFor(context, address.collection), address.parameters);
      const [data, next, total] = getRow(await this.run(this.database, query));
      const cursor = query.nextCursor(next ?? null);
      const page = total == null ? { next: cursor } : { next: cursor, total: Number(total) };
      return {
        status: 200,
        headers: cursor === null ? {} : { link: `<${nextPagePath(path, address, cursor)}>; rel="next"` },
        body: `{"data":${data ?? '[]'},"page":${JSON.stringify(page)}}`,
      };
    });
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
    const query = this.queries.record(
      this.contextFor(context, address.collection),
      address.key,
      address.parameters,
    );
    const [row] = await this.run(executor, query);
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
      const query = this.queries.aggregate(this.contextFor(context, address.collection), address.parameters);
      const [data] = getRow(await this.run(this.database, query));
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
    { statement, values }: BoundStatement,
  ): Promise<readonly TextRow[]> {
    return executor.execute({ name: statement.name, text: statement.text, values });
  }
}

function getRow(rows: readonly TextRow[]): TextRow {
  const [row] = rows;
  if (row === undefined) throw new Error('A statement that always gives one row gave none.');
  return row;
}

function nextPagePath(path: string, { parameters }: RecordAddress, cursor: string): string {
  const next = new URLSearchParams(
    parameters
      .filter(([name]) => name !== 'cursor' && name !== 'offset')
      .map(([name, value]) => [name, value]),
  );
  next.set('cursor', cursor);
  return `${path}?${next.toString()}`;
}
