export * from './admission.js';
export * from './event-loop-delay.js';
export * from './refusal-log.js';
export * from './under-way.js';
