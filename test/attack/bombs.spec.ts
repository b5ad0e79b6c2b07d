import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../kit/app.js';
import { openRawConnection, statusesIn } from '../kit/raw-connection.js';

/**
 * What `test/e2e/security` shows to be refused, against a server on which nobody has set a limit: there it gets through.
 * So it is the limits that those tests meet, and not a client that could not send, or a server that refuses everything.
 */
describe('bombs and slow clients, where the limits are as wide as they can be', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({
      sql: 'CREATE TABLE notes (id int PRIMARY KEY, text text)',
      config: {
        headerLimitBytes: 1024 ** 2,
        urlLimitBytes: 1024 ** 2,
        maxHeaders: 10_000,
        bodyLimitBytes: 16 * 1024 ** 2,
        headersTimeoutMs: 60_000,
        requestTimeoutMs: 60_000,
      },
    });
  });
  afterAll(() => app?.close());

  it.each([
    ['one long header', `X-Bomb: ${'a'.repeat(200_000)}`],
    ['thousands of headers', Array.from({ length: 5000 }, (_, index) => `x-${index}: 1`).join('\r\n')],
  ])('are answered with %s', async (_label, headers) => {
    const connection = await openRawConnection(app.url);
    connection.send(`GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n\r\n`);
    expect(statusesIn(await connection.closed())).toEqual([200]);
  });

  it('are answered with a large body', async () => {
    const text = 'x'.repeat(2 * 1024 ** 2);
    const { status } = await app.admin('POST', '/api/notes?fields=id', { id: 1, text });
    expect(status).toBe(201);
  });

  it('are answered after headers that took longer than the tests of slow clients allow', async () => {
    const connection = await openRawConnection(app.url);
    const text = 'GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const letters = text.split('');
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        connection.send(letters.shift() ?? '');
        if (letters.length > 0) return;
        clearInterval(timer);
        resolve();
      }, 8);
    });
    expect(statusesIn(await connection.closed())).toEqual([200]);
  });
});
