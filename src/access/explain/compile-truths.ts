import {
  compileExpression,
  explainExpression,
  joinSql,
  sql,
  type CheckedExpression,
  type Sql,
} from '@plinth/expression';
import type { CollectionAccess, RowScope } from '@plinth/query';
import type { Action } from '../policies/policy.entity.js';
import { compileRecordSource, type ExplanationSubject } from './record-source.js';

type Rule = CollectionAccess[Action][number];

/** Where the truth of an expression and of its parts stands among the values that the statement gives. */
export interface ExpressionTruths {
  readonly text: string;
  readonly at: number;
  readonly parts: readonly PartTruth[];
}

export interface PartTruth {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly at: number;
}

export interface RuleTruths {
  readonly rule: Rule;
  readonly condition: ExpressionTruths | null;
  readonly check: ExpressionTruths | null;
}

/** A statement whose one value is an array of booleans, and what each of them tells. */
export interface CompiledTruths {
  readonly sql: Sql;
  readonly rules: readonly RuleTruths[];
  /** The rules that decide whether the record can be read at all, where the action is another one. */
  readonly reading: readonly RuleTruths[];
}

/** Compiles every condition and check of an action, with all their parts, over one record. */
export function compileTruths(subject: ExplanationSubject): CompiledTruths {
  const { action, rules } = subject;
  const source = compileRecordSource(subject);
  const flags: Sql[] = [];
  const add = (expression: CheckedExpression, scope: RowScope): number => {
    const options = { strict: true, oldScope: source.before.raw };
    return flags.push(sql`(${compileExpression(expression, scope.raw, options)})`) - 1;
  };
  const addExpression = (expression: CheckedExpression | null, scope: RowScope): ExpressionTruths | null => {
    if (expression === null) return null;
    const at = add(expression, scope);
    const parts = explainExpression(expression).filter(({ checked }) => checked.root !== expression.root);
    return {
      text: expression.text,
      at,
      parts: parts.map(({ text, start, end, checked }) => ({ text, start, end, at: add(checked, scope) })),
    };
  };
  const addRule = (rule: Rule): RuleTruths => ({
    rule,
    condition: addExpression(rule.condition, source.before),
    check: addExpression('check' in rule ? rule.check : null, source.after),
  });
  const own = rules[action].map(addRule);
  const reading = action === 'read' || action === 'create' ? [] : rules.read.map(addRule);
  const values = flags.length === 0 ? sql`'{}'::bool[]` : sql`ARRAY[${joinSql(flags, ', ')}]`;
  return {
    sql: sql`${source.with} SELECT ${values} FROM before${source.before.joins()} CROSS JOIN after${source.after.joins()}`,
    rules: own,
    reading,
  };
}
