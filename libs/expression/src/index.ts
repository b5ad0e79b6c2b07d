export type * from './environment.js';
export * from './sql.js';
export { ExpressionError, type ExpressionErrorCode, type TextRange } from './expression-error.js';
export { DEFAULT_EXPRESSION_LIMITS, type ExpressionLimits } from './expression-limits.js';
export { liftLiterals, type LiftedLiterals, type Literal, type LiteralKind } from './lift-literals.js';
export { parseExpression, type ParsedExpression } from './parse-expression.js';
export type * from './tree.js';
export type { CheckEnvironment } from './check/check-context.js';
export { checkExpression, type CheckedExpression } from './check/check-expression.js';
export { compileExpression, type CompileOptions } from './compile/compile-expression.js';
export { type AuthValues, type BindInput, bindParameter } from './bind-parameter.js';
export { suggestName } from './suggest-name.js';
export {
  evaluateExpression,
  type EvaluationInput,
  type RecordValue,
} from './evaluate/evaluate-expression.js';
export { explainExpression, type SubExpression } from './explain-expression.js';
export type { Value } from './value/value.js';
