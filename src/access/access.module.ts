import { Module } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CatalogModule } from '../catalog/index.js';
import { SYSTEM_DATA_SOURCE } from '../common/database/index.js';
import { AccessGuard } from './access.guard.js';
import { AccessService } from './access.service.js';
import { CollectionsController } from './collections/collections.controller.js';
import { ExplainController } from './explain/explain.controller.js';
import { ExplainService } from './explain/explain.service.js';
import { ApiKey } from './keys/api-key.entity.js';
import { ApiKeysController } from './keys/api-keys.controller.js';
import { KeyDirectory } from './keys/key-directory.js';
import { ApiKeysService } from './keys/api-keys.service.js';
import { PoliciesController } from './policies/policies.controller.js';
import { PoliciesService } from './policies/policies.service.js';
import { Policy } from './policies/policy.entity.js';
import { Role } from './roles/role.entity.js';
import { RolesController } from './roles/roles.controller.js';
import { RolesService } from './roles/roles.service.js';
import { RouteDecisions } from './route-decisions.js';
import { SessionCredentials } from './session-credentials.js';

/** Who may do what: roles, policies, keys, and the guard before every route. */
@Module({
  imports: [
    CatalogModule,
    DiscoveryModule,
    TypeOrmModule.forFeature([Role, Policy, ApiKey], SYSTEM_DATA_SOURCE),
  ],
  controllers: [
    CollectionsController,
    ExplainController,
    ApiKeysController,
    PoliciesController,
    RolesController,
  ],
  providers: [
    AccessService,
    ApiKeysService,
    ExplainService,
    KeyDirectory,
    PoliciesService,
    RolesService,
    RouteDecisions,
    SessionCredentials,
    AccessGuard,
    { provide: APP_GUARD, useExisting: AccessGuard },
  ],
  exports: [AccessService, ApiKeysService, PoliciesService, RolesService, SessionCredentials],
})
export class AccessModule {}
