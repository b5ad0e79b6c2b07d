import type { AuthValues } from '../bind-parameter.js';
import type { CheckedExpression } from '../check/check-expression.js';
import {
  isActorValue,
  type CoercionNode,
  type Comparison,
  type EqualityNode,
  type ExpressionNode,
  type ExpressionType,
  type LiteralNode,
  type MembershipNode,
  type QuantifierNode,
} from '../tree.js';
import {
  coerceJson,
  type CoercionTarget,
  isJsonObject,
  isStorableJson,
  jsonMember,
  toJsonValue,
} from '../value/json.js';
import { LAST_STORABLE_INSTANT, POSITIVE_INFINITY_INSTANT } from '../value/instant.js';
import { isStorableText } from '../value/text-forms.js';
import { Decimal, Json, literalValue, type LiteralReading, type Value } from '../value/value.js';
import { compareValues, isEqualValue, toDecimal } from './compare-values.js';
import { computeArithmetic } from './evaluate-arithmetic.js';
import { computeCall } from './evaluate-call.js';
import { readValue } from './read-value.js';

/**
 * A record as parsed JSON, as `to_json` prints it: ints as number or bigint, numerics as number, bigint or text,
 * timestamps and intervals as text, bytea as base64, JSON as it is; far sides of relations within it, as a record or
 * null, or as a list of records. Numbers may also be those of `lossless-json`.
 */
export type RecordValue = Readonly<Record<string, unknown>>;

export interface EvaluationInput {
  readonly record: RecordValue;
  readonly old?: RecordValue | null;
  readonly auth: AuthValues;
  readonly now: Date;
}

type Bound = { readonly record: RecordValue } | { readonly value: Value };

const MODE_READINGS: Readonly<Record<Comparison['mode'], LiteralReading>> = {
  bool: 'string',
  int: 'int',
  double: 'double',
  float4: 'double',
  decimal: 'decimal',
  text: 'string',
  citext: 'string',
  uuid: 'string',
  enum: 'string',
  bytes: 'bytes',
  timestamp: 'timestamp',
  duration: 'duration',
  json: 'string',
};

const MODE_TARGETS: Partial<Readonly<Record<Comparison['mode'], CoercionTarget>>> = {
  bool: 'bool',
  int: 'int',
  double: 'double',
  float4: 'double',
  decimal: 'decimal',
  timestamp: 'timestamp',
};

const isRecordValue = (value: unknown): value is RecordValue => isJsonObject(value);

class Evaluator {
  private readonly bound = new Map<number, Bound>();

  constructor(private readonly input: EvaluationInput) {}

  holds(node: ExpressionNode): boolean {
    return this.value(node) === true;
  }

  value(node: ExpressionNode): Value {
    switch (node.op) {
      case 'constant':
        return node.value;
      case 'literal':
        return this.literal(node, literalReading(node));
      case 'now':
        return BigInt(this.input.now.getTime()) * 1000n;
      case 'field':
      case 'variable':
      case 'auth':
      case 'member':
      case 'key':
      case 'element':
        return this.read(node);
      case 'and':
        return node.operands.every((operand) => this.holds(operand));
      case 'or':
        return node.operands.some((operand) => this.holds(operand));
      case 'not':
        return !this.holds(node.operand);
      case 'conditional':
        return unified(this.value(this.holds(node.condition) ? node.whenTrue : node.whenFalse), node.type);
      case 'equality':
        return this.isEqual(node) !== node.isNegated;
      case 'null-test':
        return this.isNull(node.operand) !== node.isNegated;
      case 'relational': {
        const order = this.order(node.left, node.right, node.comparison);
        if (order === null) return false;
        const outcomes = { '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 };
        return outcomes[node.operator];
      }
      case 'membership':
        return this.isMember(node);
      case 'quantifier':
        return this.quantify(node);
      case 'arithmetic': {
        const [left, right] = [this.value(node.left), this.value(node.right)];
        return left === null || right === null ? null : computeArithmetic(node, left, right);
      }
      case 'minus':
        return negate(this.value(node.operand));
      case 'coercion':
        return this.coerce(node);
      case 'call': {
        const args = node.arguments.map((argument) => this.argument(argument));
        return args.includes(null) ? null : computeCall(node, args);
      }
      case 'list':
        return node.elements.map((element) => unified(this.value(element), element.type));
      default:
        throw new TypeError(`${node.op} is no single value`);
    }
  }

  /** An argument of `size` may also be a list of records, of which only the number counts. */
  private argument(node: ExpressionNode): Value {
    const isWalked = node.op === 'relation' || node.op === 'filter' || node.op === 'map';
    return isWalked ? (this.sequence(node)?.map(() => null) ?? null) : this.value(node);
  }

  private literal(node: LiteralNode, reading: LiteralReading): Value {
    return literalValue(node.literal, node.isNegated, reading);
  }

  /** The record that a node stands for; null where there is none. */
  private record(node: ExpressionNode): RecordValue | null {
    if (node.op === 'record') return node.root === 'old' ? (this.input.old ?? null) : this.input.record;
    if (node.op === 'variable') {
      const bound = this.bound.get(node.id);
      return bound !== undefined && 'record' in bound ? bound.record : null;
    }
    if (node.op !== 'relation') throw new TypeError(`${node.op} is no record`);
    const of = this.record(node.of);
    if (of === null) return null;
    const far = ownMember(of, node.name);
    return isRecordValue(far) ? far : null;
  }

  private read(node: ExpressionNode): Value {
    switch (node.op) {
      case 'field': {
        const record = this.record(node.of);
        return record === null ? null : readValue(ownMember(record, node.name), node.type);
      }
      case 'variable': {
        const bound = this.bound.get(node.id);
        if (bound === undefined || 'record' in bound) throw new TypeError('a record is no value');
        return bound.value;
      }
      case 'auth':
        return this.actor(node.path);
      case 'member': {
        const of = this.value(node.of);
        return of instanceof Json ? readValue(jsonMember(of.value, node.name), node.type) : null;
      }
      case 'key': {
        const of = this.value(node.of);
        return of instanceof Json ? toJsonValue(jsonMember(of.value, node.key)) : null;
      }
      case 'element':
        return this.element(this.value(node.of), this.value(node.index));
      default:
        throw new TypeError(`${node.op} is not stored`);
    }
  }

  private actor(path: readonly string[]): Value {
    const { auth } = this.input;
    const [member, ...keys] = path;
    if (member === 'kind') return auth.kind;
    if (member === 'id') return auth.id !== null && isStorableText(auth.id) ? auth.id : null;
    if (member === 'roles') return auth.roles.filter((role) => isStorableText(role));
    let claim: unknown = auth.claims;
    for (const key of keys) claim = jsonMember(claim, key);
    return isStorableJson(claim) ? toJsonValue(claim) : null;
  }

  private element(list: Value, index: Value): Value {
    if (typeof index !== 'bigint' || index < 0n) return null;
    if (list instanceof Json)
      return Array.isArray(list.value) ? toJsonValue(list.value[Number(index)]) : null;
    if (!Array.isArray(list)) return null;
    const element: Value = list[Number(index)] ?? null;
    return Array.isArray(element) ? null : element;
  }

  private coerce(node: CoercionNode): Value {
    const { operand, type } = node;
    if (operand.op === 'literal') return this.literal(operand, type.kind === 'double' ? 'double' : 'decimal');
    const value = this.value(operand);
    if (value instanceof Json) return coerceJson(value.value, coercionTarget(type.kind));
    if (value === null) return null;
    return type.kind === 'double' ? Number(value) : toDecimal(value);
  }

  /** A value as it is compared. */
  private compared(node: ExpressionNode, how: Comparison): Value {
    const inner = node.op === 'coercion' ? node.operand : node;
    if (inner.op === 'literal') {
      return this.literal(inner, how.mode === 'json' ? literalReading(inner) : MODE_READINGS[how.mode]);
    }
    const value = this.value(inner);
    const isClaim = inner.op === 'auth' && value instanceof Json && how.mode !== 'json';
    if (isClaim) return coerceJson(value.value, MODE_TARGETS[how.mode] ?? 'string');
    return inner === node ? value : this.value(node);
  }

  private isEqual(node: Pick<EqualityNode, 'left' | 'right' | 'comparison'>): boolean {
    const { left, right, comparison } = node;
    const [isLeftNull, isRightNull] = [left, right].map((side) =>
      this.isNull(side.op === 'coercion' ? side.operand : side),
    );
    if (isLeftNull === true || isRightNull === true) {
      return isLeftNull === true && isRightNull === true && !isActorValue(left) && !isActorValue(right);
    }
    const [one, other] = [this.compared(left, comparison), this.compared(right, comparison)];
    return one !== null && other !== null && isEqualValue(one, other, comparison);
  }

  private isNull(node: ExpressionNode): boolean {
    return node.type.kind === 'record' ? this.record(node) === null : this.value(node) === null;
  }

  private order(left: ExpressionNode, right: ExpressionNode, how: Comparison): number | null {
    const [one, other] = [this.compared(left, how), this.compared(right, how)];
    return one === null || other === null ? null : compareValues(one, other, how);
  }

  private isMember(node: MembershipNode): boolean {
    const { needle, list, comparison, variable, element } = node;
    if (this.isNull(needle)) return false;
    const isNeedleEqual = (right: ExpressionNode): boolean =>
      !this.isNull(right) && this.isEqual({ left: needle, right, comparison });
    if (list.op === 'list') return list.elements.some((item) => isNeedleEqual(item));
    const items = this.sequence(list) ?? [];
    return items.some((item) => this.within(variable.id, item, () => isNeedleEqual(element)));
  }

  private within<T>(id: number, bound: Bound, body: () => T): T {
    this.bound.set(id, bound);
    return body();
  }

  /** The elements that a macro, `in` or `size` walks; null where there is no list. */
  private sequence(node: ExpressionNode): readonly Bound[] | null {
    if (node.op === 'filter') {
      const source = this.sequence(node.source);
      return (
        source?.filter((item) => this.within(node.variable.id, item, () => this.holds(node.body))) ?? null
      );
    }
    if (node.op === 'map') {
      const source = this.sequence(node.source);
      return (
        source?.map((item) =>
          this.within(node.variable.id, item, () => ({ value: this.value(node.body) })),
        ) ?? null
      );
    }
    if (node.op === 'relation') {
      const of = this.record(node.of);
      const far = of === null ? [] : ownMember(of, node.name);
      if (!Array.isArray(far))
        throw new TypeError(`the relation ${JSON.stringify(node.name)} is not part of the record`);
      return far.filter((item) => isRecordValue(item)).map((record) => ({ record }));
    }
    const value = this.value(node);
    if (value instanceof Json) {
      return Array.isArray(value.value) ? value.value.map((item) => ({ value: toJsonValue(item) })) : null;
    }
    return Array.isArray(value) ? value.flat(6).map((item: Value) => ({ value: item })) : null;
  }

  private quantify(node: QuantifierNode): boolean {
    const items = this.sequence(node.source);
    if (items === null) return false;
    const holds = (item: Bound): boolean =>
      this.within(node.variable.id, item, () => this.holds(node.predicate));
    if (node.name === 'exists') return items.some((item) => holds(item));
    if (node.name === 'all') return items.every((item) => holds(item));
    return items.filter((item) => holds(item)).length === 1;
  }
}

/** @throws TypeError where the record lacks what the expression asks of it: silence would let a condition through. */
function ownMember(record: RecordValue, name: string): unknown {
  if (!Object.hasOwn(record, name)) throw new TypeError(`the record has no ${JSON.stringify(name)}`);
  return record[name];
}

/** A date that no timestamp can hold is none where dates and timestamps meet as values. */
function unified(value: Value, type: ExpressionType): Value {
  if (type.kind !== 'timestamp' || typeof value !== 'bigint' || value === POSITIVE_INFINITY_INSTANT)
    return value;
  return value > LAST_STORABLE_INSTANT ? null : value;
}

function negate(value: Value): Value {
  if (typeof value === 'bigint') return value === -(2n ** 63n) ? null : -value;
  if (typeof value === 'number') return -value;
  return Decimal.isDecimal(value) ? value.negated() : null;
}

function literalReading(node: LiteralNode): LiteralReading {
  const { kind } = node.type;
  const isReading =
    kind === 'int' || kind === 'double' || kind === 'bytes' || kind === 'timestamp' || kind === 'duration';
  return isReading ? kind : 'string';
}

function coercionTarget(kind: string): CoercionTarget {
  switch (kind) {
    case 'bool':
    case 'int':
    case 'double':
    case 'decimal':
    case 'timestamp':
      return kind;
    default:
      return 'string';
  }
}

/**
 * Evaluates a checked expression over a record in memory, with the same outcome as its SQL over the row. A predicate
 * gives true or false; an expression checked for a column's type gives a value, or null.
 *
 * @throws TypeError where the record lacks a field or relation that the expression uses.
 */
export function evaluateExpression(checked: CheckedExpression, input: EvaluationInput): Value {
  const evaluator = new Evaluator(input);
  return checked.expected === undefined ? evaluator.holds(checked.root) : evaluator.value(checked.root);
}
