export { Database, type PreparedStatement, type StatementExecutor, type TextRow } from './database.js';
export {
  openDatabaseEndpoint,
  UnsupportedDatabaseError,
  type DatabaseEndpoint,
} from './database-endpoint.js';
export { DatabaseModule } from './database.module.js';
export { isDatabaseUnavailable } from './database-errors.js';
export { SYSTEM_DATA_SOURCE, systemDataSourceOptions } from './system-data-source.js';
export { readSharedSecret } from './shared-secret.js';
export { SystemSchema1763900000000 } from './migrations/1763900000000-system-schema.js';
