import { CatalogChange1763900100000 } from './migrations/1763900100000-catalog-change.js';

export { CatalogModule } from './catalog.module.js';
export { CatalogService } from './catalog.service.js';
export const catalogMigrations = [CatalogChange1763900100000];
