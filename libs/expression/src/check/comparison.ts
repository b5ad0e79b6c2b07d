import type { DataType } from '@plinth/schema';
import type { TextRange } from '../expression-error.js';
import { isSmallInt } from '../lift-literals.js';
import type { Comparison, ExpressionNode, ExpressionType } from '../tree.js';
import { describeType, isSameEnum, isScalar, stringFormOf } from '../value/data-types.js';
import { refuse } from './check-context.js';

/** Two values that are compared, in the domain that suits both. */
export interface ComparedPair {
  readonly left: ExpressionNode;
  readonly right: ExpressionNode;
  readonly comparison: Comparison;
}

export type ComparisonPurpose = 'equality' | 'order';

/** The node as a value of `type`; itself where it is one already. */
export function coerce(node: ExpressionNode, type: ExpressionType): ExpressionNode {
  if (node.type.kind === type.kind) return node;
  return { op: 'coercion', operand: node, type, start: node.start, end: node.end };
}

export const isNumeric = (type: ExpressionType): boolean =>
  type.kind === 'int' || type.kind === 'double' || type.kind === 'decimal';

export const isJson = (type: ExpressionType): boolean => type.kind === 'dyn' || type.kind === 'claim';

const isLiteral = (node: ExpressionNode): boolean => node.op === 'literal';
/** Takes whatever form of string it meets. */
const isFlexible = (node: ExpressionNode): boolean =>
  isLiteral(node) || node.op === 'auth' || (node.op === 'coercion' && node.operand.op === 'auth');

function numericComparison(left: ExpressionNode, right: ExpressionNode): Comparison {
  const kinds = [left.type.kind, right.type.kind];
  if (kinds.every((kind) => kind === 'int')) return { mode: 'int' };
  const isFloat4 = (node: ExpressionNode): boolean => isScalar(node.type.data, 'float4');
  if ((isFloat4(left) && isLiteral(right)) || (isFloat4(right) && isLiteral(left))) return { mode: 'float4' };
  if (kinds.includes('decimal')) return { mode: 'decimal' };
  if (kinds.every((kind) => kind === 'double')) return { mode: 'double' };
  // A double against an int. A small integer is a double exactly; a double that is written out is a decimal exactly.
  const int = left.type.kind === 'int' ? left : right;
  const double = int === left ? right : left;
  const isSmall = int.op === 'literal' && isSmallInt(int.literal);
  return { mode: isSmall && !isLiteral(double) ? 'double' : 'decimal' };
}

function stringComparison(left: ExpressionNode, right: ExpressionNode): Comparison {
  const leftForm = stringFormOf(left.type.data);
  const rightForm = stringFormOf(right.type.data);
  if (leftForm === 'citext' || rightForm === 'citext') return { mode: 'citext' };
  for (const [node, form, other] of [
    [left, leftForm, right],
    [right, rightForm, left],
  ] as const) {
    const data: DataType | undefined = node.type.data;
    const otherData = other.type.data;
    if (data?.kind === 'enum') {
      const isSame = otherData?.kind === 'enum' && isSameEnum(data, otherData);
      if (isSame || isFlexible(other)) return { mode: 'enum', data };
    }
    if (form === 'uuid' && (isFlexible(other) || stringFormOf(otherData) === 'uuid'))
      return { mode: 'uuid', data };
  }
  return { mode: 'text' };
}

/** Whether JSON can stand for every value of the type, so that two such values can be compared as JSON. */
function isJsonComparable(type: ExpressionType): boolean {
  if (type.kind === 'list') return isJsonComparable(type.element);
  return (
    isNumeric(type) || isJson(type) || type.kind === 'bool' || type.kind === 'string' || type.kind === 'null'
  );
}

function coerceClaim(
  claim: ExpressionNode,
  other: ExpressionNode,
  purpose: ComparisonPurpose,
): ExpressionNode {
  const { type } = other;
  if (type.kind === 'int' && purpose === 'order') return coerce(claim, { kind: 'decimal' });
  const isInJson =
    isNumeric(type) || type.kind === 'bool' || type.kind === 'string' || type.kind === 'timestamp';
  return isInJson ? coerce(claim, type) : claim;
}

/** JSON of the database meets a typed value in an order: as a number, a string or a bool. */
function coerceDynForOrder(node: ExpressionNode, other: ExpressionNode): ExpressionNode {
  if (isNumeric(other.type)) return coerce(node, { kind: 'decimal' });
  if (other.type.kind === 'string' || other.type.kind === 'bool')
    return coerce(node, { kind: other.type.kind });
  return node;
}

function comparisonOf(
  left: ExpressionNode,
  right: ExpressionNode,
  purpose: ComparisonPurpose,
): Comparison | null {
  if (isNumeric(left.type) && isNumeric(right.type)) return numericComparison(left, right);
  if (left.type.kind === 'string' && right.type.kind === 'string') return stringComparison(left, right);
  if (left.type.kind === right.type.kind) {
    const { kind } = left.type;
    if (kind === 'bool' || kind === 'bytes' || kind === 'timestamp' || kind === 'duration')
      return { mode: kind };
  }
  if (purpose === 'order') return null;
  const isAnyJson =
    isJson(left.type) || isJson(right.type) || (left.type.kind === 'list' && right.type.kind === 'list');
  return isAnyJson && isJsonComparable(left.type) && isJsonComparable(right.type) ? { mode: 'json' } : null;
}

/**
 * Finds the domain in which two values are compared.
 *
 * @throws ExpressionError `type` where there is none.
 */
export function compareOperands(
  left: ExpressionNode,
  right: ExpressionNode,
  purpose: ComparisonPurpose,
  position: TextRange,
): ComparedPair {
  let [first, second] = [left, right];
  const isTyped = (node: ExpressionNode): boolean => !isJson(node.type) && node.type.kind !== 'null';
  if (left.type.kind === 'claim' && isTyped(right)) first = coerceClaim(left, right, purpose);
  if (right.type.kind === 'claim' && isTyped(left)) second = coerceClaim(right, left, purpose);
  if (purpose === 'order') {
    if (left.type.kind === 'dyn' && isTyped(right)) first = coerceDynForOrder(left, right);
    if (right.type.kind === 'dyn' && isTyped(left)) second = coerceDynForOrder(right, left);
  }
  const comparison = comparisonOf(first, second, purpose);
  if (comparison === null) {
    const what = purpose === 'order' ? 'ordered against' : 'compared with';
    throw refuse(
      'type',
      `${describeType(left.type)} cannot be ${what} ${describeType(right.type)}.`,
      position,
    );
  }
  return { left: first, right: second, comparison };
}

const STRING_MODES: ReadonlySet<string> = new Set(['text', 'citext', 'uuid', 'enum']);
const NUMBER_MODES: ReadonlySet<string> = new Set(['int', 'double', 'float4', 'decimal']);

/** The domain that holds both, for a list whose elements meet the needle in different ones; null where there is none. */
export function widenComparison(left: Comparison, right: Comparison): Comparison | null {
  if (left.mode === right.mode) return left;
  const modes = [left.mode, right.mode];
  if (modes.every((mode) => STRING_MODES.has(mode)))
    return { mode: modes.includes('citext') ? 'citext' : 'text' };
  if (modes.every((mode) => NUMBER_MODES.has(mode))) return { mode: 'decimal' };
  return null;
}
