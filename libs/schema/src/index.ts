export type * from './model.js';
export { readCatalog, type CatalogClient } from './read-catalog.js';
export { readFingerprint } from './read-fingerprint.js';
export { printCatalog } from './print-catalog.js';
export { nameCollection } from './name-collection.js';
