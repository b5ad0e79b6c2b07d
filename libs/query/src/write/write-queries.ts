import type { Sql } from '@plinth/expression';
import type { Collection } from '@plinth/schema';
import type { CollectionAccess } from '../access.js';
import { keyInput } from '../compile/key.js';
import { DEFAULT_QUERY_LIMITS, type QueryLimits } from '../limits.js';
import { readParameters, type Parameters } from '../parse/parameters.js';
import { PlanCache, type PlanCacheCounts } from '../plan-cache.js';
import { planFilter, type PlanContext } from '../plan/plan-context.js';
import { planFields } from '../plan/plan-list.js';
import { parseRecordKey } from '../record-key.js';
import type { BoundStatement, QueryContext, QueryParameters } from '../read-queries.js';
import { readShape, type RequestShape } from '../request-shape.js';
import { bindStatement, createStatement, type Statement } from '../statement.js';
import { compileCreate } from './compile/create.js';
import { compileMerge } from './compile/merge.js';
import { isMergeable } from './compile/sent-rows.js';
import { MAX_ROWS_INPUT } from './compile/target.js';
import { compileDeleteAttempt, compileUpdateAttempt } from './compile/direct.js';
import { compileDelete, compileUpdate } from './compile/update.js';
import type { FailureContext } from './failure/failure-context.js';
import { isJsonArray, isJsonObject, type JsonObjectNode } from './json-node.js';
import type { JsonBody } from './parse-json-body.js';
import { createKey, exactKey, groupRecords, type RecordGroup } from './plan/group-records.js';
import { planCreate, planReplace, planUpsert } from './plan/plan-create.js';
import {
  planDeletePermission,
  planPermission,
  planPresets,
  sendableFields,
} from './plan/write-permission.js';
import type { AnswerPlan, WriteTarget } from './plan/write-plan.js';
import { bindBody, bodyOfNode } from './sent-body.js';
import { RecordValidator, type PathKey, type RecordValidatorOptions } from './validate/record-validator.js';
import { WriteError } from './write-error.js';
import {
  bindVersions,
  findUniqueKey,
  knownFields,
  mergePrecondition,
  notSupported,
  pathKeyOf,
  requireRows,
  requireRules,
  unionOf,
  validateBody,
  validateOne,
} from './write-request.js';

export interface WriteOptions {
  /** Leave the records out of the answer (`Prefer: return=minimal`). */
  readonly isMinimal?: boolean;
}

export interface PreconditionOptions extends WriteOptions {
  /** Row versions of which the row must have one; `*`: any, but it must be there. */
  readonly ifMatch?: '*' | readonly string[] | null;
  /** `*` for a `PUT` that must only create. */
  readonly ifNoneMatch?: '*' | null;
}

/** A write that is ready to be run; its one row is for `readWriteResult`. */
export interface WriteQuery extends BoundStatement {
  readonly collection: Collection;
  /** Whether it creates, changes or deletes one record, in one plain statement. */
  readonly isOfOneRecord: boolean;
  /** What to run where the statement gave no row: it then tells why, or writes after all. Null where there is no need. */
  readonly bindOtherwise: (() => BoundStatement) | null;
  /** What an error of the database is told with. */
  readonly describe: () => WriteDescription;
}

/** Everything that a failed write may have to be told with. */
export interface WriteDescription extends FailureContext {
  /** The same write of the first records only; for finding out which one the database refuses. */
  readonly prefix: (count: number) => BoundStatement;
}

export interface WriteQueriesOptions {
  /** See `hiddenOrder`; equal on all instances. */
  readonly orderSecret: () => string;
  readonly limits?: Partial<QueryLimits>;
  /** How many plans are kept. */
  readonly cacheCapacity?: number;
  /** How many rows one update or delete by filter may change; null for any number. */
  readonly maxRows?: number | null;
}

const RECORD_PARAMETERS: ReadonlySet<string> = new Set(['fields']);
const CREATE_PARAMETERS: ReadonlySet<string> = new Set(['fields', 'upsertOn']);
const FILTER_PARAMETERS: ReadonlySet<string> = new Set(['fields', 'filter']);

/** The rows that an update or a delete is about, as the request says it. */
type TargetRequest =
  | { readonly kind: 'key'; readonly isConditional: boolean }
  | { readonly kind: 'filter'; readonly text: string; readonly isBounded: boolean };

interface WriteStatements {
  readonly statement: Statement;
  /** See `WriteQuery.otherwise`. */
  readonly otherwise: Statement | null;
}

/** What a request is about, taken apart. */
interface ParsedWrite {
  readonly context: QueryContext;
  readonly rules: CollectionAccess;
  readonly parameters: Parameters;
  readonly shape: RequestShape;
  readonly options: WriteOptions;
}

/**
 * Turns writes into statements, each with its values. A write whose shape was seen before costs the reading of its
 * body, a lookup and the binding. Every method throws `WriteError` or `QueryError` for a mistake of the request.
 */
export class WriteQueries {
  readonly limits: QueryLimits;
  readonly orderSecret: () => string;
  private readonly statements: PlanCache<WriteStatements>;
  private readonly validators: PlanCache<RecordValidator>;
  private readonly maxRows: number | null;

  constructor(options: WriteQueriesOptions) {
    this.orderSecret = options.orderSecret;
    this.limits = { ...DEFAULT_QUERY_LIMITS, ...options.limits };
    this.statements = new PlanCache(options.cacheCapacity);
    this.validators = new PlanCache(options.cacheCapacity);
    this.maxRows = options.maxRows ?? null;
  }

  get planCounts(): PlanCacheCounts {
    return this.statements.counts;
  }

  /** `POST` of one record or an array; with the parameter `upsertOn`, those that are there are updated. */
  create(
    context: QueryContext,
    body: JsonBody,
    given: QueryParameters,
    options: WriteOptions = {},
  ): WriteQuery {
    const write = this.parse('create', context, given, CREATE_PARAMETERS, options);
    const upsertOn = write.parameters.get('upsertOn');
    const { collection } = context;
    const { rules } = write;
    if (upsertOn === undefined) requireRules(rules.create, collection, 'created');
    else if (rules.create.length === 0) requireRules(rules.update, collection, 'created or updated');
    if (!collection.insertable) throw notSupported(collection, 'created');
    const key = upsertOn === undefined ? null : findUniqueKey(upsertOn, collection, rules);
    const validator = this.validator(context, key ? 'upsert' : 'create', () => ({
      collection,
      writable: key
        ? unionOf(sendableFields(rules.create, collection), sendableFields(rules.update, collection))
        : sendableFields(rules.create, collection),
      supplied: new Set(planPresets(rules.create, collection).map((preset) => preset.field)),
      isComplete: !key,
      isKeyFixed: false,
    }));
    const { isArray, pointer, checked } = validateBody(body.root, validator, key?.fields ?? []);
    const groups = groupRecords(checked, collection, key ? exactKey : createKey(rules.create, collection));
    const statement = this.statement(write, [isArray, groups.map(groupShape)], () => {
      const answer = this.planAnswer(write, isArray);
      const compiled = key
        ? compileMerge(planUpsert(collection, rules, groups, key, answer), context)
        : compileCreate(planCreate(collection, rules, groups, answer), context);
      return [null, compiled];
    });
    const nodes = isJsonArray(body.root) ? body.root : [body.root];
    const prefix = (count: number): BoundStatement =>
      this.create(context, bodyOfNode(isArray ? nodes.slice(0, count) : body.root), given, options);
    const isMerge = key !== null;
    const sent = { checked, pointer, prefix, isMerge, isOfOneRecord: !isArray && !isMerge };
    return finish(write, statement, bindBody(body, checked, groups), sent);
  }

  /** `PATCH` of one record. `key` is the last part of its path, still percent-encoded. */
  patch(
    context: QueryContext,
    key: string,
    body: JsonBody,
    given: QueryParameters,
    options: PreconditionOptions = {},
  ): WriteQuery {
    const write = this.parse('patch', context, given, RECORD_PARAMETERS, options);
    const target = this.bindKeyTarget(write, key, options);
    return this.update(write, body, target, pathKeyOf(context.collection, write.shape));
  }

  /** `PATCH` of the records that the parameter `filter` finds. */
  patchMany(
    context: QueryContext,
    body: JsonBody,
    given: QueryParameters,
    options: WriteOptions = {},
  ): WriteQuery {
    const write = this.parse('patchMany', context, given, FILTER_PARAMETERS, options);
    return this.update(write, body, this.readFilterTarget(write), new Map());
  }

  /** `PUT`: replaces the record, or creates it. */
  replace(
    context: QueryContext,
    key: string,
    body: JsonBody,
    given: QueryParameters,
    options: PreconditionOptions = {},
  ): WriteQuery {
    const write = this.parse('replace', context, given, RECORD_PARAMETERS, options);
    const { collection } = context;
    const { rules } = write;
    requireRules(rules.update.length > 0 ? rules.update : rules.create, collection, 'replaced');
    if (!collection.updatable || !collection.insertable) throw notSupported(collection, 'replaced');
    this.bindKey(write, key);
    const validator = this.validator(context, 'replace', () => ({
      collection,
      writable: unionOf(sendableFields(rules.create, collection), sendableFields(rules.update, collection)),
      supplied: new Set([
        ...collection.primaryKey,
        ...planPresets(rules.create, collection).map((preset) => preset.field),
        ...planPresets(rules.update, collection).map((preset) => preset.field),
      ]),
      isComplete: true,
      isKeyFixed: true,
    }));
    const record = validateOne(body.root, validator, pathKeyOf(collection, write.shape));
    const precondition = mergePrecondition(options);
    if (options.ifMatch && options.ifMatch !== '*') bindVersions(write.shape, options.ifMatch);
    const [group = { fields: [], indexes: [0] }] = groupRecords([record], collection, exactKey);
    const statement = this.statement(write, [precondition, groupShape(group)], () => {
      const answer = this.planAnswer(write, false);
      return [
        null,
        compileMerge(planReplace(collection, rules, group.fields, precondition, answer), context),
      ];
    });
    const sent = { checked: [record], isMerge: true, isOfOneRecord: false };
    return finish(write, statement, bindBody(body, [record], [group]), sent);
  }

  /** `DELETE` of one record. */
  delete(
    context: QueryContext,
    key: string,
    given: QueryParameters,
    options: PreconditionOptions = {},
  ): WriteQuery {
    const write = this.parse('delete', context, given, RECORD_PARAMETERS, options);
    return this.deleteTarget(write, this.bindKeyTarget(write, key, options));
  }

  /** `DELETE` of the records that the parameter `filter` finds. */
  deleteMany(context: QueryContext, given: QueryParameters, options: WriteOptions = {}): WriteQuery {
    const write = this.parse('deleteMany', context, given, FILTER_PARAMETERS, options);
    return this.deleteTarget(write, this.readFilterTarget(write));
  }

  private update(write: ParsedWrite, body: JsonBody, target: TargetRequest, pathKey: PathKey): WriteQuery {
    const { context, rules } = write;
    const { collection } = context;
    requireRules(rules.update, collection, 'updated');
    requireRows(collection, collection.updatable, 'updated');
    const validator = this.validator(context, 'update', () => ({
      collection,
      writable: sendableFields(rules.update, collection),
      supplied: new Set(),
      isComplete: false,
      isKeyFixed: false,
    }));
    const record = validateOne(body.root, validator, pathKey);
    const [group = { fields: [], indexes: [0] }] = groupRecords([record], collection, exactKey);
    const merged = new Set(
      group.fields
        .filter((field) => isMergeable(field.type) && isJsonObject(record.get(field.name) ?? null))
        .map((field) => field.name),
    );
    const statement = this.statement(
      write,
      [target.kind === 'key' ? target : target.kind, groupShape(group), [...merged]],
      () => {
        const answer = this.planAnswer(write, target.kind === 'filter');
        const presets = planPresets(rules.update, collection);
        const names = group.fields.map((field) => field.name);
        const permission = planPermission(rules.update, names);
        const parts = { collection, answer, fields: group.fields, merged, presets, permission };
        const plan = { kind: 'update' as const, ...parts, target: this.planTarget(target, write) };
        return [compileUpdateAttempt(plan, context), compileUpdate(plan, context)];
      },
    );
    const sent = { checked: [record], isOfOneRecord: target.kind === 'key' };
    return finish(write, statement, bindBody(body, [record], [group]), sent);
  }

  private deleteTarget(write: ParsedWrite, target: TargetRequest): WriteQuery {
    const { context, rules } = write;
    const { collection } = context;
    requireRules(rules.delete, collection, 'deleted');
    requireRows(collection, collection.deletable, 'deleted');
    const statement = this.statement(write, [target.kind === 'key' ? target : target.kind], () => {
      const answer = this.planAnswer(write, target.kind === 'filter');
      const permission = planDeletePermission(rules.delete);
      const parts = { collection, answer, permission, target: this.planTarget(target, write) };
      const plan = { kind: 'delete' as const, ...parts };
      return [compileDeleteAttempt(plan, context), compileDelete(plan, context)];
    });
    const sent = { checked: [], isOfOneRecord: target.kind === 'key' };
    return finish(write, statement, new Map(), sent);
  }

  private parse(
    action: string,
    context: QueryContext,
    given: QueryParameters,
    known: ReadonlySet<string>,
    options: WriteOptions,
  ): ParsedWrite {
    const { access, collection } = context;
    const rules = access.collection(collection.name) ?? { read: [], create: [], update: [], delete: [] };
    const parameters = readParameters(given, known, this.limits);
    const shape = readShape('record', context, parameters, this);
    const key = JSON.stringify([action, options.isMinimal ?? false]);
    return { context, rules, parameters, shape: { ...shape, key: `${key}${shape.key}` }, options };
  }

  private bindKey(write: ParsedWrite, key: string): void {
    const { collection, access } = write.context;
    parseRecordKey(key, collection, access).forEach((part, index) =>
      write.shape.inputs.set(keyInput(index), part),
    );
  }

  private bindKeyTarget(write: ParsedWrite, key: string, { ifMatch }: PreconditionOptions): TargetRequest {
    this.bindKey(write, key);
    const isConditional = ifMatch !== undefined && ifMatch !== null && ifMatch !== '*';
    if (isConditional) bindVersions(write.shape, ifMatch);
    return { kind: 'key', isConditional };
  }

  private readFilterTarget({ parameters, context, shape }: ParsedWrite): TargetRequest {
    const text = parameters.get('filter');
    if (text === undefined || text.trim() === '') {
      throw new WriteError(
        'filter-required',
        `Say which records of ${context.collection.name} are meant, with filter=...; filter=true means all.`,
      );
    }
    const isBounded = this.maxRows !== null;
    if (isBounded) shape.inputs.set(MAX_ROWS_INPUT, String(this.maxRows));
    return { kind: 'filter', text, isBounded };
  }

  private planTarget(target: TargetRequest, { context }: ParsedWrite): WriteTarget {
    if (target.kind === 'key') return target;
    const filter = planFilter(target.text, 'filter', context.collection, this.planContext(context));
    return { kind: 'filter', filter, isBounded: target.isBounded };
  }

  private planContext({ catalog, access }: QueryContext): PlanContext {
    return { catalog, access, limits: this.limits };
  }

  private planAnswer({ parameters, context, options }: ParsedWrite, isList: boolean): AnswerPlan {
    const selection = planFields(parameters, context.collection, this.planContext(context));
    return { selection: options.isMinimal ? null : selection, isList };
  }

  private validator(
    { catalog, access, collection }: QueryContext,
    action: string,
    build: () => RecordValidatorOptions,
  ): RecordValidator {
    const key = [action, catalog.version, access.key, collection.name].join('\0');
    return this.validators.get(key, () => new RecordValidator(build()));
  }

  /** `compile` gives an attempt that may give no row, where there is one, and the statement that always tells. */
  private statement(
    write: ParsedWrite,
    shape: unknown,
    compile: () => readonly [attempt: Sql | null, whole: Sql],
  ): WriteStatements {
    return this.statements.get(write.shape.key + JSON.stringify(shape), () => {
      const [attempt, whole] = compile();
      const statement = createStatement(whole);
      return attempt === null
        ? { statement, otherwise: null }
        : { statement: createStatement(attempt), otherwise: statement };
    });
  }
}

/** Puts values to a statement. */
function finish(
  { context, rules, shape }: ParsedWrite,
  { statement, otherwise }: WriteStatements,
  inputs: ReadonlyMap<string, string | null>,
  sent: {
    readonly checked: readonly JsonObjectNode[];
    readonly pointer?: (index: number) => string;
    readonly prefix?: (count: number) => BoundStatement;
    readonly isMerge?: boolean;
    readonly isOfOneRecord: boolean;
  },
): WriteQuery {
  const { catalog, access, collection, auth } = context;
  for (const [name, value] of inputs) shape.inputs.set(name, value);
  // A spread with one name more makes V8 put each object where only a full collection finds it.
  const given = { literals: shape.literals, inputs: shape.inputs, auth };
  const values = bindStatement(statement, given);
  return {
    statement,
    values,
    collection,
    isOfOneRecord: sent.isOfOneRecord,
    bindOtherwise: otherwise && (() => ({ statement: otherwise, values: bindStatement(otherwise, given) })),
    describe: () => ({
      catalog,
      access,
      collection,
      records: sent.checked.length,
      pointer: sent.pointer ?? (() => ''),
      prefix: sent.prefix ?? (() => ({ statement, values })),
      sentFields: new Set(sent.checked.flatMap((record) => [...record.keys()])),
      knownFields: knownFields(rules, collection),
      isMerge: sent.isMerge ?? false,
    }),
  };
}

/** What of a group belongs to the shape of its statement. */
const groupShape = ({ fields, indexes }: RecordGroup): readonly (string | number)[] =>
  fields.length === 0 ? [indexes.length] : fields.map((field) => field.name);
