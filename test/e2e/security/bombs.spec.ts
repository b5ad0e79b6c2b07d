import { gzipSync, brotliCompressSync, deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../kit/app.js';
import { openRawConnection, problemsIn, statusesIn } from '../../kit/raw-connection.js';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({
    sql: 'CREATE TABLE notes (id int PRIMARY KEY, text text)',
    config: { bodyLimitBytes: 1024 * 1024 },
  });
});
afterAll(() => app.close());

/** What would be 40 MB, and is some kilobytes. */
const HUGE = Buffer.alloc(40 * 1024 ** 2, ' ');

async function sendBody(headers: Record<string, string>, body: Buffer) {
  const response = await fetch(`${app.url}/api/notes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${app.adminKey}`, 'content-type': 'application/json', ...headers },
    body: new Uint8Array(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as { type: string },
  };
}

describe('a compressed body', () => {
  const encodings: readonly [string, () => Buffer][] = [
    ['gzip', () => gzipSync(HUGE)],
    ['deflate', () => deflateSync(HUGE)],
    ['br', () => brotliCompressSync(HUGE.subarray(0, 1024 ** 2))],
    ['gzip, gzip', () => gzipSync(gzipSync(HUGE))],
    ['GZIP', () => gzipSync('{}')],
    ['identity, gzip', () => gzipSync('{}')],
    ['unheard-of', () => Buffer.from('{}')],
  ];
  it.each(encodings)('in %s is refused, and never unpacked', async (encoding, compress) => {
    const before = process.memoryUsage().rss;
    const body = compress();
    const answer = await sendBody({ 'content-encoding': encoding }, body);
    expect([answer.status, answer.body.type]).toEqual([415, '/problems/unsupported-media-type']);
    expect(answer.headers.get('accept-encoding')).toBe('identity');
    expect(process.memoryUsage().rss - before).toBeLessThan(HUGE.length / 2);
  });

  it('that is packed for the transfer is no JSON', async () => {
    const connection = await openRawConnection(app.url);
    const packed = gzipSync('{"id": 1}').toString('latin1');
    connection.send(
      `POST /api/notes HTTP/1.1\r\nHost: x\r\nX-API-Key: ${app.adminKey}\r\nContent-Type: application/json\r\n` +
        `Transfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n` +
        `${packed.length.toString(16)}\r\n${packed}\r\n0\r\n\r\n`,
    );
    const text = await connection.closed();
    expect([statusesIn(text), problemsIn(text)]).toEqual([[400], ['invalid-json']]);
  });
});

describe('a request that does not end', () => {
  it('in one header is refused as soon as it is too long', async () => {
    const connection = await openRawConnection(app.url);
    connection.send(`GET /health/live HTTP/1.1\r\nHost: x\r\nX-Bomb: ${'a'.repeat(8 * 1024 ** 2)}`);
    expect(problemsIn(await connection.closed())).toEqual(['headers-too-large']);
  });

  it('in its address is refused as soon as it is too long', async () => {
    const connection = await openRawConnection(app.url);
    connection.send(`GET /${'a'.repeat(8 * 1024 ** 2)}`);
    expect(problemsIn(await connection.closed())).toEqual(['headers-too-large']);
  });

  it('in tiny headers is refused as soon as they are too many', async () => {
    const connection = await openRawConnection(app.url);
    connection.send(`GET /health/live HTTP/1.1\r\nHost: x\r\n${'a:\r\n'.repeat(1_000_000)}`);
    expect(problemsIn(await connection.closed())).toEqual(['headers-too-large']);
  });

  it('in the extensions of a chunk is refused', async () => {
    const connection = await openRawConnection(app.url);
    connection.send(
      `POST /api/notes HTTP/1.1\r\nHost: x\r\nX-API-Key: ${app.adminKey}\r\nContent-Type: application/json\r\n` +
        `Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(1024 ** 2)}`,
    );
    const text = await connection.closed();
    expect(problemsIn(text)).toEqual(['body-too-large']);
  });

  it('in its body is refused as soon as it is too long, and the rest is not waited for', async () => {
    const connection = await openRawConnection(app.url);
    connection.send(
      `POST /api/notes HTTP/1.1\r\nHost: x\r\nX-API-Key: ${app.adminKey}\r\nContent-Type: application/json\r\n` +
        `Transfer-Encoding: chunked\r\n\r\n${`10000\r\n${' '.repeat(0x1_00_00)}\r\n`.repeat(20)}`,
    );
    expect(problemsIn(await connection.until(/problems/))).toEqual(['body-too-large']);
    connection.socket.destroy();
  });

  it('in pipelined requests is answered one by one', async () => {
    const connection = await openRawConnection(app.url);
    connection.send('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(500));
    connection.send('GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(statusesIn(await connection.closed())).toEqual(Array(501).fill(200));
  });
});

it('has harmed nobody: the same process answers', async () => {
  expect(await app.admin('POST', '/api/notes', { id: 1, text: 'fine' })).toMatchObject({ status: 201 });
});
