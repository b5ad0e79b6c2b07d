export * from './access.js';
export * from './errors.js';
export { AliasSource, createScope, RowScope, RowSubquery, type ScopeOptions } from './scope.js';
export { isRelationVisible, RawRecordSchema, VisibleRecordSchema } from './record-schema.js';
export type * from './plan/selection-plan.js';
export { asJsonInput, compileFilter, compileSelection, embedLimitInput } from './compile/selection.js';
