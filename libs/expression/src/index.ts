export type * from './environment.js';
export * from './sql.js';
