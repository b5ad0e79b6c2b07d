import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../kit/app.js';
import { SOON } from '../kit/soon.js';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({
    sql: `CREATE TABLE things (id int PRIMARY KEY, name text NOT NULL, size int NOT NULL DEFAULT 1);
          INSERT INTO things SELECT i, 'thing ' || i FROM generate_series(1, 50) i;
          CREATE TABLE parts (id int PRIMARY KEY, thing_id int REFERENCES things, extra text);
          INSERT INTO parts SELECT i, i, 'x' FROM generate_series(1, 50) i;`,
  });
});

afterAll(async () => {
  await app.close();
});

/** Asks again and again until `changes` are done; gives every answer that was not as it should be. */
async function during(
  changes: () => Promise<void>,
  requests: readonly (() => Promise<Response>)[],
): Promise<string[]> {
  const faults: string[] = [];
  const done = new AbortController();
  const ask = async (request: () => Promise<Response>): Promise<void> => {
    while (!done.signal.aborted) {
      const response = await request();
      const text = await response.text();
      if (!response.ok) faults.push(`${response.status} ${text}`);
    }
  };
  const asking = requests.map((request) => ask(request));
  try {
    await changes();
  } finally {
    done.abort();
    await Promise.all(asking);
  }
  return faults;
}

describe('a schema that changes under requests', () => {
  it('fails no request in flight, reading or writing', async () => {
    const headers = { 'x-api-key': app.adminKey, 'content-type': 'application/json' };
    const get = (path: string) => () => fetch(app.url + path, { headers });
    let next = 1000;
    const faults = await during(async () => {
      for (let round = 0; round < 10; round += 1) {
        await app.database.query(`ALTER TABLE things ADD COLUMN extra${round} text DEFAULT 'new'`);
        await app.database.query(
          `ALTER TABLE things ALTER COLUMN size TYPE ${round % 2 === 0 ? 'bigint' : 'int'}`,
        );
        await app.database.query(`ALTER TABLE things RENAME COLUMN extra${round} TO other${round}`);
        await app.database.query(`ALTER TABLE things DROP COLUMN other${round}`);
        await app.database.query('ALTER TABLE parts RENAME COLUMN extra TO note');
        await app.database.query('ALTER TABLE parts RENAME COLUMN note TO extra');
      }
    }, [
      get('/api/things?limit=10'),
      get('/api/things/7'),
      get('/api/things?fields=id,parts(*)&filter=size%20%3E%200'),
      get('/api/parts?sort=-id&limit=5&count=exact'),
      () => fetch(`${app.url}/api/things/3`, { method: 'PATCH', headers, body: '{"name":"again"}' }),
      () => {
        next += 1;
        return fetch(`${app.url}/api/things`, {
          method: 'POST',
          headers,
          body: JSON.stringify({ id: next, name: 'n' }),
        });
      },
    ]);
    expect(faults).toEqual([]);
  });

  it('shows new tables, columns, types, relations and comments within a second, and forgets dropped ones', async () => {
    const fieldsOf = async (name: string): Promise<unknown> => {
      const { body } = await app.admin('GET', `/system/collections/${name}`);
      return body?.fields?.map((field: { name: string; type: string }) => `${field.name} ${field.type}`);
    };
    await app.database.query('CREATE TABLE boxes (id int PRIMARY KEY, thing_id int REFERENCES things)');
    await expect.poll(() => fieldsOf('boxes'), SOON).toEqual(['id integer', 'thing_id integer']);
    expect((await app.admin('GET', '/api/boxes?fields=id,thing(name)')).status).toBe(200);
    await app.database.query('ALTER TABLE boxes ADD COLUMN label varchar(9)');
    await expect.poll(() => fieldsOf('boxes'), SOON).toContain('label character varying(9)');
    await app.database.query('DROP TABLE boxes');
    await expect.poll(async () => (await app.admin('GET', '/api/boxes')).status, SOON).toBe(404);
  });
});
