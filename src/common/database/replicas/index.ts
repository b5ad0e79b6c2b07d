export type { WriteExecutor } from './located-writes.js';
export { ReplicaSet } from './replica-set.js';
export type { ReadExecutor } from './routed-reads.js';
