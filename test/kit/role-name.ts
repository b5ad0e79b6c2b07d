import { randomBytes } from 'node:crypto';

/** What the names of roles start with that tests make: roles belong to the whole server, which all files share. */
export const ROLE_PREFIX = 'plinth_test_role_';

/** A name for a role that no other test has. */
export const newRoleName = (): string => ROLE_PREFIX + randomBytes(6).toString('hex');
