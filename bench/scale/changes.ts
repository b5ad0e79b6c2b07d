import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { readCatalog, readFingerprint } from '@plinth/schema';
import { withClient } from '../dataset/open-dataset.js';
import { startScaleServer, type ScaleServer } from './server.js';
import { createTables } from './world.js';

const TABLES = 1000;
const ROUNDS = 20;
const LOOK_MS = 2;
const PATIENCE_MS = 30_000;

export interface ChangeResult {
  readonly name: string;
  readonly sortedMs: readonly number[];
}

/** How long it takes until a change that one instance made holds on another, in a schema of a thousand tables. */
export async function measureChanges(
  url: string,
  folder: string,
  tell: (result: ChangeResult) => void,
): Promise<void> {
  await createTables(url, TABLES);
  tell(await measure('a catalog of 1,000 tables is read', readingOf(url, readCatalog)));
  tell(await measure('it is looked at for changes', readingOf(url, readFingerprint)));
  const one = await startScaleServer(url, folder);
  try {
    const other = await startScaleServer(url, folder);
    try {
      for (const [name, change] of await listChanges(url, one, other)) tell(await measure(name, change));
    } finally {
      await other.stop();
    }
  } finally {
    await one.stop();
  }
}

/** One round of a measurement; gives what it took, in milliseconds. */
type Round = (index: number) => Promise<number>;

async function measure(name: string, round: Round): Promise<ChangeResult> {
  const all: number[] = [];
  for (let index = 0; index < ROUNDS; index += 1) all.push(await round(index));
  return { name, sortedMs: all.toSorted((a, b) => a - b) };
}

/** Reads something of the catalog. */
type Reading = (client: Client, options: { readonly schemas: readonly string[] }) => Promise<unknown>;

const readingOf =
  (url: string, read: Reading): Round =>
  async () => {
    let tookMs = 0;
    await withClient(url, async (client) => {
      const startedAt = performance.now();
      await read(client, { schemas: ['public'] });
      tookMs = performance.now() - startedAt;
    });
    return tookMs;
  };

async function listChanges(
  url: string,
  one: ScaleServer,
  other: ScaleServer,
): Promise<readonly (readonly [string, Round])[]> {
  const send = (method: string, path: string, body?: object): Promise<Response> =>
    fetch(one.url + path, {
      method,
      headers: { authorization: `Bearer ${one.adminKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const statusOf = async (path: string, key: string): Promise<number> => {
    const response = await fetch(other.url + path, { headers: { authorization: `Bearer ${key}` } });
    await response.arrayBuffer();
    return response.status;
  };
  /** From the answer to the change on. */
  const timeUntil = async (path: string, key: string, expected: number): Promise<number> => {
    const startedAt = performance.now();
    while ((await statusOf(path, key)) !== expected) {
      if (performance.now() - startedAt > PATIENCE_MS) throw new Error(`${path} did not become ${expected}.`);
      await delay(LOOK_MS);
    }
    return performance.now() - startedAt;
  };
  await send('POST', '/system/roles', { name: 'changing' });
  const key = await one.createKey(['changing']);
  await timeUntil('/api/t1', key, 404);
  let policy = '';
  return [
    [
      'a policy, until it holds on another instance',
      async (index) => {
        if (index % 2 === 1) {
          await send('DELETE', `/system/policies/${policy}`);
          return timeUntil('/api/t1', key, 404);
        }
        const made = await send('POST', '/system/policies', {
          role: 'changing',
          collection: 't1',
          action: 'read',
        });
        policy = ((await made.json()) as { id: string }).id;
        return timeUntil('/api/t1', key, 200);
      },
    ],
    [
      'a key that is revoked',
      async () => {
        const made = await send('POST', '/system/keys', { name: 'short', roles: ['admin'] });
        const short = (await made.json()) as { id: string; key: string };
        await timeUntil('/api/t1', short.key, 200);
        await send('DELETE', `/system/keys/${short.id}`);
        return timeUntil('/api/t1', short.key, 401);
      },
    ],
    [
      'a session that is ended',
      async (index) => {
        const person = { email: `p${index}@example.org`, password: 'granite otter ballad 77' };
        const made = await send('POST', '/system/users', { ...person, roles: ['admin'] });
        const { id } = (await made.json()) as { id: string };
        const signedIn = await send('POST', '/auth/sign-in', person);
        const { accessToken } = (await signedIn.json()) as { accessToken: string };
        await timeUntil('/api/t1', accessToken, 200);
        await send('POST', `/system/users/${id}/block`);
        return timeUntil('/api/t1', accessToken, 401);
      },
    ],
    [
      'a table that SQL makes',
      async (index) => {
        await withClient(
          url,
          async (client) => void (await client.query(`CREATE TABLE fresh${index} (id int)`)),
        );
        return timeUntil(`/api/fresh${index}`, other.adminKey, 200);
      },
    ],
  ];
}
