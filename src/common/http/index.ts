export * from './api-problem.decorator.js';
export * from './access.decorator.js';
export * from './http-adapter.js';
export { NoParameters, refuseParameters } from './no-parameters.decorator.js';
export * from './validation.pipe.js';
