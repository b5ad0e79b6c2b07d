import type { DataType } from '@plinth/schema';
import { joinSql, rawSql, sql, type Sql } from '../sql.js';
import {
  isActorValue,
  type Comparison,
  type ExpressionNode,
  type MembershipNode,
  type RelationalOperator,
} from '../tree.js';
import { isScalar, stringFormOf } from '../value/data-types.js';
import type { EncodingData, ParameterEncoding } from '../bind-parameter.js';
import type { Compiler } from './compiler.js';
import {
  atom,
  bindOnce,
  comparison,
  conjunction,
  type Condition,
  disjunction,
  FALSE_CONDITION,
  negation,
  type Operand,
} from './operand.js';
import { compileSequence } from './compile-sequence.js';

const UPPER = rawSql("'ABCDEFGHIJKLMNOPQRSTUVWXYZ'");
const LOWER = rawSql("'abcdefghijklmnopqrstuvwxyz'");

export const lowerAsciiSql = (text: Sql): Sql => sql`translate(${text}, ${UPPER}, ${LOWER})`;
export const upperAsciiSql = (text: Sql): Sql => sql`translate(${text}, ${LOWER}, ${UPPER})`;

/** A parameter in the type of the column it meets: what it is cast to and how it is encoded. */
export interface ParameterShape {
  readonly castSql: string;
  readonly encoding: ParameterEncoding;
  readonly data?: EncodingData;
}

const MODE_SHAPES: Readonly<Record<Exclude<Comparison['mode'], 'enum' | 'text' | 'citext'>, ParameterShape>> =
  {
    bool: { castSql: 'bool', encoding: 'bool' },
    int: { castSql: 'int8', encoding: 'int' },
    double: { castSql: 'float8', encoding: 'float8' },
    float4: { castSql: 'float4', encoding: 'float4' },
    decimal: { castSql: 'numeric', encoding: 'numeric' },
    uuid: { castSql: 'uuid', encoding: 'uuid' },
    bytes: { castSql: 'bytea', encoding: 'bytea' },
    timestamp: { castSql: 'timestamptz', encoding: 'timestamp' },
    duration: { castSql: 'interval', encoding: 'duration' },
    json: { castSql: 'jsonb', encoding: 'json' },
  };

/** Whether the SQL of a parameter of this encoding may be null though its value is not. */
export const isFallibleEncoding = (encoding: ParameterEncoding): boolean =>
  encoding === 'uuid' || encoding === 'label' || encoding === 'char';

/** What a literal or a value of the actor becomes where it is compared; `other` is the column's type it meets. */
export function parameterShape({ mode, data }: Comparison, other: DataType | undefined): ParameterShape {
  if (mode === 'enum' && data?.kind === 'enum') {
    return { castSql: data.castSql, encoding: 'label', data: { values: data.values } };
  }
  if (mode === 'text' || mode === 'enum' || mode === 'citext') {
    const isChar = mode === 'text' && stringFormOf(other) === 'char';
    return isChar ? { castSql: 'bpchar', encoding: 'char' } : { castSql: 'text', encoding: 'text' };
  }
  return MODE_SHAPES[mode];
}

const isNondeterministic = (node: ExpressionNode): boolean =>
  node.type.data?.kind === 'scalar' && node.type.data.isNondeterministic === true;

const isParameter = (node: ExpressionNode): boolean =>
  node.op === 'literal' || node.op === 'auth' || (node.op === 'coercion' && node.operand.op === 'auth');

/** Whether a string comes straight out of one column: a computed one may have no collation that could be told. */
const hasOwnCollation = (node: ExpressionNode): boolean =>
  node.type.data !== undefined && node.op !== 'coercion';

/** Whether `=` knows by which collation to compare: where one side is a column and the other has none of its own. */
const isCollated = (left: ExpressionNode, right: ExpressionNode): boolean =>
  (isParameter(left) && (isParameter(right) || hasOwnCollation(right))) ||
  (isParameter(right) && hasOwnCollation(left));

/**
 * Two strings are equal if their code points are. `=` says so for every deterministic collation. Where the column's own
 * is none, `=` is kept beside the exact comparison, so that an index can serve it.
 */
function textEquality(compiler: Compiler, left: ExpressionNode, right: ExpressionNode): Condition[] {
  const mode = { mode: 'text' } as const;
  const [a, b] = [comparedTo(compiler, left, mode, right), comparedTo(compiler, right, mode, left)];
  const isExact = isNondeterministic(left) || isNondeterministic(right);
  const isPlain = isCollated(left, right);
  const exact = nullSafeEquality(a, b, sql`${a.sql} COLLATE "C" = ${b.sql}`);
  if (isPlain && isExact) return [comparison(sql`${a.sql} = ${b.sql}`, false), exact];
  // Two columns may have collations that PostgreSQL would not choose between.
  return [isPlain ? nullSafeEquality(a, b) : exact];
}

/** Equal without regard to the case of ASCII letters; `citext` itself would fold more, by rules of the database's own. */
function citextEquality(compiler: Compiler, left: ExpressionNode, right: ExpressionNode): Condition[] {
  const [a, b] = [left, right].map((node) => comparedTo(compiler, node, { mode: 'citext' }, node));
  if (a === undefined || b === undefined) throw new RangeError('two operands');
  const exact = nullSafeEquality(a, b, sql`${a.sql} COLLATE "C" = ${b.sql}`);
  const [column, other] = isParameter(right) ? [left, right] : [right, left];
  const isIndexable = stringFormOf(column.type.data) === 'citext' && other.op === 'literal';
  if (!isIndexable || column.type.data === undefined) return [exact];
  const parameter = compiler.literalParameter(other, column.type.data.castSql, 'text');
  return [comparison(sql`${compiler.stored(column).sql} = ${parameter}`, false), exact];
}

/** An operand of an equality; what the actor lacks equals nothing (see `isActorValue`). */
const comparedTo = (
  compiler: Compiler,
  node: ExpressionNode,
  how: Comparison,
  other: ExpressionNode,
): Operand => ({
  ...compiler.compared(node, how, other),
  isActor: isActorValue(node),
});

const nullTestOf = (operand: Operand): Sql => operand.isNull ?? sql`${operand.sql} IS NULL`;

/** `a = b`, or also both null; `equal` where that is not written with a plain `=`. */
function nullSafeEquality(a: Operand, b: Operand, equal: Sql = sql`${a.sql} = ${b.sql}`): Condition {
  if (a.isActor === true || b.isActor === true) return comparison(equal, false);
  const isSure = !a.nullable && !b.nullable && a.isFallible !== true && b.isFallible !== true;
  if (!a.nullable || !b.nullable) return comparison(equal, isSure);
  if (a.isSimple && b.isSimple) {
    // Not IS NOT DISTINCT FROM: no index serves it.
    const bothNull = conjunction([comparison(nullTestOf(a), true), comparison(nullTestOf(b), true)]);
    return disjunction([comparison(equal, false), bothNull]);
  }
  const fallible = [a, b].find((operand) => operand.isFallible === true);
  if (fallible === undefined) return comparison(sql`${a.sql} IS NOT DISTINCT FROM ${b.sql}`, true);
  // The SQL of the one is null also where its value is not.
  const other = fallible === a ? b : a;
  const isNull = nullTestOf(fallible);
  const either = bindOnce([other], (v) => sql`(${v} = ${fallible.sql} OR ${v} IS NULL AND ${isNull})`);
  return atom(either, false);
}

/** `left == right`. */
export function compileEquality(
  compiler: Compiler,
  left: ExpressionNode,
  right: ExpressionNode,
  how: Comparison,
): Condition {
  if (how.mode === 'text') return conjunction(textEquality(compiler, left, right));
  if (how.mode === 'citext') return conjunction(citextEquality(compiler, left, right));
  return nullSafeEquality(comparedTo(compiler, left, how, right), comparedTo(compiler, right, how, left));
}

/** `left != right`: true also where one side alone is null. */
export function compileInequality(
  compiler: Compiler,
  left: ExpressionNode,
  right: ExpressionNode,
  how: Comparison,
): Condition {
  const isPlainMode = how.mode !== 'text' && how.mode !== 'citext';
  const [a, b] = [compiler.compared(left, how, right), compiler.compared(right, how, left)];
  const isSure = [a, b].every((operand) => !operand.nullable && operand.isFallible !== true);
  const isSureText = how.mode === 'text' && isCollated(left, right) && !isNondeterministic(left);
  if (isSure && (isPlainMode || (isSureText && !isNondeterministic(right)))) {
    return comparison(sql`${a.sql} <> ${b.sql}`, true);
  }
  return negation(compileEquality(compiler, left, right, how));
}

const isStringMode = (mode: Comparison['mode']): boolean => mode === 'text' || mode === 'citext';

/** `left < right` and its kin: false where either side is null. */
export function compileRelational(
  compiler: Compiler,
  operator: RelationalOperator,
  [left, right]: readonly [ExpressionNode, ExpressionNode],
  how: Comparison,
): Condition {
  const [a, b] = isStringMode(how.mode)
    ? [orderedText(compiler, left, how), orderedText(compiler, right, how)]
    : [compiler.compared(left, how, right), compiler.compared(right, how, left)];
  const isSure = [a, b].every((operand) => !operand.nullable && operand.isFallible !== true);
  const collation = rawSql(isStringMode(how.mode) ? ' COLLATE "C"' : '');
  return comparison(sql`${a.sql}${collation} ${rawSql(operator)} ${b.sql}`, isSure);
}

/** A string for an order: always as text, for blank-padded types order otherwise. */
function orderedText(compiler: Compiler, node: ExpressionNode, how: Comparison): Operand {
  return how.mode === 'citext' ? compiler.compared(node, how, node) : compiler.value(node);
}

function compileLiteralMembership(compiler: Compiler, node: MembershipNode): Condition {
  const { needle, comparison: how, list } = node;
  if (list.op !== 'list') throw new TypeError(list.op);
  const elements = list.elements.filter((element) => element.type.kind !== 'null');
  if (elements.length === 0) return FALSE_CONDITION;
  const isPlain = elements.every((element) => isParameter(element));
  const [first = needle] = elements;
  const inList = (element: ExpressionNode, other: ExpressionNode): Operand =>
    isStringMode(how.mode) && !isPlain
      ? orderedText(compiler, element, how)
      : compiler.compared(element, how, other);
  const operands = elements.map((element) => inList(element, needle));
  const compared = inList(needle, first);
  const isSure = [compared, ...operands].every((operand) => !operand.nullable && operand.isFallible !== true);
  const needsCollation =
    isStringMode(how.mode) &&
    (isNondeterministic(needle) || how.mode === 'citext' || !isPlain || !hasOwnCollation(needle));
  const collation = rawSql(needsCollation ? ' COLLATE "C"' : '');
  const values = operands.map((operand) => operand.sql);
  if (how.mode === 'timestamp' && !isPlain) {
    // IN would take dates as timestamps, and fail on those that no timestamp can hold.
    const either = bindOnce([compared], (v) => {
      const equalities = values.map((value) => sql`${v} = ${value}`);
      return sql`(${joinSql(equalities, ' OR ')})`;
    });
    return atom(either, isSure);
  }
  return comparison(sql`${compared.sql}${collation} IN (${joinSql(values, ', ')})`, isSure);
}

const INT_BITS: Readonly<Record<string, number>> = { int2: 16, int4: 32 };

/**
 * The type in which a parameter can be looked for in an array by `@>`, which an index can serve; null where elements
 * are not simply equal by their type's own equality.
 */
function containmentShape(how: Comparison, element: DataType): ParameterShape | null {
  if (element.kind === 'scalar' && how.mode === 'int') {
    return { castSql: element.castSql, encoding: 'int', data: { bits: INT_BITS[element.name] } };
  }
  const isText =
    how.mode === 'text' && isScalar(element, 'text', 'varchar') && !isNondeterministicType(element);
  if (isText) return { castSql: element.castSql, encoding: 'text' };
  const isNative =
    how.mode === 'uuid' || how.mode === 'enum' || (how.mode === 'decimal' && isScalar(element, 'numeric'));
  return isNative ? parameterShape(how, element) : null;
}

const isNondeterministicType = (data: DataType): boolean =>
  data.kind === 'scalar' && data.isNondeterministic === true;

function compileContainment(compiler: Compiler, node: MembershipNode): Condition | null {
  const { needle, list, comparison: how } = node;
  const { data } = list.type;
  if (data?.kind !== 'array' || node.element !== node.variable || data.element.kind === 'domain') return null;
  const shape = containmentShape(how, data.element);
  if (shape === null || needle.op !== 'literal') return null;
  const parameter = compiler.literalParameter(needle, shape.castSql, shape.encoding, shape.data);
  const stored = compiler.stored(list);
  return comparison(sql`${stored.sql} @> ARRAY[${parameter}]`, !stored.nullable);
}

/** A list of the actor (`auth.roles`, a claim) as one array parameter of the needle's type. */
function compileActorMembership(compiler: Compiler, node: MembershipNode): Condition | null {
  const { needle, list, comparison: how } = node;
  if (list.op !== 'auth' || how.mode === 'json') return null;
  if (how.mode === 'citext') return null;
  const shape = parameterShape(how, needle.type.data);
  const data = { element: { encoding: shape.encoding, data: shape.data } };
  const parameter = compiler.parameterOf(
    { kind: 'auth', path: list.path },
    `${shape.castSql}[]`,
    'array',
    data,
  );
  const compared = compiler.compared(needle, how, node.element);
  const collation = rawSql(
    how.mode === 'text' && (isNondeterministic(needle) || !hasOwnCollation(needle)) ? ' COLLATE "C"' : '',
  );
  return comparison(sql`${compared.sql}${collation} = ANY(${parameter})`, false);
}

/** `needle in list`: false where the needle is null. */
export function compileMembership(compiler: Compiler, node: MembershipNode): Condition {
  if (node.list.op === 'list') return compileLiteralMembership(compiler, node);
  const direct = compileContainment(compiler, node) ?? compileActorMembership(compiler, node);
  if (direct !== null) return direct;
  const sequence = compileSequence(compiler, node.list);
  const predicate = compiler.within(node.variable.id, sequence.binding, () => {
    const equal = compiler.equality(node.needle, node.element, node.comparison);
    const needle = compiler.value(node.needle);
    return needle.nullable ? conjunction([equal, comparison(sql`${needle.sql} IS NOT NULL`, true)]) : equal;
  });
  return atom(sql`EXISTS (${sequence.select(rawSql('1'), predicate)})`, true);
}
