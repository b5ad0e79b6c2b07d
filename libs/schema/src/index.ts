export type * from './model.js';
export { readCatalog, type CatalogClient } from './read-catalog.js';
export { nameCollection } from './name-collection.js';
