import { createServer, type Server } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../kit/app.js';
import { CHROMIUM, launchBrowser } from '../../kit/browser.js';
import { createTestDatabase, type TestDatabase } from '../../kit/database.js';

if (CHROMIUM === null) console.warn('SKIPPED: CORS in a browser; there is no Chromium on this machine.');

const ORIGIN = 'https://app.example.com';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({
    sql: `CREATE TABLE notes (id int PRIMARY KEY, text text); INSERT INTO notes VALUES (1, 'first')`,
  });
});
afterAll(() => database.drop());

const preflight = (app: TestApp, path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(app.url + path, {
    method: 'OPTIONS',
    headers: {
      origin: ORIGIN,
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'authorization,content-type,if-match',
      ...headers,
    },
  });
const corsHeaders = ({ headers }: Response): Record<string, string> =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-') || name === 'vary'));

describe('without origins', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({ database });
  });
  afterAll(() => app.close());

  it('no page of another origin may do anything', async () => {
    expect(corsHeaders(await fetch(`${app.url}/openapi.json`, { headers: { origin: ORIGIN } }))).toEqual({
      vary: 'Authorization, X-API-Key',
    });
    const refused = await preflight(app, '/api/notes');
    expect([refused.status, corsHeaders(refused)]).toEqual([405, {}]);
  });
});

describe('with origins', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({ database, config: { corsOrigins: [ORIGIN, 'https://*.example.org'] } });
  });
  afterAll(() => app.close());

  it('answers a preflight at once, for any address, and lets it be kept', async () => {
    for (const path of ['/api/notes/1', '/nothing/here', '/system/roles']) {
      const answer = await preflight(app, path);
      expect([path, answer.status, await answer.text(), corsHeaders(answer)]).toEqual([
        path,
        204,
        '',
        {
          'access-control-allow-origin': ORIGIN,
          'access-control-allow-credentials': 'true',
          'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
          'access-control-allow-headers': 'authorization,content-type,if-match',
          'access-control-max-age': '7200',
          vary: 'Access-Control-Request-Headers, Origin',
        },
      ]);
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it('lets answers be read, refusals of every kind too', async () => {
    const key = app.adminKey;
    for (const [path, method, status] of [
      ['/api/notes/1', 'GET', 200],
      ['/api/nothing', 'GET', 404],
      ['/nothing', 'GET', 404],
      ['/api/notes', 'PUT', 405],
      ['/api/%', 'GET', 400],
      [`/api/notes/${'9'.repeat(5000)}`, 'GET', 414],
    ] as const) {
      const answer = await fetch(app.url + path, { method, headers: { origin: ORIGIN, 'x-api-key': key } });
      expect([path, answer.status]).toEqual([path, status]);
      expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
      expect(answer.headers.get('access-control-expose-headers')).toContain('ETag, Location, Link');
      expect(answer.headers.get('vary')).toMatch(/\bOrigin$/);
    }
    const wrong = await fetch(`${app.url}/api/notes`, {
      headers: { origin: ORIGIN, authorization: 'Bearer plinth_x' },
    });
    expect([wrong.status, wrong.headers.get('access-control-allow-origin')]).toEqual([401, ORIGIN]);
  });

  it('says nothing to other origins, and keeps caches from mixing them up', async () => {
    for (const origin of [
      'https://evil.com',
      'null',
      'https://app.example.com.evil.com',
      'http://app.example.com',
    ]) {
      const refused = await preflight(app, '/api/notes', { origin });
      expect([refused.status, corsHeaders(refused)]).toEqual([405, { vary: 'Origin' }]);
      const answer = await fetch(`${app.url}/openapi.json`, { headers: { origin } });
      expect([answer.status, corsHeaders(answer)]).toEqual([
        200,
        { vary: 'Authorization, X-API-Key, Origin' },
      ]);
    }
    const own = await fetch(`${app.url}/openapi.json`);
    expect(corsHeaders(own)).toEqual({ vary: 'Authorization, X-API-Key, Origin' });
  });

  it('takes an OPTIONS that is no preflight for what it is', async () => {
    const answer = await fetch(`${app.url}/api/notes`, { method: 'OPTIONS', headers: { origin: ORIGIN } });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'DELETE, GET, HEAD, PATCH, POST']);
  });

  it('does not echo header names that are none', async () => {
    const answer = await preflight(app, '/api/notes', { 'access-control-request-headers': 'x-a, "><b' });
    expect([answer.status, answer.headers.get('access-control-allow-headers')]).toEqual([204, null]);
  });
});

describe('with every origin', () => {
  it('allows all of them, and never with cookies', async () => {
    const app = await startTestApp({ database, config: { corsOrigins: ['*'] } });
    const answer = await fetch(`${app.url}/openapi.json`, { headers: { origin: 'https://anybody.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    expect(answer.headers.get('vary')).toBe('Authorization, X-API-Key');
    await app.close();
  });
});

describe.skipIf(CHROMIUM === null)('in a browser', () => {
  let pages: Server;
  let browser: Browser;
  let origin = '';
  beforeAll(async () => {
    pages = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>a page</title>');
    });
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
    const address = pages.address();
    if (address === null || typeof address === 'string') throw new Error('There is no port.');
    origin = `http://127.0.0.1:${address.port}`;
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await new Promise((resolve) => pages.close(resolve));
  });

  /** What a page of `origin` gets when it changes a record: status and entity tag, or that it was kept from it. */
  async function changeFrom(page: Page, app: TestApp): Promise<unknown> {
    await page.goto(origin);
    return page.evaluate(
      async ([url, key]) => {
        try {
          const answer = await fetch(`${url}/api/notes/1`, {
            method: 'PATCH',
            headers: { authorization: `Bearer ${key}`, 'content-type': 'application/merge-patch+json' },
            body: '{"text":"from a page"}',
          });
          return [answer.status, await answer.json(), answer.headers.get('etag') !== null];
        } catch (error) {
          return (error as Error).name;
        }
      },
      [app.url, app.adminKey] as const,
    );
  }

  it('a page of an allowed origin writes and reads, headers too', async () => {
    const app = await startTestApp({ database, config: { corsOrigins: [origin] } });
    const page = await browser.newPage();
    expect(await changeFrom(page, app)).toEqual([200, { id: 1, text: 'from a page' }, true]);
    await page.close();
    await app.close();
  });

  it('a page of another origin is kept from it', async () => {
    const app = await startTestApp({ database, config: { corsOrigins: ['http://127.0.0.1:1'] } });
    await app.admin('PATCH', '/api/notes/1', { text: 'untouched' });
    const page = await browser.newPage();
    expect(await changeFrom(page, app)).toBe('TypeError');
    expect((await app.admin('GET', '/api/notes/1')).body).toEqual({ id: 1, text: 'untouched' });
    await page.close();
    await app.close();
  });
});
