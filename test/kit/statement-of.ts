import type { INestApplicationContext } from '@nestjs/common';
import { parseJsonBody, type BoundStatement, type QueryContext } from '@plinth/query';
import { AccessService } from '../../src/access/index.js';
import { CatalogService } from '../../src/catalog/index.js';
import { QueryPlans } from '../../src/data/query-plans.js';
import type { Explained } from './explain.js';

/** A request for records, as far as its statement depends on it. */
export interface AskedRecords {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body?: string;
  /** Effective roles of the caller. */
  readonly roles: readonly string[];
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** The statement with which a server answers a request, and its values. */
export function statementOf(app: INestApplicationContext, asked: AskedRecords): Explained {
  const { pathname, searchParams } = new URL(asked.path, 'http://x');
  const [, , collection = '', id] = pathname.split('/');
  const { statement, values } = bind(app, asked, contextFor(app, asked, collection), { id, searchParams });
  return { text: statement.text, values };
}

function bind(
  app: INestApplicationContext,
  { method, body = '' }: AskedRecords,
  context: QueryContext,
  { id, searchParams }: { readonly id: string | undefined; readonly searchParams: URLSearchParams },
): BoundStatement {
  const { reads, writes } = app.get(QueryPlans, { strict: false });
  if (method === 'POST') return writes.create(context, parseJsonBody(body), searchParams);
  if (method === 'PATCH') {
    return id === undefined
      ? writes.patchMany(context, parseJsonBody(body), searchParams)
      : writes.patch(context, id, parseJsonBody(body), searchParams);
  }
  if (id === 'aggregate') return reads.aggregate(context, searchParams);
  return id === undefined ? reads.list(context, searchParams) : reads.record(context, id, searchParams);
}

function contextFor(
  app: INestApplicationContext,
  { roles, claims = {} }: AskedRecords,
  name: string,
): QueryContext {
  const catalog = app.get(CatalogService, { strict: false }).current();
  const collection = catalog.collections.get(name);
  if (collection === undefined) throw new Error(`There is no collection ${name}.`);
  const access = app.get(AccessService, { strict: false }).viewFor(roles);
  return { catalog, access, collection, auth: { kind: 'key', id: 'x', roles: [...roles], claims } };
}
