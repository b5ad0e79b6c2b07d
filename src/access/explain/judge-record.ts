import {
  planPermission,
  sendableFields,
  type CollectionAccess,
  type ReadRule,
  type WriteRule,
} from '@plinth/query';
import type { Collection, Field } from '@plinth/schema';
import type { Action } from '../policies/policy.entity.js';
import type { CompiledTruths, ExpressionTruths, RuleTruths } from './compile-truths.js';

/** What is known of the truth of conditions: on a record by their place in its statement's answer, else nothing. */
export type Truths = readonly boolean[] | null;

export interface Judgement {
  /** Null where it depends on the record and none was given. */
  readonly allowed: boolean | null;
  readonly readable: boolean | null;
  readonly fields: readonly string[];
  readonly sometimes: readonly string[];
}

type Rule = CollectionAccess[Action][number];
type Verdict = (rule: Rule) => boolean | null;

export const truthOf = (expression: ExpressionTruths | null, truths: Truths): boolean | null => {
  if (expression === null) return true;
  return truths === null ? null : truths[expression.at] === true;
};

/** Whether condition and check of a rule hold. */
export const appliesOf = ({ condition, check }: RuleTruths, truths: Truths): boolean | null =>
  all([truthOf(condition, truths), truthOf(check, truths)]);

/** Decides as the statements of reads and writes do: rules add up, for writes field by field. */
export function judgeRecord(
  action: Action,
  rules: CollectionAccess,
  collection: Collection,
  sent: readonly Field[],
  compiled: CompiledTruths,
  truths: Truths,
): Judgement {
  const verdicts = new Map(
    [...compiled.rules, ...compiled.reading].map((rule) => [rule.rule, appliesOf(rule, truths)]),
  );
  const verdict: Verdict = (rule) => verdicts.get(rule) ?? null;
  const readable = action === 'create' ? null : any(rules.read.map(verdict));
  const own =
    action === 'read' || action === 'delete'
      ? any(rules[action].map(verdict))
      : judgeSent(rules[action], sent, verdict);
  const allowed = action === 'create' ? own : all([readable, own]);
  const fields = listFields(action, rules, collection, verdict, readable);
  return { allowed, readable, ...fields };
}

function judgeSent(
  rules: CollectionAccess['create'],
  sent: readonly Field[],
  verdict: Verdict,
): boolean | null {
  if (rules.length === 0 || sent.some((field) => !field.writable)) return false;
  const clauses = planPermission(
    rules,
    sent.map(({ name }) => name),
  );
  return all(clauses.map((clause) => any(clause.map(verdict))));
}

function listFields(
  action: Action,
  rules: CollectionAccess,
  collection: Collection,
  verdict: Verdict,
  readable: boolean | null,
): Pick<Judgement, 'fields' | 'sometimes'> {
  if (action === 'delete' || (action === 'update' && readable === false))
    return { fields: [], sometimes: [] };
  const listed = rules[action].map((rule) => ({ value: verdict(rule), names: namesOf(rule, collection) }));
  const granted = [...collection.fields.keys()].map((name) => ({
    name,
    value: any(listed.filter(({ names }) => names.has(name)).map(({ value }) => value)),
  }));
  return {
    fields: granted.filter(({ value }) => value !== false).map(({ name }) => name),
    sometimes: granted.filter(({ value }) => value === null).map(({ name }) => name),
  };
}

/** The fields that a rule lets the actor read or send. */
function namesOf(rule: ReadRule | WriteRule, collection: Collection): ReadonlySet<string> {
  if ('presets' in rule) {
    const sendable = sendableFields([rule], collection);
    const fields = [...collection.fields.values()].filter((field) => field.writable);
    return new Set(fields.map(({ name }) => name).filter((name) => sendable.has(name)));
  }
  return rule.fields === '*' ? new Set(collection.fields.keys()) : rule.fields;
}

/** True where one is, false where none can be. */
function any(values: readonly (boolean | null)[]): boolean | null {
  if (values.includes(true)) return true;
  return values.includes(null) ? null : false;
}

/** False where one is, true where every one is. */
function all(values: readonly (boolean | null)[]): boolean | null {
  if (values.includes(false)) return false;
  return values.includes(null) ? null : true;
}
