import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../kit/app.js';
import { BLOG_SQL } from '../../kit/blog.js';
import { sendRaw } from '../../kit/raw-request.js';

const CANARY = 'canary-5f1e';

const UP = [
  '../',
  '..%2f',
  '..%2F',
  '%2e%2e/',
  '%2e%2e%2f',
  '%2E%2E%2F',
  '.%2e/',
  '%2e./',
  '..%5c',
  '..%5C',
  '%2e%2e%5c',
  '..%252f',
  '%252e%252e%252f',
  '%25252e%25252e%25252f',
  '..%c0%af',
  '%c0%ae%c0%ae%c0%af',
  '%e0%80%ae%e0%80%ae%e0%80%af',
  '..%ef%bc%8f',
  '%ef%bc%8e%ef%bc%8e%ef%bc%8f',
  '....//',
  '....%2f%2f',
  '..;/',
  '..%3b%2f',
  '..%00/',
  '..%00%2f',
  '..%0d%0a%2f',
  '..%09%2f',
  '..%20%2f',
  '..%u2215',
  '%u002e%u002e%u2215',
  '.%252e%2f',
  './../',
  '.%2f..%2f',
  'x/../../',
  'x%2f..%2f..%2f',
];
const AWAY = [
  'etc/passwd',
  'etc%2fpasswd',
  'package.json',
  'swagger-ui-dist/package.json',
  'node_modules/pg/package.json',
  'system/keys',
  'system%2fkeys',
  'api/authors',
  'api%2fauthors%2f1',
];
const ABSOLUTE = [
  '/etc/passwd',
  '%2fetc%2fpasswd',
  '//etc/passwd',
  'file:%2f%2f%2fetc%2fpasswd',
  'C:%5cWindows%5cwin.ini',
  '%5c%5chost%5cshare',
  '%00',
  '%00.css',
  'page.css%00',
  'page.css%2f..%2f..%2fpackage.json',
  'page.css/',
  'page.css%2f',
  '.',
  '..',
  '%2e',
  '%2e%2e',
  '...',
  '%',
  '%2',
  '%zz',
  '__proto__',
  'constructor',
];

/** Everywhere that a path has a variable part; it ends where the attack goes. */
const PREFIXES = [
  '/docs/',
  '/api/',
  '/api/posts/',
  '/system/roles/',
  '/system/policies/',
  '/system/keys/',
  '/system/collections/',
];

let app: TestApp;
let reader: string;
let folder: string;
let attacks: readonly string[];
beforeAll(async () => {
  app = await startTestApp({ sql: BLOG_SQL });
  reader = await app.keyFor('reader', [{ collection: 'posts', action: 'read' }]);
  folder = await mkdtemp(path.join(tmpdir(), 'canary-'));
  await writeFile(path.join(folder, 'canary'), CANARY);
  // The way to a file that is certainly there, from however deep the server stands.
  const canary = path.join(folder, 'canary').slice(1);
  attacks = [
    ...UP.flatMap((up) => AWAY.flatMap((away) => [1, 2, 3].map((depth) => up.repeat(depth) + away))),
    ...UP.flatMap((up) => [canary, canary.replaceAll('/', '%2f')].map((to) => up.repeat(12) + to)),
    ...ABSOLUTE,
    `/${canary}`,
    encodeURIComponent(`/${canary}`),
  ];
});
afterAll(async () => {
  await app?.close();
  await rm(folder, { recursive: true, force: true });
});

/** What only those see who got out of where they should be. */
const STOLEN = new RegExp(`${CANARY}|root:.*:0:0|"dependencies"|"hash"|"prefix"|ada@example|@font-face\\{`);

describe('[row 23] a path that leads upwards', () => {
  it.each(PREFIXES)('[row 23] leads nowhere behind %s, for callers of every kind', async (prefix) => {
    const wrong: unknown[] = [];
    for (const attack of attacks) {
      const callers: readonly Record<string, string>[] = [
        {},
        { 'x-api-key': reader },
        { 'x-api-key': app.adminKey },
      ];
      for (const [caller, headers] of callers.entries()) {
        const { status, text } = await sendRaw(app.url, 'GET', prefix + attack, headers);
        // An administrator may read the table that some of the paths would lead to; nobody is led there.
        const isRefused = status >= 400 && status < 500 && text.includes('"/problems/');
        if (!isRefused || STOLEN.test(text)) wrong.push([caller, attack, status, text.slice(0, 100)]);
      }
    }
    expect(wrong).toEqual([]);
  });

  it.each(['PATCH', 'PUT', 'DELETE', 'POST'])('[row 23] does nothing by %s', async (method) => {
    const state = (): Promise<unknown> =>
      app.database.query(
        'SELECT (SELECT json_agg(a ORDER BY id) FROM authors a), (SELECT json_agg(p ORDER BY id) FROM posts p), (SELECT count(*) FROM plinth.api_keys), (SELECT count(*) FROM plinth.roles)',
      );
    const before = await state();
    for (const prefix of PREFIXES) {
      for (const attack of [
        '../authors/1',
        '..%2fauthors%2f1',
        '%2e%2e%2fauthors%2f1',
        '../../system/roles/reader',
        '..%2f..%2fsystem%2froles%2freader',
        '%252e%252e%252fauthors%252f1',
        '..;/authors/1',
      ]) {
        const { status } = await sendRaw(app.url, method, prefix + attack, { 'x-api-key': reader });
        expect([prefix, attack, status >= 400 && status < 500]).toEqual([prefix, attack, true]);
      }
    }
    expect(await state()).toEqual(before);
  });

  it('[row 23] leads nowhere in a batch, as path or as id', async () => {
    for (const attack of attacks) {
      for (const operation of [
        { method: 'GET', path: `/${attack}` },
        { method: 'GET', path: `/posts/${attack}` },
        { method: 'DELETE', path: `/posts/${attack}` },
        { method: 'GET', path: '/posts', id: attack },
      ]) {
        const { status, text } = await app.request('POST', '/api/batch', {
          key: reader,
          body: { operations: [operation] },
        });
        expect([operation, status >= 400 && status < 500, STOLEN.test(text)]).toEqual([
          operation,
          true,
          false,
        ]);
      }
    }
  }, 120_000);

  it('[row 23] is no name of a schema, a table or a file that is not exposed', async () => {
    for (const name of [
      'plinth.api_keys',
      'plinth.secrets',
      'plinth.roles',
      'pg_catalog.pg_authid',
      'pg_authid',
      'pg_shadow',
      'information_schema.tables',
      'public.posts',
      '"posts"',
      'posts;select',
      'POSTS',
      'Posts',
    ]) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const target = `/api/${encodeURIComponent(name)}`;
        const { status, text } = await sendRaw(app.url, method, target, { 'x-api-key': app.adminKey });
        expect([name, method, status >= 400 && status < 500, STOLEN.test(text)]).toEqual([
          name,
          method,
          true,
          false,
        ]);
      }
    }
  });
});
