import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../kit/app.js';
import { openRawConnection } from '../../kit/raw-connection.js';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({
    sql: 'CREATE TABLE notes (id int PRIMARY KEY, text text)',
    config: { trustedProxies: ['127.0.0.2'] },
  });
});
afterAll(() => app.close());

const EVERYWHERE = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};
const CLOSED = "default-src 'none'; frame-ancestors 'none'";

it.each([
  ['GET', '/api/notes', 200],
  ['POST', '/api/notes', 400],
  ['GET', '/openapi.json', 200],
  ['GET', '/health/live', 200],
  ['GET', '/system/roles', 200],
  ['GET', '/nothing', 404],
  ['PUT', '/api/notes', 405],
  ['GET', '/api/%', 400],
  ['GET', `/api/notes/${'9'.repeat(5000)}`, 414],
  ['HEAD', '/api/notes', 200],
])('%s %s has the headers of an answer that is no page', async (method, path, status) => {
  const answer = await app.admin(method, path);
  expect(answer.status).toBe(status);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    ...EVERYWHERE,
    'content-security-policy': CLOSED,
  });
  for (const name of ['server', 'x-powered-by', 'strict-transport-security', 'access-control-allow-origin']) {
    expect([name, answer.headers.get(name)]).toEqual([name, null]);
  }
});

it('an answer to what is no request has them too', async () => {
  const connection = await openRawConnection(app.url);
  connection.send('nonsense\r\n\r\n');
  const text = await connection.closed();
  for (const [name, value] of Object.entries({ ...EVERYWHERE, 'content-security-policy': CLOSED })) {
    expect(text).toContain(`${name}: ${value}\r\n`);
  }
});

it('the pages for people may be in no frame, and run nothing but their own files', async () => {
  const { headers } = await fetch(`${app.url}/docs`);
  expect(Object.fromEntries(headers)).toMatchObject({
    ...EVERYWHERE,
    'cross-origin-opener-policy': 'same-origin',
  });
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe|\*|https?:/);
  expect(Object.fromEntries((await fetch(`${app.url}/docs/start.js`)).headers)).toMatchObject(EVERYWHERE);
});

it('nobody is told to insist on TLS by a client that claims to have come over it', async () => {
  const headers = { 'x-forwarded-proto': 'https', forwarded: 'proto=https' };
  expect(
    (await app.request('GET', '/health/live', { headers })).headers.has('strict-transport-security'),
  ).toBe(false);
});

it('behind a trusted proxy, what came over TLS is told to insist on it', async () => {
  const behind = await startTestApp({ database: app.database, config: { trustedProxies: ['loopback'] } });
  const hsts = async (proto?: string): Promise<string | null> => {
    const headers = proto === undefined ? undefined : { 'x-forwarded-proto': proto };
    return (await behind.request('GET', '/health/live', { headers })).headers.get(
      'strict-transport-security',
    );
  };
  expect(await hsts('https')).toBe('max-age=31536000');
  // The nearest proxy is the one that is believed.
  expect(await hsts('http, https')).toBe('max-age=31536000');
  for (const proto of [undefined, 'http', 'https, http', 'httpsx', '']) expect(await hsts(proto)).toBeNull();
  await behind.close();
});

it('are on the answer to a request that expects something unheard-of, which is served like any other', async () => {
  for (const expectation of ['*', '', 'gold', '200-ok']) {
    const connection = await openRawConnection(app.url);
    connection.send(
      `GET /health/live HTTP/1.1\r\nHost: x\r\nExpect: ${expectation}\r\nConnection: close\r\n\r\n`,
    );
    const text = await connection.closed();
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).toMatch(/^x-content-type-options: nosniff\r$/im);
  }
});
