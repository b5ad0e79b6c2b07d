/** What another Nest application imports. */
export { PlinthModule, type PlinthOptions } from './plinth.module.js';
export { ConfigError, parseConfig, PlinthConfig } from './common/config/index.js';
export {
  Context,
  CurrentActor,
  type Actor,
  type ActorSession,
  type RequestContext,
} from './common/context/index.js';
export { Database } from './common/database/index.js';
export { Problem, PROBLEMS, type ProblemDetail, type ProblemType } from './common/errors/index.js';
export {
  Access,
  AlwaysAnswered,
  createHttpAdapter,
  PLINTH_ROUTES,
  Public,
  RequireRecentAuth,
  Roles,
  type AccessDecision,
  type AccessOptions,
  type RecentAuth,
  type RolesDecision,
} from './common/http/index.js';
export {
  createLogger,
  createSink,
  Logger,
  Observer,
  traceHeaders,
  type Observation,
  type ObservationSink,
  type TraceContext,
} from './common/observability/index.js';
export {
  JobDefinition,
  Jobs,
  PermanentFailure,
  type EnqueueOptions,
  type JobContext,
  type JobTransaction,
  type KeyConflict,
} from './jobs/index.js';
