export * from './api-problem.decorator.js';
export * from './access.decorator.js';
export * from './http-adapter.js';
export * from './parse-json.js';
export * from './validation.pipe.js';
