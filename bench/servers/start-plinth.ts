import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Credential } from '../options.js';
import { startServerProcess, type ServerProcess } from './server-process.js';

const run = promisify(execFile);

/** What `npm start` runs. */
const START = fileURLToPath(new URL('../../../scripts/start.mjs', import.meta.url));

export interface Plinth extends ServerProcess {
  /** A bearer credential of the role whose policies are in force; it is no admin. */
  readonly key: string;
}

const ROLE = 'reader';

export const POLICIES: readonly object[] = [
  { collection: 'posts', action: 'read', condition: 'status == "published"' },
  { collection: 'posts', action: 'update', condition: 'status == "published"', fields: ['views'] },
  { collection: 'authors', action: 'read', fields: ['id', 'name'] },
  { collection: 'comments', action: 'read' },
  { collection: 'comments', action: 'create', fields: ['post_id', 'author_id', 'body'] },
];

/** Starts Plinth as its users do, and sets up the role that asks. */
export async function startPlinth(
  databaseUrl: string,
  logFolder: string,
  credential: Credential = 'key',
): Promise<Plinth> {
  const server = await startServerProcess({
    commandLine: [START],
    databaseUrl,
    // A token must not end before the bench does.
    env: { PLINTH_ACCESS_TOKEN_MINUTES: '60' },
    readyPath: '/health/ready',
    logPath: path.join(logFolder, 'plinth.log'),
  });
  try {
    return { ...server, key: await createReader(server.url, databaseUrl, credential) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function createReader(url: string, databaseUrl: string, credential: Credential): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    [START, '--quiet-build', 'cli', 'keys', 'create', '--role', 'admin', '--name', 'bench'],
    { env: { ...process.env, DATABASE_URL: databaseUrl } },
  );
  const post = async (path: string, body: object, status = 201): Promise<unknown> => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${stdout.trim()}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (response.status !== status)
      throw new Error(`POST ${path} gave ${response.status}: ${await response.text()}`);
    return response.json();
  };
  await post('/system/roles', { name: ROLE });
  for (const policy of POLICIES) await post('/system/policies', { role: ROLE, ...policy });
  if (credential === 'key') {
    const { key } = (await post('/system/keys', { name: 'bench reader', roles: [ROLE] })) as { key: string };
    return key;
  }
  const person = { email: 'reader@example.org', password: randomBytes(18).toString('base64url') };
  await post('/system/users', { ...person, roles: [ROLE] });
  const { accessToken } = (await post('/auth/sign-in', person, 200)) as { accessToken: string };
  return accessToken;
}
