import {
  checkExpression,
  parseExpression,
  type AuthValues,
  type CheckedExpression,
} from '@plinth/expression';
import { readCatalog, type Catalog, type Collection } from '@plinth/schema';
import type { PoolClient } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../../test/kit/database.js';
import {
  RawRecordSchema,
  UNRESTRICTED,
  type AccessView,
  type BoundStatement,
  type CollectionAccess,
  type JsonValue,
  type Preset,
  type QueryContext,
} from '../src/index.js';
import {
  parseJsonBody,
  readWriteResult,
  WRITE_FUNCTIONS_SQL,
  WriteQueries,
  type JsonBody,
  type WriteQuery,
  type WriteResult,
} from '../src/write/index.js';

export interface RuleTexts {
  readonly condition?: string;
  readonly check?: string;
  readonly fields?: readonly string[];
  readonly presets?: Readonly<Record<string, { expression: string } | { value: JsonValue }>>;
}

export interface AccessTexts {
  readonly read?: readonly RuleTexts[];
  readonly create?: readonly RuleTexts[];
  readonly update?: readonly RuleTexts[];
  readonly delete?: readonly RuleTexts[];
}

/** As every connection of the server has them. */
const SESSION_SETTINGS = `SET timezone = 'UTC'; SET intervalstyle = 'iso_8601'; SET datestyle = 'ISO'`;

const NOBODY: AuthValues = { kind: 'public', id: null, roles: [], claims: {} };

/** A database with the functions that writes need, its catalog, and a caller of the write engine over it. */
export class WriteWorld {
  readonly writes = new WriteQueries({ orderSecret: () => 'secret' });

  private constructor(
    readonly database: TestDatabase,
    private snapshot: Catalog,
  ) {}

  static async open(sql: string): Promise<WriteWorld> {
    const database = await createTestDatabase({
      sql: `${sql}; CREATE SCHEMA plinth; ${WRITE_FUNCTIONS_SQL}; ${SESSION_SETTINGS}`,
    });
    database.pool.on('connect', (client) => void client.query(SESSION_SETTINGS));
    return new WriteWorld(database, await readCatalog(database.pool, { schemas: ['public'] }));
  }

  get catalog(): Catalog {
    return this.snapshot;
  }

  async refresh(): Promise<void> {
    this.snapshot = await readCatalog(this.database.pool, { schemas: ['public'] });
  }

  collection(name: string): Collection {
    const collection = this.catalog.collections.get(name);
    if (!collection) throw new Error(`no collection ${name}`);
    return collection;
  }

  /** The context of a caller; unrestricted where no rules are given. */
  context(name: string, access?: Readonly<Record<string, AccessTexts>>, auth = NOBODY): QueryContext {
    return { catalog: this.catalog, access: this.access(access), auth, collection: this.collection(name) };
  }

  access(texts?: Readonly<Record<string, AccessTexts>>): AccessView {
    if (!texts) return { key: 'admin', collection: () => UNRESTRICTED };
    const rules = new Map(
      Object.entries(texts).map(([name, rule]) => [name, this.compileRules(this.collection(name), rule)]),
    );
    return { key: JSON.stringify(texts), collection: (name) => rules.get(name) };
  }

  private compileRules(collection: Collection, texts: AccessTexts): CollectionAccess {
    const record = new RawRecordSchema(this.catalog, collection);
    const check = (text: string | undefined, hasOld = false): CheckedExpression | null =>
      text === undefined
        ? null
        : checkExpression(parseExpression(text), hasOld ? { record, old: record } : { record });
    const preset = (field: string, given: { expression: string } | { value: JsonValue }): Preset => {
      if ('value' in given) return given;
      const expected = collection.fields.get(field)?.type;
      return { expression: checkExpression(parseExpression(given.expression), { record, expected }) };
    };
    const fields = (rule: RuleTexts): ReadonlySet<string> | '*' => (rule.fields ? new Set(rule.fields) : '*');
    const write = (rule: RuleTexts, index: number, hasOld: boolean) => ({
      id: `rule ${index}`,
      condition: check(rule.condition),
      check: check(rule.check, hasOld),
      fields: fields(rule),
      presets: new Map(
        Object.entries(rule.presets ?? {}).map(([field, given]) => [field, preset(field, given)]),
      ),
    });
    return {
      read: (texts.read ?? []).map((rule, index) => ({
        id: `rule ${index}`,
        condition: check(rule.condition),
        fields: fields(rule),
      })),
      create: (texts.create ?? []).map((rule, index) => write(rule, index, false)),
      update: (texts.update ?? []).map((rule, index) => write(rule, index, true)),
      delete: (texts.delete ?? []).map((rule, index) => ({
        id: `rule ${index}`,
        condition: check(rule.condition),
      })),
    };
  }

  /** Runs a write as the server does: prepared, every column as text. */
  async run(bound: BoundStatement | WriteQuery, client?: PoolClient): Promise<WriteResult> {
    const [row] = await this.execute(bound, client);
    const otherwise = 'bindOtherwise' in bound ? bound.bindOtherwise?.() : undefined;
    return readWriteResult(row ?? (otherwise ? (await this.execute(otherwise, client))[0] : undefined));
  }

  private async execute(bound: BoundStatement, client?: PoolClient): Promise<(string | null)[][]> {
    const { rows } = await (client ?? this.database.pool).query<(string | null)[]>({
      name: bound.statement.name,
      text: bound.statement.text,
      values: bound.values,
      rowMode: 'array',
      types: { getTypeParser: () => (value: string | Buffer) => value },
    });
    return rows;
  }

  async rows(text: string): Promise<unknown[]> {
    return this.database.query(text);
  }
}

/** A body of plain JavaScript data, as a client would send it. */
export const body = (value: unknown): JsonBody => parseJsonBody(JSON.stringify(value));

export const data = (result: WriteResult): unknown => (result.data === null ? null : JSON.parse(result.data));
