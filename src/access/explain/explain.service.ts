import { Injectable } from '@nestjs/common';
import {
  bindStatement,
  createStatement,
  parseRecordKey,
  QueryError,
  type CollectionAccess,
} from '@plinth/query';
import { suggestName } from '@plinth/expression';
import type { Collection, Field } from '@plinth/schema';
import { CatalogService } from '../../catalog/index.js';
import type { Actor } from '../../common/context/index.js';
import { Database, type TextRow } from '../../common/database/index.js';
import { Problem, type ProblemDetail } from '../../common/errors/index.js';
import { AccessService } from '../access.service.js';
import { ApiKeysService } from '../keys/api-keys.service.js';
import type { Action } from '../policies/policy.entity.js';
import { ADMIN_ROLE, effectiveRoles, PUBLIC_ROLE } from '../roles/reserved-roles.js';
import { refuseUnknownRoles } from '../roles/unknown-role.js';
import { compileEffect } from './compile-effect.js';
import {
  compileTruths,
  type CompiledTruths,
  type ExpressionTruths,
  type RuleTruths,
} from './compile-truths.js';
import type {
  ExplainActorDto,
  ExplainDto,
  ExplainedExpressionDto,
  ExplainedRuleDto,
  ExplainedSqlDto,
  ExplanationDto,
  InactivePolicyDto,
} from './explain.dto.js';
import { appliesOf, judgeRecord, type Truths } from './judge-record.js';
import type { ExplanationSubject } from './record-source.js';

const NOTHING: CollectionAccess = { read: [], create: [], update: [], delete: [] };

/** Tells, for an actor, an action and a collection, which rules there are, and what they make of a record. */
@Injectable()
export class ExplainService {
  constructor(
    private readonly access: AccessService,
    private readonly keys: ApiKeysService,
    private readonly catalog: CatalogService,
    private readonly database: Database,
  ) {}

  /** @throws Problem `invalid-request` for a mistake in the question, `not-found` where there is no such record */
  async explain(request: ExplainDto): Promise<ExplanationDto> {
    refuseContradictions(request);
    const { action } = request;
    const actor = await this.getActor(request.actor);
    const catalog = this.catalog.current();
    const collection = getCollection([...catalog.collections.values()], request.collection);
    const given = request.record === undefined ? null : getFields(collection, request.record);
    const view = this.access.viewFor(actor.roles);
    const rules = view.collection(collection.name) ?? NOTHING;
    const hasKey = request.key !== undefined;
    const subject: ExplanationSubject = { catalog, view, rules, collection, action, hasKey, given };
    const compiled = compileTruths(subject);
    const truths = hasKey || given !== null ? await this.readTruths(subject, compiled, request, actor) : null;
    const judgement = judgeRecord(action, rules, collection, given ?? [], compiled, truths);
    const possible = isPossible(collection, action);
    return {
      ...judgement,
      allowed: possible ? judgement.allowed : false,
      possible,
      kind: actor.kind,
      roles: actor.roles,
      rules: compiled.rules.map((rule) => this.explainRule(rule, truths)),
      inactive: this.listInactive(subject, actor.roles),
      sql: explainEffect(subject, actor),
    };
  }

  private listInactive(
    { collection, action }: ExplanationSubject,
    roles: readonly string[],
  ): readonly InactivePolicyDto[] {
    return [...this.access.listPolicies()].flatMap(({ policy, mistakes }) => {
      const isMeant = policy.collection === collection.name && policy.action === action;
      return isMeant && mistakes && roles.includes(policy.role)
        ? [{ policy: policy.id, role: policy.role, problem: mistakes.message }]
        : [];
    });
  }

  private async getActor(actor: ExplainActorDto): Promise<Actor> {
    if (actor.keyId !== undefined) return this.keys.getActor(actor.keyId);
    const { roles = [], id = null, claims = {}, kind = isNobody(actor) ? 'public' : 'key' } = actor;
    refuseUnknownRoles(roles, '/actor/roles', this.access);
    return { kind, id, roles: effectiveRoles(roles), claims };
  }

  private async readTruths(
    subject: ExplanationSubject,
    compiled: CompiledTruths,
    { key, record }: ExplainDto,
    auth: Actor,
  ): Promise<readonly boolean[]> {
    const inputs = new Map<string, string | null>([['record', JSON.stringify(record ?? {})]]);
    if (key !== undefined) {
      readKey(key, subject).forEach((part, index) => inputs.set(`key.${index}`, part));
    }
    const { name, text, parameters } = createStatement(compiled.sql);
    const values = bindStatement({ name, text, parameters }, { literals: new Map(), auth, inputs });
    const [row] = await this.run(text, values);
    if (row === undefined) throw new Problem('not-found', { detail: 'There is no such record.' });
    return (row[0] ?? '{}')
      .slice(1, -1)
      .split(',')
      .map((flag) => flag === 't');
  }

  /** Not a named statement: explanations are rare, and each has a text of its own. */
  private async run(text: string, values: readonly (string | null)[]): Promise<readonly TextRow[]> {
    try {
      return await this.database.execute({ text, values });
    } catch (error) {
      const { code, message } = error as { code?: string; message?: string };
      if (!/^(22|23)/.test(code ?? '')) throw error;
      throw new Problem('value-rejected', {
        detail: 'A value of the record does not fit its field.',
        errors: [{ pointer: '/record', code: 'type', message: message ?? 'has a value that does not fit' }],
        cause: error,
      });
    }
  }

  private explainRule(rule: RuleTruths, truths: Truths): ExplainedRuleDto {
    const { id } = rule.rule;
    const policy = this.access.findPolicy(id)?.policy;
    const fields = 'fields' in rule.rule ? rule.rule.fields : '*';
    return {
      policy: policy === undefined ? null : id,
      role: policy?.role ?? ADMIN_ROLE,
      fields: fields === '*' ? '*' : [...fields],
      presets: 'presets' in rule.rule ? [...rule.rule.presets.keys()] : [],
      condition: explainExpression(rule.condition, truths),
      check: explainExpression(rule.check, truths),
      applies: appliesOf(rule, truths),
    };
  }
}

function explainExpression(
  expression: ExpressionTruths | null,
  truths: Truths,
): ExplainedExpressionDto | null {
  if (expression === null) return null;
  const valueAt = (at: number): boolean | null => truths && truths[at] === true;
  const parts = expression.parts.map(({ at, ...part }) => ({ ...part, value: valueAt(at) }));
  return { text: expression.text, value: valueAt(expression.at), parts };
}

function explainEffect(subject: ExplanationSubject, auth: Actor): ExplainedSqlDto | null {
  const { rules, action } = subject;
  if (rules[action].length === 0 || (action !== 'create' && rules.read.length === 0)) return null;
  const statement = createStatement(compileEffect(subject));
  const values = bindStatement(statement, { literals: new Map(), auth, inputs: new Map() });
  return { text: statement.text, parameters: values };
}

function readKey(key: string, { view, collection }: ExplanationSubject): readonly string[] {
  try {
    // Whoever asks is an administrator, so the actor's own view of the key does not matter.
    return parseRecordKey(key, collection, { key: view.key, collection: () => EVERYTHING });
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    throw invalid([{ pointer: '/key', code: error.code, message: error.message }], error);
  }
}

const EVERYTHING: CollectionAccess = {
  ...NOTHING,
  read: [{ id: 'explain', condition: null, fields: '*' }],
};

/** Whether an actor has nothing that the public has not. */
const isNobody = ({ roles = [], id = null, claims = {} }: ExplainActorDto): boolean =>
  id === null && roles.every((role) => role === PUBLIC_ROLE) && Object.keys(claims).length === 0;

function refuseContradictions({ actor, action, key, record }: ExplainDto): void {
  const errors: ProblemDetail[] = [];
  const { keyId, kind, roles, id, claims } = actor;
  const isOtherwiseGiven = [kind, roles, id, claims].some((member) => member !== undefined);
  if (keyId !== undefined && isOtherwiseGiven) {
    errors.push({ pointer: '/actor/keyId', code: 'contradiction', message: 'stands for the whole actor' });
  }
  if (kind === 'public' && !isNobody(actor)) {
    const message = 'has no id, no claims and no other role than public';
    errors.push({ pointer: '/actor/kind', code: 'contradiction', message });
  }
  if (keyId === undefined && roles === undefined) {
    errors.push({ pointer: '/actor', code: 'required', message: 'needs roles or keyId' });
  }
  if (action === 'create' && key !== undefined) {
    errors.push({
      pointer: '/key',
      code: 'not-for-action',
      message: 'is not for create: a new record has none',
    });
  }
  if ((action === 'read' || action === 'delete') && key !== undefined && record !== undefined) {
    errors.push({ pointer: '/record', code: 'contradiction', message: 'stands in place of key' });
  }
  if (errors.length > 0) throw invalid(errors);
}

function getCollection(collections: readonly Collection[], name: string): Collection {
  const found = collections.find((collection) => collection.name === name);
  if (found) return found;
  const names = collections.map((collection) => collection.name);
  throw invalid([
    {
      pointer: '/collection',
      code: 'unknown-collection',
      message: `names no collection${nearMatch(name, names)}`,
    },
  ]);
}

function getFields(collection: Collection, record: Readonly<Record<string, unknown>>): readonly Field[] {
  const names = [...collection.fields.keys()];
  const errors: ProblemDetail[] = [];
  const fields = Object.keys(record).flatMap((name) => {
    const field = collection.fields.get(name);
    if (field) return [field];
    const pointer = `/record/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    errors.push({ pointer, code: 'unknown-field', message: `is not a field${nearMatch(name, names)}` });
    return [];
  });
  if (errors.length > 0) throw invalid(errors);
  return fields;
}

function nearMatch(name: string, names: readonly string[]): string {
  const near = suggestName(name, names);
  return near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
}

/** What the grants and the kind of the table let Plinth's own role do. */
function isPossible({ privileges, insertable, updatable, deletable }: Collection, action: Action): boolean {
  const possible: Readonly<Record<Action, boolean>> = {
    read: privileges.select,
    create: insertable && privileges.insert,
    update: updatable && privileges.update,
    delete: deletable && privileges.delete,
  };
  return possible[action];
}

const invalid = (errors: readonly ProblemDetail[], cause?: unknown): Problem =>
  new Problem('invalid-request', {
    detail: errors.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`).join('; '),
    errors,
    cause,
  });
