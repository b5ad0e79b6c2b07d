/** What another Nest application imports. */
export { PlinthModule, type PlinthOptions } from './plinth.module.js';
export { ConfigError, parseConfig, PlinthConfig } from './common/config/index.js';
export { Context, type Actor, type RequestContext } from './common/context/index.js';
export { Database } from './common/database/index.js';
export { Problem, PROBLEMS, type ProblemDetail, type ProblemType } from './common/errors/index.js';
export { Access, createHttpAdapter, type AccessDecision } from './common/http/index.js';
export { createLogger, Logger } from './common/observability/index.js';
