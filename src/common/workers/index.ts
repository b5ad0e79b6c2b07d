export type { Assignment, Failure, Take, ToPrimary, ToWorker } from './messages.js';
export { PrimaryLink } from './primary-link.js';
export { Questions } from './questions.js';
