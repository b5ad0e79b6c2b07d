import { rawSql, sql, type Sql } from '../sql.js';
import type { ExpressionNode } from '../tree.js';
import { isScalar, stringFormOf } from '../value/data-types.js';
import type { Compiler } from './compiler.js';
import type { Operand } from './operand.js';

/**
 * A `json` column as `jsonb`. Unlike `jsonb`, `json` may hold what the conversion fails on: escaped NULs and halves of
 * surrogate pairs, numbers beyond `numeric`. Such a value is null to an expression.
 */
function guardedJson(column: Sql): Sql {
  const unescaped = sql`regexp_replace(${column}::text, '\\\\\\\\', '', 'g')`;
  const unpaired = sql`regexp_replace(${unescaped}, '\\\\ud[89ab][0-9a-f]{2}\\\\ud[c-f][0-9a-f]{2}', '', 'gi')`;
  const isText = sql`${unpaired} !~* '\\\\u(0000|d[89a-f][0-9a-f]{2})'`;
  const isNumeric = sql`${column}::text !~ '[0-9][eE][+-]?[0-9]{5}'`;
  return sql`CASE WHEN ${isText} AND ${isNumeric} THEN ${column}::jsonb END`;
}

/** JSON as it is stored; the JSON null may be in it. */
function rawJson(compiler: Compiler, node: ExpressionNode): Operand {
  if (node.op === 'key') {
    const of = rawJson(compiler, node.of);
    const key = compiler.parameterOf({ kind: 'constant', value: node.key }, 'text', 'text');
    return { sql: sql`(${of.sql} -> ${key})`, nullable: true, isSimple: of.isSimple };
  }
  if (node.op === 'element' && node.of.type.kind !== 'list') {
    const of = rawJson(compiler, node.of);
    // Not `->`, to which a string or a number is an array of one.
    const index = sql`jsonb_build_object('i', ${compileIndex(compiler, node.index)})`;
    const element = sql`jsonb_path_query_first(${of.sql}, 'strict $[$i]', ${index}, TRUE)`;
    return { sql: element, nullable: true, isSimple: of.isSimple };
  }
  if (node.op === 'auth') {
    const parameter = compiler.parameterOf({ kind: 'auth', path: node.path }, 'jsonb', 'json');
    return { sql: sql`${parameter}`, nullable: true, isSimple: true };
  }
  const stored = compiler.stored(node);
  return isScalar(node.type.data, 'json')
    ? { ...stored, sql: guardedJson(stored.sql), nullable: true }
    : stored;
}

/** An index as `int4`, null where it can be none; PostgreSQL would count negative ones from the end. */
export function compileIndex(compiler: Compiler, index: ExpressionNode): Sql {
  if (index.op === 'literal') return sql`${compiler.literalParameter(index, 'int4', 'index')}`;
  const { sql: value } = compiler.value(index);
  return sql`NULLIF(LEAST(GREATEST(${value}::int8, -1), 2147483646), -1)::int4`;
}

/** JSON as a value: the JSON null is null. */
export function compileJson(compiler: Compiler, node: ExpressionNode): Operand {
  const raw = rawJson(compiler, node);
  if (node.op === 'auth' || node.op === 'variable') return raw;
  return { sql: sql`NULLIF(${raw.sql}, 'null'::jsonb)`, nullable: true, isSimple: raw.isSimple };
}

/** JSON taken as a typed value; null where it holds something else. */
export function compileJsonCoercion(compiler: Compiler, node: ExpressionNode, kind: string): Operand {
  const json = rawJson(compiler, node);
  const typed = (name: string, value: Sql): Operand => ({
    sql: sql`CASE WHEN jsonb_typeof(${json.sql}) = ${rawSql(`'${name}'`)} THEN ${value} END`,
    nullable: true,
    isSimple: json.isSimple,
  });
  switch (kind) {
    case 'bool':
      return typed('boolean', sql`${json.sql}::bool`);
    case 'string':
      return typed('string', sql`(${json.sql} #>> '{}')`);
    case 'decimal':
      return typed('number', sql`${json.sql}::numeric`);
    default:
      throw new TypeError(`JSON is not taken as ${kind}`);
  }
}

/** Any value as `jsonb`, as `to_json` would print it. */
export function compileAsJson(compiler: Compiler, node: ExpressionNode): Operand {
  const { type } = node;
  if (type.kind === 'dyn' || type.kind === 'claim') return compileJson(compiler, node);
  if (node.op === 'list') {
    const elements = node.elements.map((element) => compileAsJson(compiler, element).sql);
    const items = elements.map((element) => sql`jsonb_build_array(${element})`);
    const joined = items.reduce<Sql | null>(
      (all, item) => (all === null ? item : sql`${all} || ${item}`),
      null,
    );
    return { sql: joined === null ? sql`'[]'::jsonb` : sql`(${joined})`, nullable: false, isSimple: false };
  }
  if (node.op === 'literal' && type.kind !== 'bytes') {
    return { sql: sql`${compiler.literalParameter(node, 'jsonb', 'json')}`, nullable: false, isSimple: true };
  }
  // Without a type, PostgreSQL does not know which function is meant.
  if (type.kind === 'null') return { sql: sql`NULL::jsonb`, nullable: true, isSimple: true };
  const value = stringFormOf(type.data) === 'other' ? compiler.stored(node) : compiler.value(node);
  const isFloat4 = isScalar(type.data, 'float4');
  const converted = isFloat4 ? sql`${value.sql}::float8` : value.sql;
  return { ...value, sql: sql`to_jsonb(${converted})` };
}
