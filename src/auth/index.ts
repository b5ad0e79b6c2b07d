import { SignInCodes1763900510000 } from './migrations/1763900510000-sign-in-codes.js';
import { Identity1763900400000 } from './migrations/1763900400000-identity.js';
import { Providers1763900700000 } from './migrations/1763900700000-providers.js';
import { SecondFactors1763900600000 } from './migrations/1763900600000-second-factors.js';

export { AuthModule } from './auth.module.js';
export { LOCAL_CLIENT } from './client.js';
export { FirstAdministrator } from './first-run/first-administrator.service.js';
export { UserManagementService } from './users/user-management.service.js';
export { CreateUserDto } from './users/user.dto.js';
export const authMigrations = [
  Identity1763900400000,
  SignInCodes1763900510000,
  SecondFactors1763900600000,
  Providers1763900700000,
];
