import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../kit/app.js';
import { openRawConnection, problemsIn, statusesIn, type RawConnection } from '../../kit/raw-connection.js';

/** One record of it is more than the buffers of a connection hold, and reading the view takes a while. */
const SQL = `
  CREATE TABLE blobs (id int PRIMARY KEY, content text NOT NULL);
  INSERT INTO blobs SELECT i, repeat('x', 4000000) FROM generate_series(1, 5) i;
  CREATE VIEW slow AS SELECT 1 AS id FROM pg_sleep(0.9);
`;

const SEND_TIMEOUT_MS = 400;

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({
    sql: SQL,
    config: {
      headersTimeoutMs: 400,
      requestTimeoutMs: 700,
      keepAliveTimeoutMs: 400,
      sendTimeoutMs: SEND_TIMEOUT_MS,
    },
  });
});
afterAll(() => app.close());

/** Sends a byte now and then, as long as the connection lives. */
function trickle(connection: RawConnection, byte: string): void {
  const timer = setInterval(() => connection.send(byte), 40);
  connection.socket.once('close', () => clearInterval(timer));
}

const openConnections = (): Promise<number> =>
  new Promise((resolve, reject) => {
    app.server.app.getHttpServer().getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });

describe('a client that takes its time', () => {
  it('with the headers is told, and disconnected', async () => {
    const connection = await openRawConnection(app.url);
    connection.send('GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    trickle(connection, 'a');
    const text = await connection.closed();
    expect([statusesIn(text), problemsIn(text)]).toEqual([[408], ['request-timeout']]);
  });

  it('with the first byte is told, and disconnected', async () => {
    const connection = await openRawConnection(app.url);
    expect(problemsIn(await connection.closed())).toEqual(['request-timeout']);
  });

  it('with the body is told, and disconnected', async () => {
    const connection = await openRawConnection(app.url);
    connection.send(
      `POST /api/blobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${app.adminKey}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"content": "',
    );
    trickle(connection, 'a');
    expect(problemsIn(await connection.closed())).toEqual(['request-timeout']);
  });

  it('with the chunks of a body is told, and disconnected', async () => {
    const connection = await openRawConnection(app.url);
    connection.send(
      `POST /api/blobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${app.adminKey}\r\n` +
        'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    trickle(connection, '1\r\n \r\n');
    expect(problemsIn(await connection.closed())).toEqual(['request-timeout']);
  });

  it('with the next request is disconnected', async () => {
    const connection = await openRawConnection(app.url);
    connection.send('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(statusesIn(await connection.closed())).toEqual([200]);
  });

  it('with reading the answer is disconnected', async () => {
    const connection = await openRawConnection(app.url);
    connection.socket.pause();
    connection.send(`GET /api/blobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${app.adminKey}\r\n\r\n`);
    await expect.poll(openConnections, { timeout: 10_000 }).toBe(1);
    await expect.poll(openConnections, { timeout: 10_000 }).toBe(0);
    connection.socket.destroy();
  });
});

it('leaves alone a client that waits for an answer, and one that reads it', async () => {
  const connection = await openRawConnection(app.url);
  connection.send(`GET /api/slow HTTP/1.1\r\nHost: x\r\nX-API-Key: ${app.adminKey}\r\n\r\n`);
  expect(statusesIn(await connection.until(/"next":null/))).toEqual([200]);
  const { body } = await app.admin('GET', '/api/blobs');
  expect(body.data).toHaveLength(5);
});

it('answers others meanwhile', async () => {
  const slow = await Promise.all(Array.from({ length: 200 }, () => openRawConnection(app.url)));
  for (const connection of slow) {
    connection.send('POST /api/blobs HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n');
    trickle(connection, 'x');
  }
  expect(await app.admin('GET', '/api/blobs?fields=id')).toMatchObject({ status: 200 });
  const ends = await Promise.all(slow.map((connection) => connection.closed()));
  expect(new Set(ends.flatMap(problemsIn))).toEqual(new Set(['request-timeout']));
});
