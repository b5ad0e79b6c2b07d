import type { ASTNode } from '@marcbachmann/cel-js';
import type { DataType } from '@plinth/schema';
import { parseIntLiteral } from '../value/number-literals.js';
import type { ParsedExpression } from '../parse-expression.js';
import type { ExpressionNode, ExpressionType, LiteralNode } from '../tree.js';
import { describeType, expressionTypeOf, unwrapDomain, withoutData } from '../value/data-types.js';
import { callOf, checkCall } from './check-calls.js';
import { atNode, CheckContext, type CheckEnvironment, refuse } from './check-context.js';
import { checkMacro, isMacro } from './check-macros.js';
import { checkPath } from './check-names.js';
import {
  asCondition,
  asStoredValue,
  checkArithmetic,
  checkConditional,
  checkEquality,
  checkLogic,
  checkMembership,
  checkMinus,
  checkRelational,
} from './check-operators.js';
import { coerce, isJson, isNumeric } from './comparison.js';

/** An expression whose names and types are known to be right. Plain, immutable data. */
export interface CheckedExpression {
  readonly text: string;
  readonly root: ExpressionNode;
  /** Fields of the record itself that are used anywhere in it. */
  readonly fields: ReadonlySet<string>;
  /** Fields of the record before the update. */
  readonly oldFields: ReadonlySet<string>;
  /** Paths of the relations used, from the record on: `author`, `author.company`. */
  readonly relations: ReadonlySet<string>;
  readonly usesOld: boolean;
  readonly usesNow: boolean;
  readonly usesAuth: boolean;
  /** The type of column that the value is for, without domains; absent for predicates. */
  readonly expected?: DataType;
}

function checkLiteral(
  context: CheckContext,
  ast: Extract<ASTNode, { op: 'value' }>,
  isNegated: boolean,
): ExpressionNode {
  const position = atNode(ast);
  if (ast.args === null) return { op: 'constant', value: null, type: { kind: 'null' }, ...position };
  if (typeof ast.args === 'boolean')
    return { op: 'constant', value: ast.args, type: { kind: 'bool' }, ...position };
  const numbered = context.parsed.literals.get(ast.start);
  if (numbered === undefined)
    throw new Error(`no literal at ${ast.start} of ${JSON.stringify(context.parsed.text)}`);
  const { literal, index } = numbered;
  if (typeof ast.args === 'string' && (literal.kind !== 'string' || literal.value !== ast.args)) {
    throw new Error(
      `the literal at ${ast.start} of ${JSON.stringify(context.parsed.text)} was read in two ways`,
    );
  }
  if (literal.kind === 'uint') {
    throw refuse('unsupported', 'There are no unsigned numbers; leave out the "u".', position);
  }
  const node: LiteralNode = {
    op: 'literal',
    literal,
    index,
    isNegated,
    type: { kind: literal.kind },
    ...position,
  };
  if (literal.kind === 'int') parseIntLiteral(literal, isNegated);
  return node;
}

function checkMinusOrLiteral(context: CheckContext, ast: Extract<ASTNode, { op: '-_' }>): ExpressionNode {
  const operand = ast.args;
  const isNumber =
    operand.op === 'value' && (typeof operand.args === 'bigint' || typeof operand.args === 'number');
  if (!isNumber) return checkMinus(context, operand, atNode(ast));
  return { ...checkLiteral(context, operand, true), ...atNode(ast) };
}

function checkNode(context: CheckContext, ast: ASTNode): ExpressionNode {
  const position = atNode(ast);
  switch (ast.op) {
    case 'value':
      return checkLiteral(context, ast, false);
    case 'id':
    case '.':
    case '[]':
      return checkPath(context, ast, 'value');
    case '&&':
      return checkLogic(context, ast, 'and');
    case '||':
      return checkLogic(context, ast, 'or');
    case '!_':
      return {
        op: 'not',
        operand: asCondition(checkNode(context, ast.args)),
        type: { kind: 'bool' },
        ...position,
      };
    case '-_':
      return checkMinusOrLiteral(context, ast);
    case '?:':
      return checkConditional(context, ast.args, position);
    case '==':
    case '!=':
      return checkEquality(context, ast.args, ast.op === '!=', position);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return checkRelational(context, ast.op, ast.args, position);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return checkArithmetic(context, ast.op, ast.args, position);
    case 'in':
      return checkMembership(context, ast.args, position);
    case 'list':
      return checkList(context, ast.args, position);
    case 'call':
    case 'rcall': {
      const call = callOf(ast);
      return isMacro(call) ? checkMacro(context, call) : checkCall(context, call);
    }
    default:
      throw refuse('unsupported', 'Maps and optional values are not supported.', position);
  }
}

function checkList(
  context: CheckContext,
  args: readonly ASTNode[],
  position: ReturnType<typeof atNode>,
): ExpressionNode {
  const elements = args.map((element) => asStoredValue(checkNode(context, element)));
  for (const element of elements) {
    if (element.type.kind === 'list')
      throw refuse('unsupported', 'A list cannot be an element of a list.', element);
  }
  const first = elements.find((element) => element.type.kind !== 'null');
  return {
    op: 'list',
    elements,
    type: { kind: 'list', element: first === undefined ? { kind: 'null' } : withoutData(first.type) },
    ...position,
  };
}

/** The value as one that a column of this type takes. */
function asStorable(node: ExpressionNode, data: DataType): ExpressionNode {
  const value = asStoredValue(node);
  const expected = expressionTypeOf(data);
  const target = unwrapDomain(data);
  if (value.type.kind === 'null' || value.type.kind === expected.kind) {
    if (target.kind === 'enum' && value.op === 'literal' && !target.values.includes(value.literal.value)) {
      throw refuse(
        'type',
        `${JSON.stringify(value.literal.value)} is not one of ${target.values.join(', ')}.`,
        value,
      );
    }
    return value;
  }
  const isScalarTarget =
    expected.kind !== 'list' && expected.kind !== 'composite' && expected.kind !== 'record';
  if (isScalarTarget && isJson(value.type)) return coerce(value, { ...expected, data: target });
  if (isNumeric(value.type) && isNumeric(expected) && !(expected.kind === 'int'))
    return coerce(value, { kind: expected.kind } as ExpressionType);
  if (expected.kind === 'dyn' && expected.data !== undefined) return value;
  throw refuse(
    'type',
    `${describeType(value.type)} cannot be stored where ${describeType(expected)} is kept.`,
    node,
  );
}

/**
 * Checks names and types of a parsed expression.
 *
 * @throws ExpressionError with `unknown-name`, `type`, `too-deep`, `too-complex`, `bad-literal` or `unsupported`.
 */
export function checkExpression(parsed: ParsedExpression, environment: CheckEnvironment): CheckedExpression {
  const context = new CheckContext(parsed, environment, checkNode);
  const node = checkNode(context, parsed.ast);
  const { expected = 'bool' } = environment;
  const root = expected === 'bool' ? asCondition(node) : asStorable(node, expected);
  const { usage } = context;
  return {
    text: parsed.text,
    root,
    fields: usage.fields,
    oldFields: usage.oldFields,
    relations: usage.relations,
    usesOld: usage.usesOld,
    usesNow: usage.usesNow,
    usesAuth: usage.usesAuth,
    ...(expected === 'bool' ? {} : { expected: unwrapDomain(expected) }),
  };
}
