import { createHash } from 'node:crypto';
import { readCatalog, type Catalog } from '@plinth/schema';
import { checkExpression, parseExpression, type AuthValues } from '@plinth/expression';
import { Pool, type QueryResultRow } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../../test/kit/database.js';
import {
  getReadableCollection,
  RawRecordSchema,
  ReadQueries,
  UNRESTRICTED,
  type AccessView,
  type BoundStatement,
  type CollectionAccess,
  type CursorCodec,
  type QueryLimits,
  type ReadRule,
} from '../src/index.js';

/** The session settings of the server, since they decide how values are spelled. */
const SESSION = '-c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601';

/** Stands in for the real codec: readable, but nobody can change a byte of it. */
export const testCursors: CursorCodec = {
  seal: (position, binding) => `${Buffer.from(position).toString('base64url')}.${digest(binding + position)}`,
  open: (text, binding) => {
    const [content = '', mark] = text.split('.');
    const position = Buffer.from(content, 'base64url').toString();
    return digest(binding + position) === mark ? position : null;
  },
};

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

export const ORDER_SECRET = 'secret';

/** A read rule in short: a condition (null for every row) and fields. */
export interface RuleText {
  readonly condition?: string | null;
  readonly fields?: readonly string[] | '*';
}

/** Read rules by collection; a collection that is not there may not be read at all. */
export function accessOf(
  catalog: Catalog,
  key: string,
  rules: Readonly<Record<string, readonly RuleText[]>>,
): AccessView {
  const collections = new Map<string, CollectionAccess>();
  for (const [name, texts] of Object.entries(rules)) {
    const collection = catalog.collections.get(name);
    if (!collection) throw new Error(`no collection ${name}`);
    const record = new RawRecordSchema(catalog, collection);
    const read = texts.map(({ condition = null, fields = '*' }, index): ReadRule => ({
      id: `${name}.${index}`,
      condition: condition === null ? null : checkExpression(parseExpression(condition), { record }),
      fields: fields === '*' ? '*' : new Set(fields),
    }));
    collections.set(name, { read, create: [], update: [], delete: [] });
  }
  return { key, collection: (name) => collections.get(name) };
}

export const EVERYTHING: AccessView = { key: 'admin', collection: () => UNRESTRICTED };

export const NOBODY: AuthValues = { kind: 'public', id: null, roles: ['public'], claims: {} };
export const actor = (id: string): AuthValues => ({ kind: 'user', id, roles: ['authenticated'], claims: {} });

export interface Caller {
  readonly access?: AccessView;
  readonly auth?: AuthValues;
}

export type Query = Readonly<Record<string, string>>;

export interface Page {
  readonly data: readonly unknown[];
  readonly next: string | null;
  readonly total?: number;
}

/** A database with its catalog, asked through `ReadQueries` as an HTTP layer would. */
export class QueryFixture {
  private constructor(
    private readonly database: TestDatabase,
    readonly pool: Pool,
    readonly catalog: Catalog,
    readonly queries: ReadQueries,
  ) {}

  static async open(sql: string, limits: Partial<QueryLimits> = {}): Promise<QueryFixture> {
    const database = await createTestDatabase({ sql });
    const pool = new Pool({ connectionString: database.url, options: SESSION, max: 4 });
    // The pool has ended before its connections have; the database is dropped under the last of them.
    pool.on('error', () => {});
    const catalog = await readCatalog(pool, { schemas: ['public', 'other'] });
    return new QueryFixture(
      database,
      pool,
      catalog,
      new ReadQueries({ cursors: testCursors, orderSecret: () => ORDER_SECRET, limits }),
    );
  }

  /** The same database with its catalog read again. */
  static async of(other: QueryFixture): Promise<QueryFixture> {
    const catalog = await readCatalog(other.pool, { schemas: ['public', 'other'] });
    return new QueryFixture(other.database, other.pool, catalog, other.queries);
  }

  async close(): Promise<void> {
    await this.pool.end();
    await this.database.drop();
  }

  async sql<Row extends QueryResultRow>(text: string): Promise<Row[]> {
    return (await this.pool.query<Row>(text)).rows;
  }

  async list(collection: string, query: Query = {}, caller: Caller = {}): Promise<Page> {
    const bound = this.queries.list(this.context(collection, caller), Object.entries(query));
    const [row] = await this.run(bound);
    const [data, next, total] = row ?? [];
    const page = {
      data: JSON.parse(bound.records(String(data), next ?? null)),
      next: bound.nextCursor(next ?? null),
    };
    return total === undefined ? page : { ...page, total: Number(total) };
  }

  /** Every record, page by page. */
  async listAll(collection: string, query: Query, caller: Caller = {}): Promise<unknown[]> {
    const records: unknown[] = [];
    let cursor: string | null = null;
    do {
      const page: Page = await this.list(collection, cursor === null ? query : { ...query, cursor }, caller);
      records.push(...page.data);
      cursor = page.next;
    } while (cursor !== null && records.length < 100_000);
    return records;
  }

  async record(collection: string, key: string, query: Query = {}, caller: Caller = {}): Promise<unknown> {
    const [row] = await this.run(
      this.queries.record(this.context(collection, caller), key, Object.entries(query)),
    );
    return row ? JSON.parse(String(row[0])) : null;
  }

  async aggregate(collection: string, query: Query, caller: Caller = {}): Promise<unknown[]> {
    const [row] = await this.run(
      this.queries.aggregate(this.context(collection, caller), Object.entries(query)),
    );
    return JSON.parse(String(row?.[0]));
  }

  async run({ statement, values }: BoundStatement): Promise<(string | null)[][]> {
    const { name, text } = statement;
    const result = await this.pool.query<(string | null)[]>({ name, text, values, rowMode: 'array' });
    return result.rows;
  }

  context(collection: string, { access = EVERYTHING, auth = NOBODY }: Caller = {}) {
    return {
      catalog: this.catalog,
      access,
      auth,
      collection: getReadableCollection(this.catalog, access, collection),
    };
  }
}
