import { Access1763900200000 } from './migrations/1763900200000-access.js';

export { AccessModule } from './access.module.js';
export { AccessService } from './access.service.js';
export { ApiKeysService } from './keys/api-keys.service.js';
export { PoliciesService } from './policies/policies.service.js';
export { RolesService } from './roles/roles.service.js';
export const accessMigrations = [Access1763900200000];
