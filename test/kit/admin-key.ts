import { Client } from 'pg';
import { generateKey, hashKey } from '../../src/access/keys/key-format.js';

/** Puts a key with the role `admin` into a database that a server has prepared; cheaper than a command of its own. */
export async function insertAdminKey(databaseUrl: string): Promise<string> {
  const { key, prefix } = generateKey();
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      `INSERT INTO plinth.api_keys (name, prefix, hash, roles) VALUES ('test admin', $1, $2, '{admin}')`,
      [prefix, hashKey(key)],
    );
    return key;
  } finally {
    await client.end();
  }
}
