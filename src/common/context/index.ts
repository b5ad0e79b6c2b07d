export * from './actor.js';
export * from './context.decorator.js';
export * from './http-request-context.js';
export type * from './request-context.js';
