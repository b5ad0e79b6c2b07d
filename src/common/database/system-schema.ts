/** The schema of Plinth's own tables. */
export const SYSTEM_SCHEMA = 'plinth';

/** The schema of the queue of jobs: graphile-worker's tables, which it makes and changes itself. */
export const JOBS_SCHEMA = 'plinth_jobs';

export const OWN_SCHEMAS: readonly string[] = [SYSTEM_SCHEMA, JOBS_SCHEMA];
