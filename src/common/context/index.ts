export * from './actor.js';
export * from './context.decorator.js';
export type * from './request-context.js';
