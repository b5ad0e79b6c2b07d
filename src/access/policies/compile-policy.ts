import { checkExpression, ExpressionError, parseExpression, suggestName, type CheckedExpression } from '@plinth/expression';
import { RawRecordSchema, type DeleteRule, type JsonValue, type Preset, type ReadRule, type WriteRule } from '@plinth/query';
import type { Catalog, Collection } from '@plinth/schema';
import type { ProblemDetail } from '../../common/errors/index.js';
import type { Action, Policy } from './policy.entity.js';

/** A policy as it was written. */
export type PolicyDefinition = Pick<Policy, 'collection' | 'action' | 'condition' | 'fields' | 'check' | 'presets'>;

export type CompiledPolicy =
  | { readonly action: 'read'; readonly rule: ReadRule }
  | { readonly action: 'create' | 'update'; readonly rule: WriteRule }
  | { readonly action: 'delete'; readonly rule: DeleteRule };

/** Which parts a policy for an action may have. */
const PARTS: Readonly<Record<Action, readonly (keyof PolicyDefinition)[]>> = {
  read: ['condition', 'fields'],
  create: ['fields', 'check', 'presets'],
  update: ['condition', 'fields', 'check', 'presets'],
  delete: ['condition'],
};

const WHY_NOT: Readonly<Partial<Record<keyof PolicyDefinition, string>>> = {
  condition: 'is not for this action: there is no record before it is created; use check',
  fields: 'is not for this action: a record is deleted as a whole',
  check: 'is only for create and update',
  presets: 'is only for create and update',
};

/** All mistakes of a policy, each with its place. */
export class PolicyMistakes extends Error {
  override readonly name = 'PolicyMistakes';

  constructor(readonly mistakes: readonly ProblemDetail[]) {
    super(mistakes.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`).join('; '));
  }
}

/**
 * Checks a policy against the catalog.
 * @throws PolicyMistakes that lists everything that is wrong with it
 */
export function compilePolicy(id: string, policy: PolicyDefinition, catalog: Catalog): CompiledPolicy {
  const collection = catalog.collections.get(policy.collection);
  if (!collection) {
    const near = suggestName(policy.collection, [...catalog.collections.keys()]);
    throw new PolicyMistakes([
      {
        pointer: '/collection',
        code: 'unknown-collection',
        message: `names no collection${near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`}`,
      },
    ]);
  }
  return new PolicyCompiler(id, policy, catalog, collection).compile();
}

class PolicyCompiler {
  private readonly mistakes: ProblemDetail[] = [];

  constructor(
    private readonly id: string,
    private readonly policy: PolicyDefinition,
    private readonly catalog: Catalog,
    private readonly collection: Collection,
  ) {}

  compile(): CompiledPolicy {
    const { action } = this.policy;
    for (const part of ['condition', 'fields', 'check', 'presets'] as const) {
      if (this.policy[part] !== null && !PARTS[action].includes(part)) {
        this.mistakes.push({ pointer: `/${part}`, code: 'not-for-action', message: WHY_NOT[part] ?? 'is not for this action' });
      }
    }
    const condition = this.predicate('condition', false);
    const check = this.predicate('check', action === 'update');
    const fields = this.fields();
    const presets = this.presets(action === 'update');
    if (this.mistakes.length > 0) throw new PolicyMistakes(this.mistakes);
    const { id } = this;
    if (action === 'read') return { action, rule: { id, condition, fields } };
    if (action === 'delete') return { action, rule: { id, condition } };
    return { action, rule: { id, condition, check, fields, presets } };
  }

  private predicate(part: 'condition' | 'check', hasOld: boolean): CheckedExpression | null {
    const text = this.policy[part];
    return text === null ? null : this.expression(`/${part}`, text, hasOld);
  }

  private expression(
    pointer: string,
    text: string,
    hasOld: boolean,
    expected?: Parameters<typeof checkExpression>[1]['expected'],
  ): CheckedExpression | null {
    const record = new RawRecordSchema(this.catalog, this.collection);
    try {
      return checkExpression(parseExpression(text), { record, ...(hasOld ? { old: record } : {}), expected });
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const near = error.suggestion === undefined ? '' : ` Did you mean ${JSON.stringify(error.suggestion)}?`;
      this.mistakes.push({ pointer, code: error.code, message: `${error.message}${near}`, position: error.position });
      return null;
    }
  }

  private fields(): ReadonlySet<string> | '*' {
    const { fields } = this.policy;
    if (fields === null || fields.includes('*')) return '*';
    fields.forEach((name, index) => this.checkField(`/fields/${index}`, name));
    return new Set(fields);
  }

  private checkField(pointer: string, name: string): void {
    if (this.collection.fields.has(name)) return;
    const near = suggestName(name, [...this.collection.fields.keys()]);
    this.mistakes.push({
      pointer,
      code: 'unknown-field',
      message: `names no field of ${this.collection.name}${near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`}`,
    });
  }

  private presets(hasOld: boolean): ReadonlyMap<string, Preset> {
    const presets = new Map<string, Preset>();
    for (const [name, value] of Object.entries(this.policy.presets ?? {})) {
      const pointer = `/presets/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      this.checkField(pointer, name);
      const field = this.collection.fields.get(name);
      if (!field) continue;
      if (!field.writable) {
        this.mistakes.push({ pointer, code: 'read-only', message: 'is a field that no statement may set' });
      } else if (typeof value === 'string') {
        const expression = this.expression(pointer, value, hasOld, field.type);
        if (expression) presets.set(name, { expression });
      } else {
        presets.set(name, { value: value as JsonValue });
      }
    }
    return presets;
  }
}
