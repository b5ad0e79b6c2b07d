export * from './plinth-config.js';
