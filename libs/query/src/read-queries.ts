import { suggestName, type AuthValues } from '@plinth/expression';
import type { Catalog, Collection } from '@plinth/schema';
import type { AccessView } from './access.js';
import { compileAggregate } from './compile/aggregate.js';
import { cutLastRecord, hasRecordsOfOneLine } from './compile/page-text.js';
import { keyInput } from './compile/key.js';
import { cursorInput } from './compile/keyset.js';
import { compileList, compileListRows, OFFSET_INPUT } from './compile/list.js';
import { compileRecord } from './compile/record.js';
import { cursorBinding, invalidCursor, openCursor, type CursorCodec } from './cursor.js';
import { QueryError } from './errors.js';
import { DEFAULT_QUERY_LIMITS, type QueryLimits } from './limits.js';
import {
  AGGREGATE_PARAMETERS,
  LIST_PARAMETERS,
  readInteger,
  readParameters,
  RECORD_PARAMETERS,
  type Parameters,
} from './parse/parameters.js';
import { PlanCache, type PlanCacheCounts } from './plan-cache.js';
import { readGroupLimit } from './plan/aggregate-plan.js';
import { readLimit } from './plan/limit.js';
import type { PageStart } from './plan/list-plan.js';
import { planAggregate } from './plan/plan-aggregate.js';
import { planList, planRecord } from './plan/plan-list.js';
import { checkRowBound } from './plan/plan-selection.js';
import type { SelectionPlan } from './plan/selection-plan.js';
import { parseRecordKey } from './record-key.js';
import { readShape, type RequestShape } from './request-shape.js';
import { bindStatement, createStatement, type Statement } from './statement.js';

/** Who asks what: the snapshot of the schema, the rules of the caller's roles, the caller, and a collection. */
export interface QueryContext {
  readonly catalog: Catalog;
  readonly access: AccessView;
  readonly auth: AuthValues;
  readonly collection: Collection;
}

/** Query parameters as they come out of the address, decoded. */
export type QueryParameters = Iterable<readonly [name: string, value: string]>;

/** A statement with its values, ready to be run. */
export interface BoundStatement {
  readonly statement: Statement;
  readonly values: (string | null)[];
}

/** Answers one row: `data`, `next` and, when asked for, `total`. */
export interface ListQuery extends BoundStatement {
  /** The cursor of the next page out of the row's `next`; null where there is none. */
  nextCursor(next: string | null): string | null;
  /** Records of the page, at most. */
  readonly rows: number;
  /** Whether the statement gives a row for each record (`record`, `next`, `total`) instead of one for the page. */
  readonly isRowByRow: boolean;
  /** The page's records, a JSON array, out of the row's `data` and `next`. */
  records(data: string, next: string | null): string;
}

/** Answers one row, `data` and `version`, or none. */
export interface RecordQuery extends BoundStatement {
  /** True where an unchanged `version` means an unchanged answer of the same statement. */
  readonly isRowVersionSufficient: boolean;
}

export interface ReadQueriesOptions {
  readonly cursors: CursorCodec;
  /** See `hiddenOrder`; equal on all instances. */
  readonly orderSecret: () => string;
  readonly limits?: Partial<QueryLimits>;
  /** How many plans are kept. */
  readonly cacheCapacity?: number;
}

interface CachedPlan {
  readonly statement: Statement;
  readonly selection: SelectionPlan | null;
  readonly isTotalOrder: boolean;
  readonly isRowVersionSufficient: boolean;
  /** Whether a list's text has one record more than the page, where another page follows. */
  readonly hasExtraRecord: boolean;
}

/** Finds a collection that the caller may read. Throws `QueryError` (`unknown-collection`) for any other name. */
export function getReadableCollection(catalog: Catalog, access: AccessView, name: string): Collection {
  const isReadable = (candidate: string): boolean => (access.collection(candidate)?.read.length ?? 0) > 0;
  const collection = catalog.collections.get(name);
  if (collection && isReadable(name)) return collection;
  const candidates = [...catalog.collections.keys()].filter((candidate) => isReadable(candidate));
  throw new QueryError('unknown-collection', `there is no collection ${JSON.stringify(name)}`, {
    name,
    suggestion: suggestName(name, candidates),
  });
}

/**
 * Turns requests into statements. A request whose shape was seen before costs a lookup and the binding of its values;
 * any other one is parsed, planned and compiled. Every method throws `QueryError` for a mistake of the request.
 */
export class ReadQueries {
  readonly limits: QueryLimits;
  readonly orderSecret: () => string;
  private readonly cursors: CursorCodec;
  private readonly plans: PlanCache<CachedPlan>;

  constructor(options: ReadQueriesOptions) {
    this.limits = { ...DEFAULT_QUERY_LIMITS, ...options.limits };
    this.cursors = options.cursors;
    this.orderSecret = options.orderSecret;
    this.plans = new PlanCache(options.cacheCapacity);
  }

  get planCounts(): PlanCacheCounts {
    return this.plans.counts;
  }

  list(context: QueryContext, given: QueryParameters): ListQuery {
    const { catalog, access, collection } = context;
    const parameters = readParameters(given, LIST_PARAMETERS, this.limits);
    const shape = readShape('list', context, parameters, this);
    const binding = (): string =>
      cursorBinding([
        collection.name,
        parameters.get('sort'),
        parameters.get('filter'),
        parameters.get('search'),
      ]);
    const { start, rowsBefore } = this.readStart(parameters, binding, shape);
    const rows = readLimit(parameters, 'limit', this.limits);
    const isRowByRow = rows > this.limits.maxWholeRows;
    const plan = this.plans.get(`${shape.key}${startKey(start)}${isRowByRow ? ' rows' : ''}`, () => {
      const base = planList(parameters, collection, { catalog, access, limits: this.limits });
      const keyCount = base.sort.isTotal ? base.sort.keys.length : 0;
      if (start.kind === 'after' && start.nullValues.length !== keyCount) throw invalidCursor();
      return {
        statement: createStatement((isRowByRow ? compileListRows : compileList)({ ...base, start }, context)),
        selection: base.selection,
        isTotalOrder: base.sort.isTotal,
        isRowVersionSufficient: false,
        hasExtraRecord: hasRecordsOfOneLine(base.selection),
      };
    });
    if (plan.selection) checkRowBound(plan.selection, rows, parameters, this);
    return {
      statement: plan.statement,
      values: bindValues(plan, shape, context),
      rows,
      isRowByRow,
      nextCursor: (next) =>
        next && this.cursors.seal(plan.isTotalOrder ? next : String(rowsBefore + rows), binding()),
      records: (data, next) => (next !== null && plan.hasExtraRecord ? cutLastRecord(data) : data),
    };
  }

  /** `key` is the last part of the record's path, still percent-encoded. */
  record(context: QueryContext, key: string, given: QueryParameters): RecordQuery {
    const { catalog, access, collection } = context;
    const parameters = readParameters(given, RECORD_PARAMETERS, this.limits);
    const shape = readShape('record', context, parameters, this);
    parseRecordKey(key, collection, access).forEach((part, index) => shape.inputs.set(keyInput(index), part));
    const plan = this.plans.get(shape.key, () => {
      const planned = planRecord(parameters, collection, { catalog, access, limits: this.limits });
      const { selection, isRowVersionSufficient } = planned;
      const statement = createStatement(compileRecord(planned, context));
      return { statement, selection, isTotalOrder: false, isRowVersionSufficient, hasExtraRecord: false };
    });
    if (plan.selection) checkRowBound(plan.selection, 1, parameters, this);
    const { statement, isRowVersionSufficient } = plan;
    return { statement, values: bindValues(plan, shape, context), isRowVersionSufficient };
  }

  /** Answers one row: `data`. */
  aggregate(context: QueryContext, given: QueryParameters): BoundStatement {
    const { catalog, access, collection } = context;
    const parameters = readParameters(given, AGGREGATE_PARAMETERS, this.limits);
    const shape = readShape('aggregate', context, parameters, this);
    shape.inputs.set('limit', String(readGroupLimit(parameters, this.limits)));
    shape.inputs.set(OFFSET_INPUT, String(this.readOffset(parameters)));
    const plan = this.plans.get(shape.key, () => ({
      statement: createStatement(
        compileAggregate(
          planAggregate(parameters, collection, { catalog, access, limits: this.limits }),
          context,
        ),
      ),
      selection: null,
      isTotalOrder: false,
      isRowVersionSufficient: false,
      hasExtraRecord: false,
    }));
    return { statement: plan.statement, values: bindValues(plan, shape, context) };
  }

  private readOffset(parameters: Parameters): number {
    return (
      readInteger(parameters, 'offset', { min: 0, max: this.limits.maxOffset, code: 'invalid-offset' }) ?? 0
    );
  }

  private readStart(
    parameters: Parameters,
    binding: () => string,
    shape: RequestShape,
  ): { readonly start: PageStart; readonly rowsBefore: number } {
    const rowsBefore = this.readOffset(parameters);
    const cursor = parameters.get('cursor');
    if (cursor === undefined) return this.startAt(rowsBefore, shape);
    if (parameters.has('offset')) {
      const message = 'cursor and offset exclude each other: each says where the page begins';
      throw new QueryError('conflicting-parameters', message, { parameter: 'offset' });
    }
    const position = openCursor(this.cursors, binding(), cursor);
    if (position.kind === 'offset') return this.startAt(position.offset, shape);
    position.values.forEach((value, index) => shape.inputs.set(cursorInput(index), value));
    return {
      start: { kind: 'after', nullValues: position.values.map((value) => value === null) },
      rowsBefore,
    };
  }

  private startAt(
    offset: number,
    shape: RequestShape,
  ): { readonly start: PageStart; readonly rowsBefore: number } {
    if (offset === 0) return { start: { kind: 'front' }, rowsBefore: 0 };
    shape.inputs.set(OFFSET_INPUT, String(offset));
    return { start: { kind: 'offset' }, rowsBefore: offset };
  }
}

const bindValues = (
  { statement }: CachedPlan,
  { literals, inputs }: RequestShape,
  { auth }: QueryContext,
): (string | null)[] => bindStatement(statement, { literals, inputs, auth });

const startKey = (start: PageStart): string =>
  start.kind === 'after'
    ? `after ${start.nullValues.map((isNull) => (isNull ? 'n' : 'v')).join('')}`
    : start.kind;
