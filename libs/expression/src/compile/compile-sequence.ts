import { joinSql, rawSql, sql, type Sql } from '../sql.js';
import type { ExpressionNode, ExpressionType, ListNode, QuantifierNode, SequenceNode } from '../tree.js';
import { asTimestamp } from './compile-arithmetic.js';
import type { Binding, Compiler } from './compiler.js';
import {
  atom,
  comparison,
  conjunction,
  type Condition,
  enclosed,
  negation,
  type Operand,
} from './operand.js';

/** A list as rows: what its elements are called, and how to select from them. */
export interface CompiledSequence {
  readonly binding: Binding;
  select(columns: Sql, predicate?: Condition): Sql;
  /** True where the list itself is there; absent where it always is. */
  readonly presence?: Sql;
}

function relationSequence(compiler: Compiler, node: ExpressionNode): CompiledSequence {
  if (node.op !== 'relation') throw new TypeError(node.op);
  const subquery = compiler.scope(node.of).many(node.name);
  return {
    binding: { kind: 'record', scope: subquery.scope },
    select: (columns, predicate) =>
      predicate === undefined ? subquery.select(columns) : subquery.select(columns, enclosed(predicate)),
  };
}

/** Rows of a derived table with one column. */
function derivedSequence(compiler: Compiler, rows: Sql, nullable: boolean, presence?: Sql): CompiledSequence {
  const alias = compiler.alias();
  return {
    binding: { kind: 'value', operand: { sql: rawSql(`${alias}.v`), nullable, isSimple: true } },
    select: (columns, predicate) => {
      const from = sql`SELECT ${columns} FROM (${rows}) AS ${rawSql(`${alias}(v)`)}`;
      return predicate === undefined ? from : sql`${from} WHERE ${predicate.sql}`;
    },
    presence,
  };
}

const ELEMENT_CASTS: Readonly<Record<string, string>> = {
  bool: 'bool',
  int: 'int8',
  double: 'float8',
  decimal: 'numeric',
  string: 'text',
  bytes: 'bytea',
  timestamp: 'timestamptz',
  duration: 'interval',
};

/** A value where values of one kind, but perhaps of several SQL types, meet: always in the widest type of the kind. */
export function unified(compiler: Compiler, node: ExpressionNode, type: ExpressionType): Operand {
  const cast = rawSql(ELEMENT_CASTS[type.kind] ?? 'text');
  if (node.type.kind === 'null') return { sql: sql`NULL::${cast}`, nullable: true, isSimple: true };
  const value = type.kind === 'timestamp' ? asTimestamp(compiler, node) : compiler.value(node);
  return { ...value, sql: sql`(${value.sql})::${cast}` };
}

function literalSequence(compiler: Compiler, node: ListNode): CompiledSequence {
  if (node.elements.length === 0) return derivedSequence(compiler, sql`SELECT NULL::text WHERE FALSE`, true);
  const type: ExpressionType = node.type.kind === 'list' ? node.type.element : { kind: 'null' };
  const rows = node.elements.map((element) => sql`(${unified(compiler, element, type).sql})`);
  return derivedSequence(compiler, sql`VALUES ${joinSql(rows, ', ')}`, true);
}

/** JSON that is no array is no list at all: `presence` is false then. */
function jsonSequence(compiler: Compiler, node: ExpressionNode): CompiledSequence {
  const json = compiler.value(node);
  const isArray = sql`jsonb_typeof(${json.sql}) = 'array'`;
  const array = sql`CASE WHEN ${isArray} THEN ${json.sql} ELSE '[]' END`;
  const rows = sql`SELECT NULLIF(_j.v, 'null') FROM jsonb_array_elements(${array}) AS _j(v)`;
  return derivedSequence(compiler, rows, true, isArray);
}

function storedSequence(compiler: Compiler, node: ExpressionNode): CompiledSequence {
  const list = compiler.stored(node);
  const presence = list.nullable ? sql`${list.sql} IS NOT NULL` : undefined;
  // In the select list, not in FROM: there a composite element would fall apart into its columns.
  return derivedSequence(compiler, sql`SELECT unnest(${list.sql})`, true, presence);
}

function filteredSequence(compiler: Compiler, node: SequenceNode): CompiledSequence {
  const source = compileSequence(compiler, node.source);
  const kept = compiler.within(node.variable.id, source.binding, () => compiler.condition(node.body));
  return {
    ...source,
    select: (columns, predicate) =>
      source.select(columns, predicate === undefined ? kept : conjunction([kept, predicate])),
  };
}

function mappedSequence(compiler: Compiler, node: SequenceNode): CompiledSequence {
  const source = compileSequence(compiler, node.source);
  const value = compiler.within(node.variable.id, source.binding, () => compiler.value(node.body));
  const alias = compiler.alias();
  const operand: Operand = { sql: rawSql(`${alias}.v`), nullable: value.nullable, isSimple: true };
  return {
    ...source,
    binding: { kind: 'value', operand },
    select: (columns, predicate) => {
      const rows = source.select(sql`${value.sql} AS v`);
      const from = sql`SELECT ${columns} FROM (${rows}) AS ${rawSql(alias)}`;
      return predicate === undefined ? from : sql`${from} WHERE ${predicate.sql}`;
    },
  };
}

/** The list that a macro, `in` or `size` walks. */
export function compileSequence(compiler: Compiler, node: ExpressionNode): CompiledSequence {
  if (node.op === 'filter') return filteredSequence(compiler, node);
  if (node.op === 'map') return mappedSequence(compiler, node);
  if (node.op === 'list') return literalSequence(compiler, node);
  if (node.type.kind === 'dyn' || node.type.kind === 'claim') return jsonSequence(compiler, node);
  if (node.type.kind === 'list' && node.type.element.kind === 'record')
    return relationSequence(compiler, node);
  return storedSequence(compiler, node);
}

/** `exists`, `all` and `exists_one`. A condition that is null on an element does not hold there. */
export function compileQuantifier(compiler: Compiler, node: QuantifierNode): Condition {
  const sequence = compileSequence(compiler, node.source);
  const holds = compiler.within(node.variable.id, sequence.binding, () => compiler.condition(node.predicate));
  if (node.name === 'exists') return atom(sql`EXISTS (${sequence.select(rawSql('1'), holds)})`, true);
  if (node.name === 'exists_one') {
    return comparison(sql`(${sequence.select(rawSql('count(*)'), holds)}) = 1`, true);
  }
  const none = comparison(sql`NOT EXISTS (${sequence.select(rawSql('1'), negation(holds))})`, true);
  if (sequence.presence === undefined) return none;
  return conjunction([comparison(sequence.presence, false), none]);
}

/** How many elements a list has that must be walked to be counted. */
export function compileSequenceSize(compiler: Compiler, node: ExpressionNode): Operand {
  const sequence = compileSequence(compiler, node);
  const count = sql`(${sequence.select(rawSql('count(*)'))})`;
  if (sequence.presence === undefined) return { sql: count, nullable: false, isSimple: false };
  return { sql: sql`CASE WHEN ${sequence.presence} THEN ${count} END`, nullable: true, isSimple: false };
}
