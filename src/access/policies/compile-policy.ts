import {
  checkExpression,
  compileExpression,
  ExpressionError,
  parseExpression,
  suggestName,
  type CheckedExpression,
  type CheckEnvironment,
} from '@plinth/expression';
import {
  AliasSource,
  createScope,
  RawRecordSchema,
  UNRESTRICTED,
  type DeleteRule,
  type Preset,
  type ReadRule,
  type WriteRule,
} from '@plinth/query';
import type { Catalog, Collection, Field } from '@plinth/schema';
import { ACTOR_KINDS } from '../../common/context/index.js';
import type { ProblemDetail } from '../../common/errors/index.js';
import { fitsType, isJsonValue } from './constant-preset.js';
import type { Action, Policy } from './policy.entity.js';

/** A policy as it was written. */
export type PolicyDefinition = Pick<
  Policy,
  'collection' | 'action' | 'condition' | 'fields' | 'check' | 'presets'
>;

export type CompiledPolicy =
  | { readonly action: 'read'; readonly rule: ReadRule }
  | { readonly action: 'create' | 'update'; readonly rule: WriteRule }
  | { readonly action: 'delete'; readonly rule: DeleteRule };

const OPTIONAL_PARTS = ['condition', 'fields', 'check', 'presets'] as const;
type Part = (typeof OPTIONAL_PARTS)[number];

/** Which parts a policy for an action may have. */
const PARTS: Readonly<Record<Action, readonly Part[]>> = {
  read: ['condition', 'fields'],
  create: ['fields', 'check', 'presets'],
  update: ['condition', 'fields', 'check', 'presets'],
  delete: ['condition'],
};

const WHY_NOT: Readonly<Record<Part, string>> = {
  condition: 'is not for this action: there is no record before it is created; use check',
  fields: 'is not for this action: a record is deleted as a whole',
  check: 'is only for create and update',
  presets: 'is only for create and update',
};

/** All mistakes of a policy, each with its place. */
export class PolicyMistakes extends Error {
  override readonly name = 'PolicyMistakes';

  constructor(
    readonly mistakes: readonly ProblemDetail[],
    options?: ErrorOptions,
  ) {
    super(mistakes.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`).join('; '), options);
  }

  /** Any failure to compile a policy as a mistake of that policy. */
  static of(error: unknown): PolicyMistakes {
    if (error instanceof PolicyMistakes) return error;
    const detail = { pointer: '/', code: 'unusable', message: `cannot be compiled: ${String(error)}` };
    return new PolicyMistakes([detail], { cause: error });
  }
}

/**
 * Checks a policy against the catalog.
 * @throws PolicyMistakes that lists everything that is wrong with it
 */
export function compilePolicy(id: string, policy: PolicyDefinition, catalog: Catalog): CompiledPolicy {
  const collection = catalog.collections.get(policy.collection);
  if (!collection) {
    const message = `names no collection${nearMatch(policy.collection, catalog.collections.keys())}`;
    throw new PolicyMistakes([{ pointer: '/collection', code: 'unknown-collection', message }]);
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
    for (const part of OPTIONAL_PARTS) {
      if (this.policy[part] !== null && !PARTS[action].includes(part)) {
        this.refuse(`/${part}`, 'not-for-action', WHY_NOT[part]);
      }
    }
    const condition = this.predicate('condition', false);
    const check = this.predicate('check', action === 'update');
    const fields = this.fields();
    const presets = this.presets(fields);
    if (this.mistakes.length > 0) throw new PolicyMistakes(this.mistakes);
    const { id } = this;
    if (action === 'read') return { action, rule: { id, condition, fields } };
    if (action === 'delete') return { action, rule: { id, condition } };
    return { action, rule: { id, condition, check, fields, presets } };
  }

  private refuse(pointer: string, code: string, message: string): void {
    this.mistakes.push({ pointer, code, message });
  }

  private predicate(part: 'condition' | 'check', hasOld: boolean): CheckedExpression | null {
    const text = this.policy[part];
    const record = new RawRecordSchema(this.catalog, this.collection);
    return text === null
      ? null
      : this.expression(`/${part}`, text, { record, ...(hasOld ? { old: record } : {}) });
  }

  private expression(pointer: string, text: string, environment: CheckEnvironment): CheckedExpression | null {
    try {
      const checked = checkExpression(parseExpression(text), { ...environment, actorKinds: ACTOR_KINDS });
      this.tryCompile(checked);
      return checked;
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const { code, message, position } = error;
      this.mistakes.push({ pointer, code, message, position });
      return null;
    }
  }

  /** What cannot become SQL is better told to the author of the policy than to everybody whom it is for. */
  private tryCompile(checked: CheckedExpression): void {
    const { catalog, collection } = this;
    const access = { key: '', collection: () => UNRESTRICTED };
    const aliases = new AliasSource();
    const options = { catalog, access, collection, aliases, masked: false };
    const scope = createScope({ ...options, alias: aliases.next() });
    compileExpression(checked, scope, { oldScope: createScope({ ...options, alias: aliases.next() }) });
  }

  private fields(): ReadonlySet<string> | '*' {
    const { fields, action } = this.policy;
    if (fields === null || fields.includes('*')) return '*';
    if (fields.length === 0 && action === 'read') {
      this.refuse(
        '/fields',
        'required',
        'must name a field: a policy for reading that shows none gives nothing',
      );
    }
    fields.forEach((name, index) => this.findField(`/fields/${index}`, name));
    return new Set(fields);
  }

  private findField(pointer: string, name: string): Field | undefined {
    const field = this.collection.fields.get(name);
    if (!field) {
      const near = nearMatch(name, this.collection.fields.keys());
      this.refuse(pointer, 'unknown-field', `names no field of ${this.collection.name}${near}`);
    }
    return field;
  }

  private presets(fields: ReadonlySet<string> | '*'): ReadonlyMap<string, Preset> {
    const presets = new Map<string, Preset>();
    for (const [name, value] of Object.entries(this.policy.presets ?? {})) {
      const pointer = `/presets/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      const field = this.findField(pointer, name);
      if (!field) continue;
      if (!field.writable) this.refuse(pointer, 'read-only', 'is a field that no statement may set');
      else if (fields !== '*' && fields.has(name)) {
        this.refuse(
          pointer,
          'contradiction',
          'is among fields: either the caller sets it, or the server does',
        );
      } else {
        const preset =
          typeof value === 'string'
            ? this.formula(pointer, value, field)
            : this.constant(pointer, value, field);
        if (preset) presets.set(name, preset);
      }
    }
    return presets;
  }

  private formula(pointer: string, text: string, field: Field): Preset | null {
    const record = new RawRecordSchema(this.catalog, this.collection);
    const expression = this.expression(pointer, text, { record, expected: field.type });
    if (expression && this.policy.action === 'create' && expression.relations.size > 0) {
      this.refuse(
        pointer,
        'unsupported',
        'follows a relation, which a record that is not there yet does not have',
      );
      return null;
    }
    return expression && { expression };
  }

  private constant(pointer: string, value: unknown, field: Field): Preset | null {
    if (value === null && !field.nullable) {
      this.refuse(pointer, 'not-null', 'is null, which the field cannot be');
    } else if (!isJsonValue(value) || !fitsType(value, field.type)) {
      this.refuse(pointer, 'type', `is no value of type ${field.type.sql}`);
    } else return { value };
    return null;
  }
}

function nearMatch(name: string, names: Iterable<string>): string {
  const near = suggestName(name, [...names]);
  return near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
}
