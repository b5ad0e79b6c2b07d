import { accessMigrations } from './access/index.js';
import { authMigrations } from './auth/index.js';
import { catalogMigrations } from './catalog/index.js';
import { SystemSchema1763900000000 } from './common/database/index.js';
import { dataMigrations } from './data/index.js';
import { jobsMigrations } from './jobs/index.js';

/** Every migration of Plinth's own tables; TypeORM runs them in the order of the time in their names. */
export const migrations = [
  SystemSchema1763900000000,
  ...catalogMigrations,
  ...accessMigrations,
  ...dataMigrations,
  ...authMigrations,
  ...jobsMigrations,
];
