import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../kit/app.js';

/** What every object of JavaScript answers to, and no record of this database. */
const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__'];

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({
    sql: `CREATE TABLE notes (id int PRIMARY KEY, text text, meta jsonb); INSERT INTO notes VALUES (1, 'x', '{}')`,
  });
});
afterAll(() => app?.close());

/** The server runs in this process: what it did to the prototype of all objects is to be seen here. */
const prototype = (): unknown => [
  Object.getOwnPropertyNames(Object.prototype),
  ({} as Record<string, unknown>)['polluted'],
];

const pollution = '{"polluted":true}';
/** Texts, because an object literal would take `__proto__` for what it is. */
const bodies = (name: string): readonly [method: string, path: string, body: string][] => [
  ['POST', '/api/notes', `{"id":2,"${name}":${pollution}}`],
  ['POST', '/api/notes', `[{"id":2},{"id":3,"${name}":${pollution}}]`],
  ['PATCH', '/api/notes/1', `{"${name}":${pollution}}`],
  ['PATCH', '/api/notes?filter=true', `{"${name}":${pollution}}`],
  ['PUT', '/api/notes/1', `{"text":"y","${name}":${pollution}}`],
  ['POST', '/api/batch', `{"operations":[],"${name}":${pollution}}`],
  ['POST', '/api/batch', `{"operations":[{"method":"DELETE","path":"/notes/1","${name}":${pollution}}]}`],
  ['POST', '/api/batch', `{"operations":[{"method":"POST","path":"/notes","body":{"id":2,"${name}":1}}]}`],
  [
    'POST',
    '/api/batch',
    `{"operations":[{"method":"POST","path":"/notes","body":{"id":{"$ref":"${name}.id"}}}]}`,
  ],
  ['POST', '/system/roles', `{"name":"r","${name}":${pollution}}`],
  ['POST', '/system/keys', `{"name":"k","roles":[],"${name}":${pollution}}`],
  [
    'POST',
    '/system/policies',
    `{"role":"public","collection":"notes","action":"read","${name}":${pollution}}`,
  ],
  ['POST', '/system/policies', `{"role":"public","collection":"${name}","action":"read"}`],
  ['POST', '/system/policies', `{"role":"public","collection":"notes","action":"read","fields":["${name}"]}`],
  [
    'POST',
    '/system/policies',
    `{"role":"public","collection":"notes","action":"create","presets":{"${name}":{"value":1}}}`,
  ],
  [
    'POST',
    '/system/access/explain',
    `{"actor":{"roles":[],"${name}":1},"action":"read","collection":"notes"}`,
  ],
  ['POST', '/auth/sign-in', `{"email":"a@example.org","password":"x","${name}":${pollution}}`],
];
const addresses = (name: string): readonly string[] => [
  `/api/${name}`,
  `/api/${name}/1`,
  `/api/notes/${name}`,
  `/api/notes?${name}=1`,
  `/api/notes?fields=${name}`,
  `/api/notes?fields=${name}(id)`,
  `/api/notes?sort=${name}`,
  `/api/notes?filter=${name}==1`,
  `/api/notes?filter=meta.${name}.x()`,
  `/api/notes?${name}.limit=1`,
  `/api/notes/aggregate?measures=sum(${name})`,
  `/api/notes/aggregate?measures=${name}(id)`,
  `/api/notes/aggregate?groupBy=${name}`,
  `/system/collections/${name}`,
  `/system/roles/${name}`,
];

describe('[row 9] a name that every object has', () => {
  it.each(NAMES)(
    '[row 9] is refused at every place of a body, and reaches no prototype: %s',
    async (name) => {
      const before = prototype();
      for (const [method, path, body] of bodies(name)) {
        const { status } = await app.request(method, path, {
          ...(path.startsWith('/auth') ? {} : { key: app.adminKey }),
          body,
        });
        expect([path, body, status >= 400 && status < 500]).toEqual([path, body, true]);
      }
      expect(prototype()).toEqual(before);
      expect(await app.database.query('SELECT * FROM notes')).toEqual([{ id: 1, text: 'x', meta: {} }]);
    },
  );

  it.each(NAMES)('[row 9] is known nowhere in an address: %s', async (name) => {
    for (const path of addresses(name)) {
      const { status } = await app.admin('GET', path);
      expect([path, status >= 400 && status < 500]).toEqual([path, true]);
    }
  });
});
