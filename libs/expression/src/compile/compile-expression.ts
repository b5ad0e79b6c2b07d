import type { DataType } from '@plinth/schema';
import type { CheckedExpression } from '../check/check-expression.js';
import type { RecordSchema, SqlField, SqlScope } from '../environment.js';
import { identifier, rawSql, sql, type Parameter, type ParameterSource, type Sql } from '../sql.js';
import type { CoercionNode, Comparison, ExpressionNode, LiteralNode, NullTestNode } from '../tree.js';
import { stringFormOf } from '../value/data-types.js';
import { isSmallInt } from '../lift-literals.js';
import { MAX_LITERAL_SCALE } from '../value/number-literals.js';
import type { EncodingData, ParameterEncoding } from '../bind-parameter.js';
import { compileArithmetic, compileMinus, doubleToDecimal } from './compile-arithmetic.js';
import { compileCall } from './compile-call.js';
import {
  compileEquality,
  compileInequality,
  compileMembership,
  compileRelational,
  isFallibleEncoding,
  lowerAsciiSql,
  parameterShape,
} from './compile-comparison.js';
import { compileAsJson, compileIndex, compileJson, compileJsonCoercion } from './compile-json.js';
import { compileQuantifier, unified } from './compile-sequence.js';
import { compileStorable } from './compile-storable.js';
import type { Binding, Compiler } from './compiler.js';
import {
  atom,
  comparison,
  conjunction,
  disjunction,
  FALSE_CONDITION,
  negation,
  strict,
  TRUE_CONDITION,
  type Condition,
  type Operand,
} from './operand.js';

export interface CompileOptions {
  /** The record before the update; needed where the expression speaks of `old`. */
  readonly oldScope?: SqlScope;
  /** Take the literals from the request's text, in the slot of this name, instead of making them constants. */
  readonly literals?: { readonly slot: string };
  /** For predicates: never null, so that it can also stand under `NOT` or be selected. Default false. */
  readonly strict?: boolean;
}

const INT_RANGES: Readonly<Record<string, { min: bigint; max: bigint }>> = {
  int2: { min: -32_768n, max: 32_767n },
  int4: { min: -2_147_483_648n, max: 2_147_483_647n },
};

const SMALL_RANGE = { min: -2_147_483_647n, max: 2_147_483_647n };

/** What a column's type tells of the numbers in it. */
function limitsOf(data: DataType | undefined): Pick<Operand, 'range' | 'size'> {
  if (data?.kind !== 'scalar') return {};
  const range = INT_RANGES[data.name];
  if (range !== undefined) return { range, size: { digits: 10, scale: 0 } };
  if (data.name === 'int8') return { size: { digits: 19, scale: 0 } };
  if (data.name !== 'numeric' || data.precision === undefined) return {};
  const { precision, scale = 0 } = data;
  return { size: { digits: Math.max(precision - scale, 0), scale: Math.max(scale, 0) } };
}

class ExpressionCompiler implements Compiler {
  private readonly bindings = new Map<number, Binding>();
  private aliases = 0;

  constructor(
    private readonly root: SqlScope,
    private readonly options: CompileOptions,
  ) {}

  alias(): string {
    this.aliases += 1;
    return `_e${this.aliases}`;
  }

  binding(id: number): Binding {
    const binding = this.bindings.get(id);
    if (binding === undefined) throw new Error(`variable ${id} is not bound`);
    return binding;
  }

  within<T>(id: number, binding: Binding, body: () => T): T {
    this.bindings.set(id, binding);
    return body();
  }

  parameterOf(
    source: ParameterSource,
    castSql: string,
    encoding: ParameterEncoding,
    data?: EncodingData,
  ): Parameter {
    return { source, castSql, encoding, ...(data === undefined ? {} : { encodingData: data }) };
  }

  literalParameter(
    node: LiteralNode,
    castSql: string,
    encoding: ParameterEncoding,
    data?: EncodingData,
  ): Parameter {
    const { literals } = this.options;
    const source: ParameterSource =
      literals === undefined
        ? { kind: 'constant', value: node.literal }
        : { kind: 'literal', slot: literals.slot, index: node.index };
    if (!node.isNegated) return this.parameterOf(source, castSql, encoding, data);
    return this.parameterOf(source, castSql, encoding, { ...data, isNegated: true });
  }

  scope(node: ExpressionNode): SqlScope {
    switch (node.op) {
      case 'record':
        if (node.root === 'record') return this.root;
        if (this.options.oldScope === undefined)
          throw new Error('the expression speaks of `old`, but there is no scope for it');
        return this.options.oldScope;
      case 'relation':
        return this.scope(node.of).one(node.name);
      case 'variable': {
        const binding = this.binding(node.id);
        if (binding.kind === 'record') return binding.scope;
        break;
      }
      default:
    }
    throw new TypeError(`${node.op} is no record`);
  }

  stored(node: ExpressionNode): Operand {
    switch (node.op) {
      case 'field': {
        const field: SqlField = this.scope(node.of).field(node.name);
        return { sql: field.sql, nullable: field.nullable, isSimple: true, ...limitsOf(node.type.data) };
      }
      case 'variable': {
        const binding = this.binding(node.id);
        if (binding.kind === 'record') throw new TypeError('a record is no value');
        return { ...binding.operand, ...limitsOf(node.type.data) };
      }
      case 'member': {
        const of = this.stored(node.of);
        const member = sql`(${of.sql}).${identifier(node.name)}`;
        return { sql: member, nullable: true, isSimple: of.isSimple, ...limitsOf(node.type.data) };
      }
      case 'element': {
        const of = this.stored(node.of);
        const index = compileIndex(this, node.index);
        // An array need not begin at 1, and an element of a matrix is not to be had by one index. An index beyond the
        // array is cut to just beyond it, lest the sum overflow.
        const within = sql`LEAST(${index}, array_length(${of.sql}, 1))`;
        const element = sql`(${of.sql})[${within} + array_lower(${of.sql}, 1)]`;
        return { sql: element, nullable: true, isSimple: of.isSimple, ...limitsOf(node.type.data) };
      }
      case 'auth':
        return this.authOperand(node.path, node.type.kind === 'list' ? 'text-array' : 'text');
      default:
        throw new TypeError(`${node.op} is not stored`);
    }
  }

  private authOperand(path: readonly string[], how: 'text' | 'text-array'): Operand {
    const source = { kind: 'auth', path } as const;
    const parameter =
      how === 'text'
        ? this.parameterOf(source, 'text', 'text')
        : this.parameterOf(source, 'text[]', 'array', { element: { encoding: 'text' } });
    return { sql: sql`${parameter}`, nullable: path[0] === 'id', isSimple: true };
  }

  value(node: ExpressionNode): Operand {
    switch (node.op) {
      case 'constant':
        return {
          sql: rawSql(String(node.value).toUpperCase()),
          nullable: node.value === null,
          isSimple: true,
        };
      case 'literal':
        return this.literal(node, { mode: literalMode(node) });
      case 'now':
        return { sql: rawSql('now()'), nullable: false, isSimple: true };
      case 'arithmetic':
        return compileArithmetic(this, node);
      case 'minus':
        return compileMinus(this, node);
      case 'call': {
        const call = compileCall(this, node);
        return node.type.kind === 'bool' ? { ...call, sql: sql`(${call.sql})` } : call;
      }
      case 'coercion':
        return this.coercion(node);
      case 'conditional': {
        const [then, otherwise] = [
          unified(this, node.whenTrue, node.type),
          unified(this, node.whenFalse, node.type),
        ];
        const condition = this.condition(node.condition);
        return {
          sql: sql`CASE WHEN ${condition.sql} THEN ${then.sql} ELSE ${otherwise.sql} END`,
          nullable: then.nullable || otherwise.nullable,
          isSimple: false,
        };
      }
      case 'field':
      case 'member':
      case 'variable':
      case 'element':
      case 'auth':
      case 'key':
        return this.read(node);
      default:
        if (node.type.kind !== 'bool') throw new TypeError(`${node.op} is no single value`);
        return { sql: sql`(${strict(this.condition(node)).sql})`, nullable: false, isSimple: false };
    }
  }

  /** A stored value as expressions see it. */
  private read(node: ExpressionNode): Operand {
    const { type } = node;
    if (type.kind === 'dyn' || type.kind === 'claim') return compileJson(this, node);
    const stored = this.stored(node);
    if (type.kind !== 'string') return stored;
    switch (stringFormOf(type.data)) {
      case 'text':
        return stored;
      case 'other':
        return { ...stored, sql: sql`(to_json(${stored.sql}) #>> '{}')` };
      default:
        return { ...stored, sql: sql`${stored.sql}::text` };
    }
  }

  private literal(node: LiteralNode, how: Comparison, other?: DataType): Operand {
    const shape = how.mode === 'citext' ? LOWER_TEXT : parameterShape(how, other);
    const parameter = this.literalParameter(node, shape.castSql, shape.encoding, shape.data);
    const range = node.type.kind === 'int' && isSmallInt(node.literal) ? SMALL_RANGE : undefined;
    return {
      sql: sql`${parameter}`,
      nullable: false,
      isSimple: true,
      isFallible: isFallibleEncoding(shape.encoding),
      range,
      size: { digits: 309, scale: MAX_LITERAL_SCALE },
    };
  }

  /** A value of the actor in the type that it meets. */
  private actor(path: readonly string[], how: Comparison, other?: DataType): Operand {
    const shape = how.mode === 'citext' ? LOWER_TEXT : parameterShape(how, other);
    const source = { kind: 'auth', path } as const;
    const value = sql`${this.parameterOf(source, shape.castSql, shape.encoding, shape.data)}`;
    const isFallible = isFallibleEncoding(shape.encoding);
    if (path[0] === 'kind') return { sql: value, nullable: false, isSimple: true, isFallible };
    const raw =
      path[0] === 'id' ? this.parameterOf(source, 'text', 'text') : this.parameterOf(source, 'jsonb', 'json');
    return { sql: value, nullable: true, isSimple: true, isFallible: true, isNull: sql`${raw} IS NULL` };
  }

  private coercion(node: CoercionNode): Operand {
    const { operand, type } = node;
    if (operand.op === 'literal')
      return this.literal(operand, { mode: type.kind === 'double' ? 'double' : 'decimal' });
    if (operand.op === 'auth') return this.actor(operand.path, { mode: coercionMode(type.kind) });
    if (operand.type.kind === 'dyn' || operand.type.kind === 'claim') {
      return compileJsonCoercion(this, operand, type.kind);
    }
    const value = this.value(operand);
    if (operand.type.kind === 'double') return doubleToDecimal(value);
    return { ...value, sql: sql`${value.sql}::${rawSql(type.kind === 'double' ? 'float8' : 'numeric')}` };
  }

  compared(node: ExpressionNode, how: Comparison, other: ExpressionNode): Operand {
    if (how.mode === 'json') return compileAsJson(this, node);
    const otherData = other.type.data;
    const inner = node.op === 'coercion' ? node.operand : node;
    if (inner.op === 'literal') return this.literal(inner, how, otherData);
    if (inner.op === 'auth') return this.actor(inner.path, how, otherData);
    switch (how.mode) {
      case 'uuid':
      case 'enum':
        return this.stored(node);
      case 'citext': {
        const text = this.value(node);
        return { ...text, sql: lowerAsciiSql(text.sql), isSimple: text.isSimple };
      }
      case 'text': {
        const isParameter = other.op === 'literal' || other.op === 'auth' || other.op === 'coercion';
        const isPadded = stringFormOf(node.type.data) === 'char' && isParameter;
        return isPadded ? this.stored(node) : this.value(node);
      }
      case 'decimal':
        return node.type.kind === 'double' ? doubleToDecimal(this.value(node)) : this.value(node);
      default:
        return this.value(node);
    }
  }

  equality(left: ExpressionNode, right: ExpressionNode, how: Comparison): Condition {
    return compileEquality(this, left, right, how);
  }

  condition(node: ExpressionNode): Condition {
    switch (node.op) {
      case 'constant':
        return node.value === true ? TRUE_CONDITION : FALSE_CONDITION;
      case 'and':
        return conjunction(node.operands.map((operand) => this.condition(operand)));
      case 'or':
        return disjunction(node.operands.map((operand) => this.condition(operand)));
      case 'not':
        return negation(this.condition(node.operand));
      case 'equality':
        if (node.isNegated) return compileInequality(this, node.left, node.right, node.comparison);
        return compileEquality(this, node.left, node.right, node.comparison);
      case 'relational':
        return compileRelational(this, node.operator, [node.left, node.right], node.comparison);
      case 'membership':
        return compileMembership(this, node);
      case 'null-test':
        return this.nullTest(node);
      case 'quantifier':
        return compileQuantifier(this, node);
      case 'conditional': {
        const [condition, then, otherwise] = [node.condition, node.whenTrue, node.whenFalse].map((part) =>
          this.condition(part),
        );
        if (condition === undefined || then === undefined || otherwise === undefined)
          throw new RangeError('three parts');
        const text = sql`CASE WHEN ${condition.sql} THEN ${then.sql} ELSE ${otherwise.sql} END`;
        return atom(text, then.isTwoValued && otherwise.isTwoValued);
      }
      case 'call': {
        const call = compileCall(this, node);
        return comparison(call.sql, !call.nullable);
      }
      default: {
        const value = this.value(node);
        return atom(value.sql, !value.nullable);
      }
    }
  }

  private nullTest(node: NullTestNode): Condition {
    const { operand, isNegated } = node;
    const test = rawSql(isNegated ? 'IS NOT NULL' : 'IS NULL');
    if (operand.type.kind === 'record') return comparison(sql`${this.presence(operand)} ${test}`, true);
    if (operand.type.kind === 'composite') {
      // IS NULL would also hold for a composite value whose every member is null.
      const distinct = rawSql(isNegated ? 'IS DISTINCT FROM' : 'IS NOT DISTINCT FROM');
      return comparison(sql`${this.stored(operand).sql} ${distinct} NULL`, true);
    }
    const isStored = operand.op === 'field' || operand.op === 'member' || operand.op === 'element';
    const isTyped = operand.type.kind !== 'dyn' && operand.type.kind !== 'claim';
    const value = isStored && isTyped ? this.stored(operand) : this.value(operand);
    if (!value.nullable) return isNegated ? TRUE_CONDITION : FALSE_CONDITION;
    return comparison(sql`${value.sql} ${test}`, true);
  }

  private presence(node: ExpressionNode): Sql {
    const scope = this.scope(node);
    if (scope.presence !== undefined) return scope.presence;
    const { type } = node;
    if (type.kind !== 'record') throw new TypeError(type.kind);
    return scope.field(requiredFieldOf(type.schema)).sql;
  }
}

const LOWER_TEXT = { castSql: 'text', encoding: 'lower-text', data: undefined } as const;

function literalMode(node: LiteralNode): Comparison['mode'] {
  switch (node.type.kind) {
    case 'int':
    case 'double':
    case 'bytes':
    case 'timestamp':
    case 'duration':
      return node.type.kind;
    default:
      return 'text';
  }
}

function coercionMode(kind: string): Comparison['mode'] {
  switch (kind) {
    case 'bool':
    case 'int':
    case 'double':
    case 'decimal':
    case 'timestamp':
    case 'duration':
    case 'bytes':
      return kind;
    default:
      return 'text';
  }
}

function requiredFieldOf(schema: RecordSchema): string {
  for (const name of schema.names()) if (schema.field(name)?.nullable === false) return name;
  throw new Error(
    `${schema.name} has no field that is never null, and its scope does not tell whether a row is there`,
  );
}

/**
 * Compiles a checked expression.
 *
 * A predicate is true where the condition holds and false **or null** where it does not: right for `WHERE`, `CASE WHEN`,
 * `AND` and `OR`, wrong under `NOT` and as a selected value; ask for `strict` there. It can be put beside `AND` and `OR`
 * without parentheses. An expression checked for a column's type gives a value of that type, which may be null.
 */
export function compileExpression(
  checked: CheckedExpression,
  scope: SqlScope,
  options: CompileOptions = {},
): Sql {
  const compiler = new ExpressionCompiler(scope, options);
  if (checked.expected !== undefined) return compileStorable(compiler, checked.root, checked.expected);
  const condition = compiler.condition(checked.root);
  const { sql: predicate, form } = options.strict === true ? strict(condition) : condition;
  return form === 'and' || form === 'or' ? sql`(${predicate})` : predicate;
}
