export * from './plinth-config.js';
export { parseNetwork } from './network.js';
export { countWorkers } from './count-workers.js';
export { isLoopbackHost } from './provider-settings.js';
export { queryLimits } from './query-limits.js';
export type { Rate } from './rate.js';
export { serverName } from './server-name.js';
export { parseMailbox } from './mail-settings.js';
