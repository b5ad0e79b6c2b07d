import type { DataType } from '@plinth/schema';
import { rawSql, sql, type Sql } from '../sql.js';
import type { ExpressionNode } from '../tree.js';
import { expressionTypeOf, isScalar, stringFormOf } from '../value/data-types.js';
import { compileAsJson } from './compile-json.js';
import type { Compiler } from './compiler.js';

/** A value in the type of the column that it is for. */
export function compileStorable(compiler: Compiler, node: ExpressionNode, data: DataType): Sql {
  const cast = rawSql(data.castSql);
  const expected = expressionTypeOf(data);
  if (node.type.kind === 'null') return sql`NULL::${cast}`;
  if (node.type.kind === 'list' && node.op === 'list') {
    const elements = compileAsJson(compiler, node);
    return sql`ARRAY(SELECT jsonb_array_elements_text(${elements.sql}))::${cast}`;
  }
  const isText = node.op === 'literal' && expected.kind === 'string';
  if (isText && data.kind === 'enum') {
    return sql`${compiler.literalParameter(node, data.castSql, 'label', { values: data.values })}`;
  }
  if (isText) return sql`${compiler.literalParameter(node, data.castSql, 'text')}`;
  if (isScalar(data, 'json', 'jsonb')) return sql`(${compileAsJson(compiler, node).sql})::${cast}`;
  if (
    node.type.data !== undefined &&
    stringFormOf(node.type.data) === stringFormOf(data) &&
    node.op === 'field'
  ) {
    return sql`(${compiler.stored(node).sql})::${cast}`;
  }
  return sql`(${compiler.value(node).sql})::${cast}`;
}
