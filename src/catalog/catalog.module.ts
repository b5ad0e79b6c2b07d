import { Module } from '@nestjs/common';
import { CatalogConnection } from './catalog-connection.js';
import { CatalogWatcher } from './catalog-watcher.js';
import { CatalogService } from './catalog.service.js';

/** The live catalog; read before any module that imports this one starts. */
@Module({
  providers: [CatalogConnection, CatalogService, CatalogWatcher],
  exports: [CatalogService],
})
export class CatalogModule {}
