import type { SqlScope } from '../environment.js';
import type { Parameter, ParameterSource } from '../sql.js';
import type { Comparison, ExpressionNode, LiteralNode } from '../tree.js';
import type { EncodingData, ParameterEncoding } from '../bind-parameter.js';
import type { Condition, Operand } from './operand.js';

/** What a macro's variable stands for while its body is compiled. */
export type Binding =
  | { readonly kind: 'record'; readonly scope: SqlScope }
  | { readonly kind: 'value'; readonly operand: Operand };

/** What the parts of the compiler ask of the whole. */
export interface Compiler {
  /** The value, null where it is null; strings as text of the collation of their column, ints of any width. */
  value(node: ExpressionNode): Operand;
  /** A column's value as it is stored, with its own type. */
  stored(node: ExpressionNode): Operand;
  condition(node: ExpressionNode): Condition;
  /** The scope of a node that stands for a record. */
  scope(node: ExpressionNode): SqlScope;
  /** The value as it is compared in a mode; `other` is what it meets. */
  compared(node: ExpressionNode, comparison: Comparison, other: ExpressionNode): Operand;
  equality(left: ExpressionNode, right: ExpressionNode, comparison: Comparison): Condition;
  parameterOf(
    source: ParameterSource,
    castSql: string,
    encoding: ParameterEncoding,
    data?: EncodingData,
  ): Parameter;
  literalParameter(
    node: LiteralNode,
    castSql: string,
    encoding: ParameterEncoding,
    data?: EncodingData,
  ): Parameter;
  binding(id: number): Binding;
  /** Compiles with a variable bound. */
  within<T>(id: number, binding: Binding, body: () => T): T;
  /** A name for a derived table, not used before in this statement part. */
  alias(): string;
}
