import { Injectable } from '@nestjs/common';
import {
  compileExpression,
  explainExpression,
  joinSql,
  rawSql,
  sql,
  type AuthValues,
  type CheckedExpression,
  type Sql,
} from '@plinth/expression';
import {
  AliasSource,
  bindStatement,
  createScope,
  createStatement,
  inputParameter,
  keyInput,
  keyPredicate,
  parseRecordKey,
  QueryError,
  UNRESTRICTED,
  type AccessView,
  type DeleteRule,
  type ReadRule,
  type RowScope,
  type WriteRule,
} from '@plinth/query';
import type { Catalog, Collection } from '@plinth/schema';
import { CatalogService } from '../../catalog/index.js';
import { Database } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { ADMIN_ROLE, PUBLIC_ROLE } from '../access-snapshot.js';
import { AccessService } from '../access.service.js';
import { ApiKeysService } from '../keys/api-keys.service.js';
import type {
  ExplainActorDto,
  ExplainDto,
  ExplainedExpressionDto,
  ExplainedRuleDto,
  ExplanationDto,
} from './explain.dto.js';

type Rule = ReadRule | WriteRule | DeleteRule;

interface Question extends ExplainDto {
  readonly auth: AuthValues;
  readonly catalog: Catalog;
  readonly target: Collection;
  readonly rules: readonly Rule[];
}

const RECORD_INPUT = 'record';
const GIVEN = 'given';

/** Answers why: runs every part of every rule against the record, in the database, as a request would. */
@Injectable()
export class ExplainService {
  constructor(
    private readonly access: AccessService,
    private readonly catalog: CatalogService,
    private readonly keys: ApiKeysService,
    private readonly database: Database,
  ) {}

  async explain(request: ExplainDto): Promise<ExplanationDto> {
    if (request.key !== undefined && request.record !== undefined) {
      throw invalid('/record', 'excludes key: give one of them');
    }
    const auth = await this.identify(request.actor);
    const catalog = this.catalog.current();
    const target = catalog.collections.get(request.collection);
    if (!target) throw invalid('/collection', 'names no collection');
    const access = this.access.viewFor(auth.roles).collection(target.name);
    const rules: readonly Rule[] = access?.[request.action] ?? [];
    const question: Question = { ...request, auth, catalog, target, rules };
    const truths = await this.findTruths(question);
    const explained = rules.map((rule) => this.explainRule(rule, truths));
    return {
      allowed: combine(explained.map(({ applies }) => applies)),
      roles: [...auth.roles],
      rules: explained,
      fields: listFields(target, request.action, explained),
      sql: rules.length === 0 ? null : describeSql(question),
    };
  }

  private async identify(actor: ExplainActorDto): Promise<AuthValues> {
    if (actor.keyId !== undefined) {
      if (actor.roles !== undefined || actor.id !== undefined || actor.claims !== undefined) {
        throw invalid('/actor/keyId', 'excludes roles, id and claims: the key has its own');
      }
      const { id, roles, claims } = await this.keys.get(actor.keyId);
      return { id, roles: effectiveRoles(roles), claims };
    }
    const roles = actor.roles ?? [];
    const unknown = roles.findIndex((role) => !this.access.hasRole(role));
    if (unknown !== -1) throw invalid(`/actor/roles/${unknown}`, 'names no role');
    return { id: actor.id ?? null, roles: effectiveRoles(roles), claims: actor.claims ?? {} };
  }

  private explainRule(rule: Rule, truths: ReadonlyMap<CheckedExpression, readonly boolean[]> | null): ExplainedRuleDto {
    const condition = explainPart(rule.condition, truths);
    const check = explainPart('check' in rule ? rule.check : null, truths);
    const isUnrestricted = UNRESTRICTED.read.some(({ id }) => id === rule.id);
    const values = [condition, check].flatMap((part) => (part === null ? [] : [part.value]));
    return {
      policy: isUnrestricted ? null : rule.id,
      role: isUnrestricted ? ADMIN_ROLE : (this.access.findPolicyRole(rule.id) ?? ''),
      fields: !('fields' in rule) || rule.fields === '*' ? '*' : [...rule.fields],
      condition,
      check,
      applies: values.includes(false) ? false : values.includes(null) ? null : true,
    };
  }

  /** The truth of every part of every expression on the record; null where no record was given. */
  private async findTruths(question: Question): Promise<ReadonlyMap<CheckedExpression, readonly boolean[]> | null> {
    const { key, record } = question;
    if (key === undefined && record === undefined) return null;
    const expressions = question.rules.flatMap((rule) =>
      [rule.condition, 'check' in rule ? rule.check : null].filter((expression) => expression !== null),
    );
    const scope = openScope(question, key === undefined ? GIVEN : undefined);
    const parts = expressions.flatMap((expression) =>
      explainExpression(expression).map(({ checked }) =>
        compileExpression(checked, scope, { strict: true, oldScope: scope }),
      ),
    );
    const columns = joinSql([rawSql('1'), ...parts], ', ');
    const inputs = new Map<string, string | null>();
    let statement: Sql;
    if (key === undefined) {
      inputs.set(RECORD_INPUT, JSON.stringify(record));
      const table = rawSql(`NULL::${quotedTable(question.target)}`);
      statement = sql`WITH given AS (SELECT * FROM json_populate_record(${table}, ${inputParameter(RECORD_INPUT, 'json')}))
        SELECT ${columns} FROM given${scope.joins()}`;
    } else {
      parseKey(key, question.target).forEach((part, index) => inputs.set(keyInput(index), part));
      const where = keyPredicate(scope);
      statement = sql`SELECT ${columns} FROM ${scope.source()} WHERE ${where}`;
    }
    const row = await this.run(statement, question.auth, inputs);
    if (row === undefined) throw new Problem('not-found', { detail: 'There is no such record.' });
    return distribute(expressions, row.slice(1));
  }

  private async run(
    root: Sql,
    auth: AuthValues,
    inputs: ReadonlyMap<string, string | null>,
  ): Promise<readonly (string | null)[] | undefined> {
    const statement = createStatement(root);
    const values = bindStatement(statement, { literals: new Map(), auth, inputs });
    try {
      const [row] = await this.database.execute({ text: statement.text, values });
      return row;
    } catch (error) {
      const { code } = error as { code?: string };
      // What a person typed as a record does not fit the columns.
      if (code?.startsWith('22')) throw invalid('/record', 'does not fit the columns of the collection', error);
      throw error;
    }
  }
}

const effectiveRoles = (roles: readonly string[]): string[] => [...new Set([...roles, PUBLIC_ROLE])].sort();

const invalid = (pointer: string, message: string, cause?: unknown): Problem =>
  new Problem('invalid-request', {
    detail: `${pointer.slice(1)} ${message}`,
    errors: [{ pointer, code: 'invalid', message }],
    cause,
  });

const quotedTable = ({ schema, table }: Collection): string =>
  [schema, table].map((name) => `"${name.replaceAll('"', '""')}"`).join('.');

function parseKey(key: string, collection: Collection): readonly string[] {
  const everything: AccessView = { key: '', collection: () => UNRESTRICTED };
  try {
    return parseRecordKey(key, collection, everything);
  } catch (error) {
    if (error instanceof QueryError) throw invalid('/key', error.message, error);
    throw error;
  }
}

function openScope({ catalog, target }: Question, alias?: string): RowScope {
  const aliases = new AliasSource();
  const access: AccessView = { key: '', collection: () => UNRESTRICTED };
  return createScope({ catalog, access, collection: target, alias: alias ?? aliases.next(), aliases, masked: false });
}

function distribute(
  expressions: readonly CheckedExpression[],
  values: readonly (string | null)[],
): ReadonlyMap<CheckedExpression, readonly boolean[]> {
  const truths = new Map<CheckedExpression, readonly boolean[]>();
  let at = 0;
  for (const expression of expressions) {
    const { length } = explainExpression(expression);
    truths.set(
      expression,
      values.slice(at, at + length).map((value) => value === 't'),
    );
    at += length;
  }
  return truths;
}

function explainPart(
  expression: CheckedExpression | null,
  truths: ReadonlyMap<CheckedExpression, readonly boolean[]> | null,
): ExplainedExpressionDto | null {
  if (expression === null) return null;
  const values = truths?.get(expression);
  const parts = explainExpression(expression).map(({ text, start, end }, index) => ({
    text,
    start,
    end,
    value: values?.[index] ?? null,
  }));
  // An expression that is a constant has no parts; it is its own truth.
  const constant = expression.text.trim() === 'true' ? true : expression.text.trim() === 'false' ? false : null;
  return { text: expression.text, value: parts[0] ? parts[0].value : constant, parts };
}

/** Rules add up: one that applies is enough. */
function combine(applies: readonly (boolean | null)[]): boolean | null {
  if (applies.includes(true)) return true;
  return applies.includes(null) ? null : false;
}

function listFields(collection: Collection, action: ExplainDto['action'], rules: readonly ExplainedRuleDto[]): string[] {
  if (action === 'delete') return [];
  const applying = rules.filter(({ applies }) => applies !== false);
  return [...collection.fields.keys()].filter((field) =>
    applying.some(({ fields }) => fields === '*' || fields.includes(field)),
  );
}

/** The rows that the rules match, as a statement of its own. */
function describeSql(question: Question): { text: string; parameters: (string | null)[] } {
  const scope = openScope(question);
  const clauses = question.rules.map((rule) => {
    const parts = [rule.condition, 'check' in rule ? rule.check : null].flatMap((expression) =>
      expression === null ? [] : [sql`(${compileExpression(expression, scope, { oldScope: scope })})`],
    );
    return parts.length === 0 ? rawSql('true') : joinSql(parts, ' AND ');
  });
  const where = joinSql(clauses, ' OR ');
  const statement = createStatement(sql`SELECT ${rawSql(scope.alias)}.* FROM ${scope.source()} WHERE ${where}`);
  const values = bindStatement(statement, { literals: new Map(), auth: question.auth, inputs: new Map() });
  return { text: statement.text, parameters: values };
}

