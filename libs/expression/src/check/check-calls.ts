import type { ASTNode } from '@marcbachmann/cel-js';
import type { TextRange } from '../expression-error.js';
import { suggestName } from '../suggest-name.js';
import type { CalendarField, ExpressionNode, ExpressionType, FunctionName, LiteralNode } from '../tree.js';
import { describeType } from '../value/data-types.js';
import { parseDurationLiteral, parseTimestampLiteral } from '../value/temporal-literals.js';
import { translatePattern } from '../pattern/translate-pattern.js';
import { atNode, type CheckContext, refuse } from './check-context.js';
import { asStoredValue, nullTest } from './check-operators.js';
import { checkPath } from './check-names.js';
import { coerce, isJson } from './comparison.js';

const STRING: ExpressionType = { kind: 'string' };
const INT: ExpressionType = { kind: 'int' };

const STRING_PREDICATES: readonly string[] = ['startsWith', 'endsWith', 'contains'];

const CALENDAR_FIELDS: ReadonlySet<string> = new Set<CalendarField>([
  'getFullYear',
  'getMonth',
  'getDate',
  'getDayOfMonth',
  'getDayOfWeek',
  'getDayOfYear',
  'getHours',
  'getMinutes',
  'getSeconds',
  'getMilliseconds',
]);

const isCalendarField = (name: string): name is CalendarField => CALENDAR_FIELDS.has(name);

const FUNCTION_NAMES: readonly string[] = [
  ...STRING_PREDICATES,
  ...CALENDAR_FIELDS,
  'matches',
  'size',
  'lowerAscii',
  'upperAscii',
  'int',
  'double',
  'string',
  'timestamp',
  'duration',
  'has',
  'exists',
  'all',
  'exists_one',
  'filter',
  'map',
];

/** A call as it is written; the receiver of a method is its first argument. */
export interface Call {
  readonly name: string;
  readonly isMethod: boolean;
  readonly arguments: readonly ASTNode[];
  readonly position: TextRange;
}

function requireCount(call: Call, count: number): void {
  if (call.arguments.length === count) return;
  const given = call.isMethod ? call.arguments.length - 1 : call.arguments.length;
  const wanted = call.isMethod ? count - 1 : count;
  throw refuse(
    'type',
    `${call.name} takes ${wanted} argument${wanted === 1 ? '' : 's'}, not ${given}.`,
    call.position,
  );
}

function checkArgument(context: CheckContext, call: Call, index: number): ExpressionNode {
  const ast = call.arguments[index];
  if (ast === undefined) throw refuse('type', `${call.name} needs more arguments.`, call.position);
  return asStoredValue(context.check(context, ast));
}

function checkString(context: CheckContext, call: Call, index: number): ExpressionNode {
  const node = checkArgument(context, call, index);
  if (isJson(node.type)) return coerce(node, STRING);
  if (node.type.kind === 'string') return node;
  throw refuse('type', `${call.name} works on a string, not on ${describeType(node.type)}.`, node);
}

function callNode(
  name: FunctionName,
  args: readonly ExpressionNode[],
  type: ExpressionType,
  at: TextRange,
): ExpressionNode {
  return { op: 'call', name, arguments: args, type, start: at.start, end: at.end };
}

const isStringLiteral = (node: ExpressionNode): node is LiteralNode =>
  node.op === 'literal' && node.type.kind === 'string' && node.literal.kind === 'string';

function checkMatches(context: CheckContext, call: Call): ExpressionNode {
  requireCount(call, 2);
  const text = checkString(context, call, 0);
  const pattern = checkString(context, call, 1);
  if (!isStringLiteral(pattern)) {
    throw refuse('unsupported', 'The pattern of matches must be written out, not computed.', pattern);
  }
  const { usage, parsed } = context;
  usage.patterns += 1;
  if (usage.patterns > parsed.limits.maxPatterns) {
    throw refuse('too-complex', `There are more than ${parsed.limits.maxPatterns} patterns.`, pattern);
  }
  translatePattern(pattern.literal.value, pattern);
  return callNode('matches', [text, pattern], { kind: 'bool' }, call.position);
}

function checkSize(context: CheckContext, call: Call): ExpressionNode {
  requireCount(call, 1);
  const ast = call.arguments[0];
  if (ast === undefined) throw refuse('type', 'size needs an argument.', call.position);
  const node = checkPath(context, ast, 'structure');
  const { kind } = node.type;
  if (kind === 'list' || kind === 'string' || kind === 'bytes' || isJson(node.type)) {
    return callNode('size', [node], INT, call.position);
  }
  throw refuse('type', `size works on a list or a string, not on ${describeType(node.type)}.`, node);
}

function checkTimestamp(context: CheckContext, call: Call): ExpressionNode {
  requireCount(call, 1);
  const node = checkArgument(context, call, 0);
  if (node.type.kind === 'timestamp') return node;
  if (node.type.kind === 'claim') return coerce(node, { kind: 'timestamp' });
  if (!isStringLiteral(node)) {
    throw refuse(
      'unsupported',
      'timestamp(...) takes a text that is written out, such as "2026-01-31T12:00:00Z".',
      node,
    );
  }
  parseTimestampLiteral(node.literal.value, node);
  return { ...node, type: { kind: 'timestamp' } };
}

function checkDuration(context: CheckContext, call: Call): ExpressionNode {
  requireCount(call, 1);
  const node = checkArgument(context, call, 0);
  if (node.type.kind === 'duration') return node;
  if (!isStringLiteral(node)) {
    throw refuse(
      'unsupported',
      'duration(...) takes a text that is written out, such as "24h" or "1h30m".',
      node,
    );
  }
  parseDurationLiteral(node.literal.value, node);
  return { ...node, type: { kind: 'duration' } };
}

const CONVERTIBLE: Readonly<Record<'int' | 'double' | 'string', readonly string[]>> = {
  int: ['int', 'double', 'decimal', 'string', 'timestamp'],
  double: ['int', 'double', 'decimal', 'string'],
  string: ['int', 'decimal', 'string', 'bool', 'double', 'timestamp'],
};

function checkConversion(
  context: CheckContext,
  call: Call,
  name: 'int' | 'double' | 'string',
): ExpressionNode {
  requireCount(call, 1);
  const argument = checkArgument(context, call, 0);
  const node = isJson(argument.type)
    ? coerce(argument, { kind: name === 'string' ? 'string' : 'decimal' })
    : argument;
  if (!CONVERTIBLE[name].includes(node.type.kind)) {
    throw refuse('type', `${name}(...) cannot convert ${describeType(node.type)}.`, node);
  }
  return callNode(name, [node], { kind: name }, call.position);
}

const DURATION_FIELDS: ReadonlySet<string> = new Set([
  'getHours',
  'getMinutes',
  'getSeconds',
  'getMilliseconds',
]);

function checkCalendar(context: CheckContext, call: Call, name: CalendarField): ExpressionNode {
  if (call.arguments.length > 1) {
    throw refuse(
      'unsupported',
      `${name} gives the value in UTC; a time zone cannot be named.`,
      call.position,
    );
  }
  requireCount(call, 1);
  const checked = checkArgument(context, call, 0);
  const node = checked.type.kind === 'claim' ? coerce(checked, { kind: 'timestamp' }) : checked;
  const isDuration = node.type.kind === 'duration' && DURATION_FIELDS.has(name);
  if (node.type.kind !== 'timestamp' && !isDuration) {
    throw refuse('type', `${name} works on a timestamp, not on ${describeType(node.type)}.`, node);
  }
  return callNode(name, [node], INT, call.position);
}

/** `has(x)`: the value is there, that is, not null. */
function checkHas(context: CheckContext, call: Call): ExpressionNode {
  requireCount(call, 1);
  const ast = call.arguments[0];
  if (ast === undefined || (ast.op !== 'id' && ast.op !== '.' && ast.op !== '[]')) {
    throw refuse('type', 'has(...) takes the name or the path of a value.', call.position);
  }
  return nullTest(checkPath(context, ast, 'value'), true, call.position);
}

function unknownFunction(call: Call): Error {
  const suggestion = suggestName(call.name, FUNCTION_NAMES);
  const hint = suggestion === undefined ? '' : ` Did you mean ${suggestion}?`;
  return refuse(
    'unknown-name',
    `There is no function ${JSON.stringify(call.name)}.${hint}`,
    call.position,
    suggestion,
  );
}

/** Checks a call of a function; macros over lists are not among them. */
export function checkCall(context: CheckContext, call: Call): ExpressionNode {
  const { name, position } = call;
  if (isCalendarField(name) && call.isMethod) return checkCalendar(context, call, name);
  switch (name) {
    case 'startsWith':
    case 'endsWith':
    case 'contains':
      if (!call.isMethod) break;
      requireCount(call, 2);
      return callNode(
        name,
        [checkString(context, call, 0), checkString(context, call, 1)],
        { kind: 'bool' },
        position,
      );
    case 'lowerAscii':
    case 'upperAscii':
      if (!call.isMethod) break;
      requireCount(call, 1);
      return callNode(name, [checkString(context, call, 0)], STRING, position);
    case 'matches':
      return checkMatches(context, call);
    case 'size':
      return checkSize(context, call);
    case 'timestamp':
      if (call.isMethod) break;
      return checkTimestamp(context, call);
    case 'duration':
      if (call.isMethod) break;
      return checkDuration(context, call);
    case 'int':
    case 'double':
    case 'string':
      if (call.isMethod) break;
      return checkConversion(context, call, name);
    case 'has':
      if (call.isMethod) break;
      return checkHas(context, call);
    default:
  }
  throw unknownFunction(call);
}

/** A call as the parser gives it. */
export function callOf(ast: Extract<ASTNode, { op: 'call' | 'rcall' }>): Call {
  const position = atNode(ast);
  if (ast.op === 'call') return { name: ast.args[0], isMethod: false, arguments: ast.args[1], position };
  return { name: ast.args[0], isMethod: true, arguments: [ast.args[1], ...ast.args[2]], position };
}
