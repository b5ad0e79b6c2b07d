import type { EntityManager } from 'typeorm';

/**
 * Every table that something is in with which somebody can be a user: what is added to sign-in has to be added here. A test
 * finds tables that are missing.
 */
export const CREDENTIAL_TABLES = [
  'sessions',
  'user_passwords',
  'user_identities',
  'one_time_tokens',
  'user_totp',
  'totp_enrolments',
  'recovery_codes',
  'passkeys',
] as const;

/**
 * Leaves no way in to an account, as a part of a transaction: who knows a password, holds a session or an open link does
 * not any more. `noteEnded` of the sessions is to be called after it.
 */
export async function removeCredentials(userId: string, manager: EntityManager): Promise<void> {
  for (const table of CREDENTIAL_TABLES)
    await manager.query(`DELETE FROM plinth.${table} WHERE user_id = $1`, [userId]);
}
