export * from './access.js';
export * from './errors.js';
export * from './limits.js';
export type { CursorCodec } from './cursor.js';
export { PlanCache, type PlanCacheCounts } from './plan-cache.js';
export { bindStatement, createStatement, type Statement, type StatementValues } from './statement.js';
export { AliasSource, createScope, RowScope, RowSubquery, type ScopeOptions } from './scope.js';
export { isRelationVisible, RawRecordSchema, VisibleRecordSchema } from './record-schema.js';
export { isExactKeyType, parseRecordKey } from './record-key.js';
export { printKeyNames } from './parse/key-names.js';
export { printName } from './parse/name-reader.js';
export { MEASURE_FUNCTIONS, TIME_UNITS, type MeasureFunction, type TimeUnit } from './parse/aggregate.js';
export { readParameters, type Parameters } from './parse/parameters.js';
export { filterError, planFilter, type PlanContext } from './plan/plan-context.js';
export { planFields } from './plan/plan-list.js';
export type * from './plan/selection-plan.js';
export { keyInput, keyPredicate } from './compile/key.js';
export { inputParameter } from './compile/input-parameter.js';
export {
  asJsonInput,
  compileFilter,
  compileLimit,
  compileSelection,
  recordJson,
  recordListJson,
} from './compile/selection.js';
export * from './read-queries.js';
export * from './write/index.js';
