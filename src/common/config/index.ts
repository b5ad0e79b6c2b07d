export * from './plinth-config.js';
export { SETTINGS } from './settings.js';
