import { randomBytes } from 'node:crypto';
import type { Database } from './database.js';

/** A random key of 32 bytes that all instances share, made by the first one that asks. */
export async function readSharedSecret(database: Database, name: string): Promise<Buffer> {
  await database.pool.query(
    'INSERT INTO plinth.secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING',
    [name, randomBytes(32)],
  );
  const { rows } = await database.pool.query<{ value: Buffer }>(
    'SELECT value FROM plinth.secrets WHERE name = $1',
    [name],
  );
  const value = rows[0]?.value;
  if (value === undefined) throw new Error(`The shared secret "${name}" is missing from plinth.secrets.`);
  return value;
}
