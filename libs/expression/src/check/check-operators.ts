import type { ASTNode } from '@marcbachmann/cel-js';
import type { TextRange } from '../expression-error.js';
import type {
  ArithmeticMode,
  ArithmeticOperator,
  EqualityNode,
  ExpressionNode,
  ExpressionType,
  ListNode,
  MembershipNode,
  NullTestNode,
  RelationalOperator,
} from '../tree.js';
import { describeType, withoutData } from '../value/data-types.js';
import { refuseUnknownKind } from './check-actor-kind.js';
import { atNode, type CheckContext, refuse } from './check-context.js';
import {
  coerce,
  compareOperands,
  isJson,
  isNumeric,
  widenComparison,
  type ComparedPair,
} from './comparison.js';

const BOOL: ExpressionType = { kind: 'bool' };

/**
 * The node as a condition; JSON is one where it holds `true`.
 *
 * @throws ExpressionError `type` where it is none.
 */
export function asCondition(node: ExpressionNode): ExpressionNode {
  if (node.type.kind === 'bool') return node;
  if (isJson(node.type)) return coerce(node, BOOL);
  throw refuse('type', `A condition must be true or false, but this is ${describeType(node.type)}.`, node);
}

/** Refuses what is no single value: relations, sequences. */
function asValue(node: ExpressionNode): ExpressionNode {
  const { type } = node;
  if (type.kind === 'record') {
    throw refuse(
      'type',
      `${describeType(type)} is no value; name one of its fields, or compare it with null.`,
      node,
    );
  }
  return node;
}

const isSequence = (node: ExpressionNode): boolean =>
  node.op === 'filter' ||
  node.op === 'map' ||
  (node.type.kind === 'list' && node.type.element.kind === 'record');

/** Refuses lists that exist only while they are walked. */
export function asStoredValue(node: ExpressionNode): ExpressionNode {
  if (isSequence(node)) {
    throw refuse(
      'type',
      'This list can only be used in size(...), in "in", or with a macro such as exists.',
      node,
    );
  }
  return asValue(node);
}

export function checkLogic(context: CheckContext, ast: ASTNode, op: 'and' | 'or'): ExpressionNode {
  const symbol = op === 'and' ? '&&' : '||';
  const operands: ExpressionNode[] = [];
  let rest: ASTNode = ast;
  const reversed: ASTNode[] = [];
  while (rest.op === symbol) {
    reversed.push(rest.args[1]);
    rest = rest.args[0];
  }
  reversed.push(rest);
  for (const operandAst of reversed.toReversed()) {
    const operand = asCondition(context.check(context, operandAst));
    // `a && (b && c)` is the same chain.
    if (operand.op === op) operands.push(...operand.operands);
    else operands.push(operand);
  }
  return { op, operands, type: BOOL, ...atNode(ast) };
}

export function checkConditional(
  context: CheckContext,
  [conditionAst, trueAst, falseAst]: readonly [ASTNode, ASTNode, ASTNode],
  position: TextRange,
): ExpressionNode {
  const condition = asCondition(context.check(context, conditionAst));
  const whenTrue = asStoredValue(context.check(context, trueAst));
  const whenFalse = asStoredValue(context.check(context, falseAst));
  const type = commonType(whenTrue, whenFalse);
  if (type === null) {
    const [one, other] = [describeType(whenTrue.type), describeType(whenFalse.type)];
    throw refuse(
      'type',
      `Both outcomes must be of one type, but one is ${one}, the other ${other}.`,
      position,
    );
  }
  return {
    op: 'conditional',
    condition,
    whenTrue: coerceOutcome(whenTrue, type),
    whenFalse: coerceOutcome(whenFalse, type),
    type,
    ...position,
  };
}

const coerceOutcome = (node: ExpressionNode, type: ExpressionType): ExpressionNode =>
  node.type.kind === 'null' ? node : coerce(node, type);

function commonType(left: ExpressionNode, right: ExpressionNode): ExpressionType | null {
  for (const { type } of [left, right]) {
    if (type.kind === 'list' || type.kind === 'composite' || type.kind === 'record') return null;
  }
  if (isJson(left.type) && isJson(right.type)) return null;
  const [leftKind, rightKind] = [left.type.kind, right.type.kind];
  if (isNumeric(left.type) && isNumeric(right.type)) {
    if (leftKind === rightKind) return { kind: leftKind } as ExpressionType;
    const isDouble =
      !(leftKind === 'decimal' || rightKind === 'decimal') && left.op !== 'literal' && right.op !== 'literal';
    return { kind: isDouble ? 'double' : 'decimal' };
  }
  if (leftKind === rightKind) return leftKind === 'null' ? null : withoutData(left.type);
  if (leftKind === 'null') return isJson(right.type) ? null : withoutData(right.type);
  if (rightKind === 'null') return isJson(left.type) ? null : withoutData(left.type);
  // What JSON can hold: a number is a decimal, for it may be any.
  const typed = isJson(left.type) ? right.type : left.type;
  if (!isJson(left.type) && !isJson(right.type)) return null;
  if (isNumeric(typed)) return { kind: 'decimal' };
  return typed.kind === 'string' || typed.kind === 'bool' ? { kind: typed.kind } : null;
}

export function nullTest(operand: ExpressionNode, isNegated: boolean, position: TextRange): NullTestNode {
  if (operand.type.kind === 'list' && isSequence(operand)) {
    throw refuse(
      'type',
      'A list relation is never null; ask for size(...) == 0 or for !list.exists(...).',
      operand,
    );
  }
  return { op: 'null-test', isNegated, operand, type: BOOL, start: position.start, end: position.end };
}

function equalityNode(pair: ComparedPair, isNegated: boolean, position: TextRange): EqualityNode {
  const { left, right, comparison } = pair;
  return {
    op: 'equality',
    isNegated,
    left,
    right,
    comparison,
    type: BOOL,
    start: position.start,
    end: position.end,
  };
}

export function checkEquality(
  context: CheckContext,
  [leftAst, rightAst]: readonly [ASTNode, ASTNode],
  isNegated: boolean,
  position: TextRange,
): ExpressionNode {
  const left = context.check(context, leftAst);
  const right = context.check(context, rightAst);
  if (right.type.kind === 'null') return nullTest(left, isNegated, position);
  if (left.type.kind === 'null') return nullTest(right, isNegated, position);
  refuseUnknownKind(context, left, right);
  const pair = compareOperands(asStoredValue(left), asStoredValue(right), 'equality', position);
  return equalityNode(pair, isNegated, position);
}

export function checkRelational(
  context: CheckContext,
  operator: RelationalOperator,
  [leftAst, rightAst]: readonly [ASTNode, ASTNode],
  position: TextRange,
): ExpressionNode {
  const left = asStoredValue(context.check(context, leftAst));
  const right = asStoredValue(context.check(context, rightAst));
  return {
    op: 'relational',
    operator,
    ...compareOperands(left, right, 'order', position),
    type: BOOL,
    ...position,
  };
}

function checkLiteralMembership(
  context: CheckContext,
  needle: ExpressionNode,
  list: ListNode,
  position: TextRange,
): MembershipNode {
  let compared = needle;
  let comparison: MembershipNode['comparison'] | null = null;
  const elements = list.elements.map((element) => {
    if (element.type.kind === 'null') return element;
    refuseUnknownKind(context, needle, element);
    const pair = compareOperands(needle, element, 'equality', element);
    comparison = comparison === null ? pair.comparison : widenComparison(comparison, pair.comparison);
    if (comparison === null || (compared !== needle && compared.type.kind !== pair.left.type.kind)) {
      throw refuse('type', 'The elements of this list are of types that cannot be mixed.', element);
    }
    compared = pair.left;
    return pair.right;
  });
  const type = { kind: 'null' } as const;
  const variable = { op: 'variable', id: -1, name: '', type, start: list.start, end: list.end } as const;
  return {
    op: 'membership',
    needle: compared,
    list: { ...list, elements },
    variable,
    element: variable,
    comparison: comparison ?? { mode: 'json' },
    type: BOOL,
    start: position.start,
    end: position.end,
  };
}

export function checkMembership(
  context: CheckContext,
  [needleAst, listAst]: readonly [ASTNode, ASTNode],
  position: TextRange,
): ExpressionNode {
  const needle = asStoredValue(context.check(context, needleAst));
  const list = context.check(context, listAst);
  if (list.op === 'list') return checkLiteralMembership(context, needle, list, position);
  if (list.type.kind !== 'list' && !isJson(list.type)) {
    throw refuse('type', `"in" needs a list on its right, but this is ${describeType(list.type)}.`, list);
  }
  const elementType = list.type.kind === 'list' ? list.type.element : list.type;
  if (elementType.kind === 'record') {
    throw refuse('type', 'The list holds records; use exists(x, x.field == ...) instead of "in".', list);
  }
  const variable = context.createVariable('', elementType, list);
  const pair = compareOperands(needle, variable, 'equality', position);
  return {
    op: 'membership',
    needle: pair.left,
    list,
    variable,
    element: pair.right,
    comparison: pair.comparison,
    type: BOOL,
    start: position.start,
    end: position.end,
  };
}

/** JSON in arithmetic is taken as what the other side is: a number or, for `+`, a string. */
function coerceForArithmetic(node: ExpressionNode, other: ExpressionNode): ExpressionNode {
  if (!isJson(node.type)) return node;
  if (isNumeric(other.type)) return coerce(node, { kind: 'decimal' });
  if (other.type.kind === 'string') return coerce(node, { kind: 'string' });
  if (node.type.kind === 'claim' && other.type.kind === 'timestamp')
    return coerce(node, { kind: 'timestamp' });
  return node;
}

function numericMode(left: ExpressionNode, right: ExpressionNode): ArithmeticMode {
  const [leftKind, rightKind] = [left.type.kind, right.type.kind];
  if (leftKind === 'int' && rightKind === 'int') return 'int';
  if (leftKind === 'double' && rightKind === 'double') return 'double';
  if (leftKind === 'decimal' || rightKind === 'decimal') return 'decimal';
  const double = leftKind === 'double' ? left : right;
  return double.op === 'literal' ? 'decimal' : 'double';
}

function arithmeticMode(
  operator: ArithmeticOperator,
  left: ExpressionNode,
  right: ExpressionNode,
): ArithmeticMode | null {
  if (isNumeric(left.type) && isNumeric(right.type)) {
    const mode = numericMode(left, right);
    return operator === '%' && mode !== 'int' ? null : mode;
  }
  const kinds = `${left.type.kind} ${operator} ${right.type.kind}`;
  switch (kinds) {
    case 'string + string':
      return 'string';
    case 'timestamp + duration':
    case 'timestamp - duration':
      return 'timestamp-duration';
    case 'duration + timestamp':
      return 'duration-timestamp';
    case 'timestamp - timestamp':
      return 'timestamp-timestamp';
    default:
      return null;
  }
}

const ARITHMETIC_TYPES: Readonly<Record<ArithmeticMode, ExpressionType>> = {
  int: { kind: 'int' },
  double: { kind: 'double' },
  decimal: { kind: 'decimal' },
  string: { kind: 'string' },
  'timestamp-duration': { kind: 'timestamp' },
  'duration-timestamp': { kind: 'timestamp' },
  'timestamp-timestamp': { kind: 'duration' },
};

export function checkArithmetic(
  context: CheckContext,
  operator: ArithmeticOperator,
  [leftAst, rightAst]: readonly [ASTNode, ASTNode],
  position: TextRange,
): ExpressionNode {
  const first = asStoredValue(context.check(context, leftAst));
  const second = asStoredValue(context.check(context, rightAst));
  const left = coerceForArithmetic(first, second);
  const right = coerceForArithmetic(second, first);
  const mode = arithmeticMode(operator, left, right);
  if (mode === null) {
    const [one, other] = [describeType(first.type), describeType(second.type)];
    throw refuse('type', `"${operator}" cannot be applied to ${one} and ${other}.`, position);
  }
  const type = ARITHMETIC_TYPES[mode];
  const isNumber = isNumeric(type);
  return {
    op: 'arithmetic',
    operator,
    mode,
    left: isNumber ? coerce(left, type) : left,
    right: isNumber ? coerce(right, type) : right,
    type,
    ...position,
  };
}

export function checkMinus(context: CheckContext, operandAst: ASTNode, position: TextRange): ExpressionNode {
  const operand = asStoredValue(context.check(context, operandAst));
  const { type } = operand;
  if (!isNumeric(type)) throw refuse('type', `"-" cannot be applied to ${describeType(type)}.`, position);
  if (type.kind !== 'int' && type.kind !== 'double' && type.kind !== 'decimal')
    throw new TypeError(type.kind);
  return { op: 'minus', operand, type: { kind: type.kind }, ...position };
}
