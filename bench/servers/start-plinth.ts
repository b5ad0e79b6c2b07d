import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startServerProcess, type ServerProcess } from './server-process.js';

const run = promisify(execFile);

/** What `npm start` runs. */
const START = fileURLToPath(new URL('../../../scripts/start.mjs', import.meta.url));

export interface Plinth extends ServerProcess {
  /** Of the role whose policies are in force; it is no admin. */
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
export async function startPlinth(databaseUrl: string, logFolder: string): Promise<Plinth> {
  const server = await startServerProcess({
    commandLine: [START],
    databaseUrl,
    readyPath: '/health/ready',
    logPath: path.join(logFolder, 'plinth.log'),
  });
  try {
    return { ...server, key: await createReader(server.url, databaseUrl) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function createReader(url: string, databaseUrl: string): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    [START, '--quiet-build', 'cli', 'keys', 'create', '--role', 'admin', '--name', 'bench'],
    { env: { ...process.env, DATABASE_URL: databaseUrl } },
  );
  const create = async (what: string, body: object): Promise<unknown> => {
    const response = await fetch(`${url}/system/${what}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stdout.trim()}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (response.status !== 201)
      throw new Error(`POST /system/${what} gave ${response.status}: ${await response.text()}`);
    return response.json();
  };
  await create('roles', { name: ROLE });
  for (const policy of POLICIES) await create('policies', { role: ROLE, ...policy });
  const { key } = (await create('keys', { name: 'bench reader', roles: [ROLE] })) as { key: string };
  return key;
}
