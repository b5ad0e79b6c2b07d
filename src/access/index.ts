import { Access1763900200000 } from './migrations/1763900200000-access.js';

export { requireRecentAuth, TWO_FACTORS } from './recent-auth.js';
export { AccessModule } from './access.module.js';
export { AccessService } from './access.service.js';
export { IfGiven } from './if-given.decorator.js';
export { CreateKeyDto } from './keys/api-key.dto.js';
export { ApiKeysService } from './keys/api-keys.service.js';
export { PoliciesService } from './policies/policies.service.js';
export { ADMIN_ROLE, ANONYMOUS_ROLE, AUTHENTICATED_ROLE, effectiveRoles } from './roles/reserved-roles.js';
export { RolesService } from './roles/roles.service.js';
export { isForeignKeyViolation, refuseUnknownRoles, unknownRole } from './roles/unknown-role.js';
export { SessionCredentials, type Recognised, type SessionRecogniser } from './session-credentials.js';
export { PageDto, PageQuery, pageOf, readCursor, type SystemPage } from './system-page.js';
export const accessMigrations = [Access1763900200000];
