import { Jobs1763900500000 } from './migrations/1763900500000-jobs.js';

export { JobDefinition, PermanentFailure, type JobContext } from './job-definition.js';
export { JobsModule } from './jobs.module.js';
export { Jobs, type EnqueueOptions, type JobTransaction, type KeyConflict } from './jobs.service.js';
export const jobsMigrations = [Jobs1763900500000];
