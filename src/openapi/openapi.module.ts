import { Module } from '@nestjs/common';
import { AccessModule } from '../access/index.js';
import { CatalogModule } from '../catalog/index.js';
import { ControllerRoutes } from './controller-routes.service.js';
import { DocsController } from './docs.controller.js';
import { Documents } from './documents.service.js';
import { OpenApiController } from './openapi.controller.js';

/** What the API says of itself: a document for each caller, and Swagger UI over it. */
@Module({
  imports: [CatalogModule, AccessModule],
  controllers: [OpenApiController, DocsController],
  providers: [ControllerRoutes, Documents],
})
export class OpenApiModule {}
