import type { ASTNode } from '@marcbachmann/cel-js';
import type { ExpressionNode, ExpressionType, VariableNode } from '../tree.js';
import { describeType, withoutData } from '../value/data-types.js';
import { type Call } from './check-calls.js';
import { atNode, type CheckContext, refuse } from './check-context.js';
import { checkPath, isReservedName } from './check-names.js';
import { asCondition, asStoredValue } from './check-operators.js';
import { isJson } from './comparison.js';

const MACRO_NAMES: ReadonlySet<string> = new Set(['exists', 'all', 'exists_one', 'filter', 'map']);

export const isMacro = (call: Call): boolean => call.isMethod && MACRO_NAMES.has(call.name);

function checkSource(context: CheckContext, ast: ASTNode, name: string): ExpressionNode {
  const source = checkPath(context, ast, 'structure');
  if (source.type.kind === 'list' || isJson(source.type)) return source;
  throw refuse('type', `${name} works on a list, not on ${describeType(source.type)}.`, source);
}

const elementTypeOf = (source: ExpressionNode): ExpressionType =>
  source.type.kind === 'list' ? source.type.element : { kind: 'dyn' };

/** Lists within lists cost as much as relations on one path, whatever they hang on. */
function refuseDeepNesting(context: CheckContext, source: ExpressionNode): void {
  const { maxRelationDepth } = context.parsed.limits;
  const depth = Math.max(context.pathOf(source).length, [...context.variableNames()].length + 1);
  if (depth > maxRelationDepth) {
    throw refuse('too-deep', `More than ${maxRelationDepth} lists are walked within one another.`, source);
  }
}

/** The elements of a list literal are walked as values of one type. */
function refuseMixedList(source: ExpressionNode): void {
  if (source.op !== 'list' || source.type.kind !== 'list') return;
  const { element } = source.type;
  const stray = source.elements.find(({ type }) => type.kind !== 'null' && type.kind !== element.kind);
  const isUnusable = element.kind === 'null' || element.kind === 'dyn' || element.kind === 'claim';
  if (stray !== undefined || (isUnusable && source.elements.length > 0)) {
    throw refuse('type', 'The elements of this list must all be of one type.', stray ?? source);
  }
}

interface MacroScope {
  readonly source: ExpressionNode;
  readonly variable: VariableNode;
  /** Checks a node with the variable in force. */
  readonly inside: (ast: ASTNode) => ExpressionNode;
}

function openMacro(context: CheckContext, call: Call): MacroScope {
  const [sourceAst, variableAst] = call.arguments;
  if (sourceAst === undefined || variableAst === undefined || variableAst.op !== 'id') {
    const position = variableAst === undefined ? call.position : atNode(variableAst);
    throw refuse('type', `The first argument of ${call.name} is a name for the element.`, position);
  }
  if (isReservedName(variableAst.args)) {
    throw refuse(
      'type',
      `${JSON.stringify(variableAst.args)} has a meaning of its own.`,
      atNode(variableAst),
    );
  }
  const source = checkSource(context, sourceAst, call.name);
  refuseDeepNesting(context, source);
  refuseMixedList(source);
  const variable = context.createVariable(variableAst.args, elementTypeOf(source), atNode(variableAst));
  const bound = { node: variable, path: context.pathOf(source) };
  return {
    source,
    variable,
    inside: (ast) => context.withVariable(bound, () => context.check(context, ast)),
  };
}

function checkQuantifier(
  context: CheckContext,
  call: Call,
  name: 'exists' | 'all' | 'exists_one',
): ExpressionNode {
  const { source, variable, inside } = openMacro(context, call);
  const predicateAst = call.arguments[2];
  if (predicateAst === undefined || call.arguments.length > 3) {
    throw refuse('type', `${name} takes a name and a condition.`, call.position);
  }
  const predicate = asCondition(inside(predicateAst));
  return { op: 'quantifier', name, source, variable, predicate, type: { kind: 'bool' }, ...call.position };
}

function checkFilter(context: CheckContext, call: Call): ExpressionNode {
  const { source, variable, inside } = openMacro(context, call);
  const predicateAst = call.arguments[2];
  if (predicateAst === undefined || call.arguments.length > 3) {
    throw refuse('type', 'filter takes a name and a condition.', call.position);
  }
  const body = asCondition(inside(predicateAst));
  const type = { kind: 'list', element: elementTypeOf(source) } as const;
  return { op: 'filter', source, variable, body, type, ...call.position };
}

function checkMap(context: CheckContext, call: Call): ExpressionNode {
  const { source, variable, inside } = openMacro(context, call);
  const [, , firstAst, secondAst] = call.arguments;
  if (firstAst === undefined || call.arguments.length > 4) {
    throw refuse('type', 'map takes a name, perhaps a condition, and a value.', call.position);
  }
  if (secondAst !== undefined) {
    throw refuse('unsupported', 'Write list.filter(x, condition).map(x, value).', call.position);
  }
  const body = asStoredValue(inside(firstAst));
  return {
    op: 'map',
    source,
    variable,
    body,
    type: { kind: 'list', element: withoutData(body.type) },
    ...call.position,
  };
}

/** Checks a macro over a list. */
export function checkMacro(context: CheckContext, call: Call): ExpressionNode {
  switch (call.name) {
    case 'exists':
    case 'all':
    case 'exists_one':
      return checkQuantifier(context, call, call.name);
    case 'filter':
      return checkFilter(context, call);
    default:
      return checkMap(context, call);
  }
}
