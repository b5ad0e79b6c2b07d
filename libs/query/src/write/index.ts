export { WriteError, type FieldProblem, type FieldProblemCode, type WriteErrorCode } from './write-error.js';
export {
  ExactNumber,
  isJsonArray,
  isJsonObject,
  stringifyNode,
  type JsonNode,
  type JsonObjectNode,
} from './json-node.js';
export { DEFAULT_BODY_LIMITS, parseJsonBody, type BodyLimits, type JsonBody } from './parse-json-body.js';
export { bodyOfNode } from './sent-body.js';
export { getWritableCollection } from './write-request.js';
export { readWriteResult, type WriteResult } from './write-result.js';
export {
  WriteQueries,
  type PreconditionOptions,
  type WriteOptions,
  type WriteQueriesOptions,
  type WriteDescription,
  type WriteQuery,
} from './write-queries.js';
export { WRITE_FUNCTIONS_SQL } from './database-functions.js';
export {
  DEFAULT_BATCH_LIMITS,
  parseBatch,
  type BatchLimits,
  type BatchMethod,
  type BatchOperation,
} from './batch/parse-batch.js';
export { OperationResults } from './batch/operation-results.js';
export { addressText, resolveReferences, type ReferableResults } from './batch/reference.js';
export { refuseLargeBody } from './batch/refuse-large-body.js';
export {
  isDatabaseError,
  type DatabaseErrorLike,
  type DatabaseProblem,
  type DatabaseProblemType,
} from './failure/database-problem.js';
export { locateFailure, locateFailureInTransaction, type ProbeConnection } from './failure/locate-failure.js';
export type { FailureContext } from './failure/failure-context.js';
export { translateDatabaseError } from './failure/translate-database-error.js';
export { planPermission, planPresets, sendableFields } from './plan/write-permission.js';
