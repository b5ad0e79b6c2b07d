export { RateLimits } from './rate-limits.service.js';
export type { RateHeaders } from './rate-limit.js';
