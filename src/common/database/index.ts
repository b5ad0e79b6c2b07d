export { Database, type StatementExecutor, type TextRow } from './database.js';
export { openDatabaseEndpoint } from './database-endpoint.js';
export { DatabaseModule } from './database.module.js';
export { SYSTEM_DATA_SOURCE, systemDataSourceOptions } from './system-data-source.js';
export { readSharedSecret } from './shared-secret.js';
export { SystemSchema1763900000000 } from './migrations/1763900000000-system-schema.js';
