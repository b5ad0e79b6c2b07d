import type { EntityManager } from 'typeorm';

/**
 * Keeps everybody else from changing how a user signs in, or starting a session for them, until `manager`'s transaction is
 * over. Locks in the order of all that changes users: the version of identities, then the user.
 */
export async function holdUser(userId: string, manager: EntityManager): Promise<void> {
  await manager.query('SELECT FROM plinth.identity_state FOR UPDATE');
  await manager.query('SELECT FROM plinth.users WHERE id = $1 FOR NO KEY UPDATE', [userId]);
}
