export {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresExit,
  type EmbeddedPostgresLogger,
  type EmbeddedPostgresOptions,
} from './embedded-postgres.js';
export { findRunningPostgres, type RunningPostgres } from './find-running.js';
export { EmbeddedPostgresError, type EmbeddedPostgresErrorCode } from './errors.js';
export { measureMachine, tuneSettings, type Machine, type Settings } from './settings.js';
