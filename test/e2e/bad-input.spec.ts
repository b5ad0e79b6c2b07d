import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type RequestOptions, type TestApp } from '../kit/app.js';
import { createReaderKey, LIBRARY_SQL } from '../kit/library.js';

let app: TestApp;
let readerKey: string;

beforeAll(async () => {
  app = await startTestApp({ sql: LIBRARY_SQL });
  readerKey = await createReaderKey(app);
});

afterAll(async () => {
  await app.close();
});

/** Whatever was sent, the same process goes on. */
afterEach(async () => {
  const { status } = await app.request('GET', '/health/live');
  if (status !== 200) throw new Error(`The server answers ${status} after this request.`);
});

interface Expected {
  readonly status: number;
  readonly type: string;
  /** Pointer of the first error. */
  readonly pointer?: string;
  readonly position?: readonly [number, number];
  /** A part of the detail. */
  readonly detail?: string;
}

async function expectProblem(method: string, path: string, expected: Expected, options: RequestOptions = {}) {
  const { status, body, headers } = await app.request(method, path, { key: app.adminKey, ...options });
  const first = body?.errors?.[0];
  const { position } = expected;
  expect({
    status,
    type: body?.type,
    pointer: expected.pointer && first?.pointer,
    position: position && first?.position,
    detail: body?.detail,
  }).toEqual({
    status: expected.status,
    type: `/problems/${expected.type}`,
    pointer: expected.pointer,
    position: position && { start: position[0], end: position[1] },
    detail: expect.stringContaining(expected.detail ?? ''),
  });
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(body.requestId).toBe(headers.get('x-request-id'));
  return body;
}

const filter = (text: string): string => `/api/books?filter=${encodeURIComponent(text)}`;

describe('names', () => {
  it.each<[string, Expected]>([
    ['/api/book', { status: 404, type: 'unknown-collection', detail: '"book". Did you mean "books"?' }],
    ['/api/Books', { status: 404, type: 'unknown-collection', detail: 'Did you mean "books"?' }],
    ['/api/plinth.api_keys', { status: 404, type: 'unknown-collection' }],
    ['/api/pg_class', { status: 404, type: 'unknown-collection' }],
    ['/api/constructor', { status: 404, type: 'unknown-collection' }],
    ['/api/__proto__', { status: 404, type: 'unknown-collection' }],
    [
      '/api/books?fields=id,tilte',
      {
        status: 400,
        type: 'unknown-field',
        pointer: '?fields',
        position: [3, 8],
        detail: 'Did you mean "title"?',
      },
    ],
    [
      '/api/books?fields=author(nmae)',
      {
        status: 400,
        type: 'unknown-field',
        pointer: '?fields',
        position: [7, 11],
        detail: 'Did you mean "name"?',
      },
    ],
    [
      '/api/books?fields=auhtor(name)',
      { status: 400, type: 'unknown-field', pointer: '?fields', detail: 'Did you mean "author"?' },
    ],
    ['/api/books?fields=__proto__', { status: 400, type: 'unknown-field', pointer: '?fields' }],
    [
      '/api/books?sort=-tilte',
      {
        status: 400,
        type: 'unknown-field',
        pointer: '?sort',
        position: [1, 6],
        detail: 'Did you mean "title"?',
      },
    ],
    [
      '/api/books?flter=true',
      { status: 400, type: 'unknown-parameter', pointer: '?flter', detail: 'Did you mean "filter"?' },
    ],
    ['/api/books?author.limit=2', { status: 400, type: 'unknown-parameter', pointer: '?author.limit' }],
    [
      '/api/books/aggregate?measures=cuont',
      { status: 400, type: 'invalid-parameter', pointer: '?measures', detail: 'count' },
    ],
    [
      '/api/books/aggregate?groupBy=tilte',
      { status: 400, type: 'unknown-field', pointer: '?groupBy', detail: 'Did you mean "title"?' },
    ],
    [
      '/api/books/aggregate?groupBy=read_at:mnth',
      { status: 400, type: 'invalid-parameter', pointer: '?groupBy', position: [8, 12] },
    ],
  ])('%s', async (path, expected) => {
    await expectProblem('GET', path, expected);
  });

  it.each<[string, string, string]>([
    ['a field of the answer', '/api/books?fields=secret', '/api/books?fields=secreT'],
    ['a sort', '/api/books?sort=secret', '/api/books?sort=secreT'],
    ['a filter', filter('secret == "x"'), filter('secreT == "x"')],
    ['a field of a relation', '/api/books?fields=author(pseudonym)', '/api/books?fields=author(pseudonyM)'],
    ['a collection', '/api/loans', '/api/loanS'],
  ])(
    'suggests nothing that the caller may not see, nor tells it from what is not there: %s',
    async (_what, hidden, unknown) => {
      const [first, second] = await Promise.all(
        [hidden, unknown].map((path) => app.request('GET', path, { key: readerKey })),
      );
      expect(first?.body.detail).not.toContain('Did you mean');
      const text = (body: object): string =>
        JSON.stringify({ ...body, requestId: '' }).replaceAll(/secreT|pseudonyM|loanS/g, (name) =>
          name.toLowerCase(),
        );
      expect([first?.status, text(first?.body)]).toEqual([second?.status, text(second?.body)]);
    },
  );

  it('suggests to a reader what the reader may see', async () => {
    const { body } = await app.request('GET', '/api/books?fields=tilte', { key: readerKey });
    expect(body.detail).toContain('Did you mean "title"?');
  });
});

describe('filters', () => {
  it.each<[string, Expected]>([
    ['', { status: 400, type: 'invalid-filter', position: [0, 0] }],
    ['pages >', { status: 400, type: 'invalid-filter', position: [7, 7] }],
    ['pages = 1', { status: 400, type: 'invalid-filter', position: [6, 7], detail: '=' }],
    ['pages ~ 1', { status: 400, type: 'invalid-filter', position: [6, 7], detail: '~' }],
    ['"abc', { status: 400, type: 'invalid-filter', position: [0, 4] }],
    ['(((((', { status: 400, type: 'invalid-filter', position: [5, 5] }],
    ['pages > "x"', { status: 400, type: 'invalid-filter', position: [0, 11] }],
    ['pages', { status: 400, type: 'invalid-filter', position: [0, 5], detail: 'must be true or false' }],
    ['pages in [1, "x"]', { status: 400, type: 'invalid-filter', position: [13, 16] }],
    ['pages > 99999999999999999999', { status: 400, type: 'invalid-filter', position: [8, 28] }],
    ['pages.exists(p, p > 1)', { status: 400, type: 'invalid-filter', position: [0, 5] }],
    ['title.matches("(")', { status: 400, type: 'invalid-filter', position: [14, 17] }],
    ['read_at > timestamp("soon")', { status: 400, type: 'invalid-filter', position: [20, 26] }],
    ['__proto__ == 1', { status: 400, type: 'invalid-filter', position: [0, 9] }],
    [String.raw`title == "\ud800"`, { status: 400, type: 'invalid-filter' }],
    [
      'titel == "x"',
      { status: 400, type: 'unknown-field', position: [0, 5], detail: 'Did you mean "title"?' },
    ],
    ['author.nmae == "x"', { status: 400, type: 'unknown-field', detail: 'Did you mean "name"?' }],
    ['title.startWith("a")', { status: 400, type: 'unknown-field', detail: 'Did you mean startsWith?' }],
    ['constructor == 1', { status: 400, type: 'unknown-field', position: [0, 11] }],
    [
      `${'('.repeat(500)}true${')'.repeat(500)}`,
      { status: 400, type: 'query-too-complex', detail: 'nested' },
    ],
    ['a'.repeat(20_000), { status: 400, type: 'query-too-complex', detail: '16384' }],
    [
      Array.from({ length: 800 }, (_, index) => `pages!=${index}`).join('&&'),
      { status: 400, type: 'query-too-complex' },
    ],
  ])('%s', async (text, expected) => {
    const body = await expectProblem('GET', filter(text), { pointer: '?filter', ...expected });
    // Where it is and what it is, and nothing of what the checker knows besides.
    expect(Object.keys(body.errors[0]).toSorted()).toEqual(['code', 'message', 'pointer', 'position']);
  });

  it.each([
    'pages / 0 == 1',
    'pages % 0 == 0',
    'title.matches("^(a+)+$")',
    'ratings[99] == 1',
    'pages == 1 // what follows is a comment',
  ])('gives an answer to what is merely odd: %s', async (text) => {
    expect((await app.admin('GET', filter(text))).status).toBe(200);
  });
});

describe('parameters', () => {
  it.each<[string, Expected]>([
    ...['0', '-1', '1e9', '1000000000', 'x', '', '1.5', ' 1', '٣'].map((value): [string, Expected] => [
      `limit=${encodeURIComponent(value)}`,
      { status: 400, type: 'invalid-parameter', pointer: '?limit', detail: 'from 1 to 1000' },
    ]),
    ['limit=1&limit=2', { status: 400, type: 'invalid-parameter', pointer: '?limit', detail: 'twice' }],
    ['offset=-1', { status: 400, type: 'invalid-parameter', pointer: '?offset' }],
    ['offset=99999999', { status: 400, type: 'invalid-parameter', pointer: '?offset' }],
    [
      'count=all',
      { status: 400, type: 'invalid-parameter', pointer: '?count', detail: 'exact or estimated' },
    ],
    ['search=%00', { status: 400, type: 'invalid-parameter', detail: 'NUL' }],
    ['fields=', { status: 400, type: 'invalid-parameter', pointer: '?fields', position: [0, 0] }],
    [
      'fields=author(name',
      { status: 400, type: 'invalid-parameter', pointer: '?fields', position: [11, 11] },
    ],
    ['fields=id,id', { status: 400, type: 'invalid-parameter', pointer: '?fields', position: [3, 5] }],
    [
      `fields=${'author(books('.repeat(40)}id${'))'.repeat(40)}`,
      { status: 400, type: 'query-too-complex', pointer: '?fields' },
    ],
    ['sort=author', { status: 400, type: 'unknown-field', pointer: '?sort' }],
    ['sort=-', { status: 400, type: 'invalid-parameter', pointer: '?sort', position: [1, 1] }],
    ['fields=author(*)&author.limit=0', { status: 400, type: 'invalid-parameter', pointer: '?author.limit' }],
    ['cursor=abc', { status: 400, type: 'invalid-cursor', pointer: '?cursor' }],
    ['cursor=', { status: 400, type: 'invalid-cursor', pointer: '?cursor' }],
    [`cursor=${'A'.repeat(10_000)}`, { status: 400, type: 'invalid-cursor', pointer: '?cursor' }],
  ])('%s', async (query, expected) => {
    await expectProblem('GET', `/api/books?${query}`, expected);
  });

  it('refuses a cursor that was tampered with, or belongs to another query, collection or caller', async () => {
    const { body } = await app.admin('GET', '/api/books?limit=1&sort=title');
    const cursor: string = body.page.next;
    const swapped = cursor.startsWith('A') ? `B${cursor.slice(1)}` : `A${cursor.slice(1)}`;
    for (const path of [
      `/api/books?limit=1&sort=title&cursor=${swapped}`,
      `/api/books?limit=1&sort=title&cursor=${cursor.slice(0, -2)}`,
      `/api/books?limit=1&sort=-title&cursor=${cursor}`,
      `/api/books?limit=1&sort=title&filter=true&cursor=${cursor}`,
      `/api/authors?limit=1&cursor=${cursor}`,
    ]) {
      await expectProblem('GET', path, { status: 400, type: 'invalid-cursor', pointer: '?cursor' });
    }
    const other = await app.request('GET', `/api/books?limit=1&sort=title&cursor=${cursor}`, {
      key: readerKey,
    });
    expect([200, 400]).toContain(other.status);
    expect(JSON.stringify(other.body)).not.toContain('secret');
  });
});

describe('keys', () => {
  it.each<[string, Expected]>([
    ['/api/books/abc', { status: 400, type: 'invalid-key', detail: 'id is a whole number' }],
    ['/api/books/1,2', { status: 400, type: 'invalid-key', detail: '1 part, not 2' }],
    ['/api/books/1.0', { status: 400, type: 'invalid-key' }],
    ['/api/books/1e0', { status: 400, type: 'invalid-key' }],
    ['/api/books/0x1', { status: 400, type: 'invalid-key' }],
    ['/api/books/%201', { status: 400, type: 'invalid-key' }],
    ['/api/books/99999999999', { status: 400, type: 'invalid-key' }],
    ['/api/books/1%00', { status: 400, type: 'invalid-key', detail: 'NUL' }],
    ['/api/books/77', { status: 404, type: 'not-found' }],
    ['/api/loans/a', { status: 400, type: 'invalid-key', detail: 'shelf,place: 2 parts, not 1' }],
    ['/api/loans/a,b,1', { status: 400, type: 'invalid-key', detail: '2 parts, not 3' }],
    ['/api/loans/a,x', { status: 400, type: 'invalid-key', detail: 'place is a whole number' }],
    ['/api/remarks/1', { status: 400, type: 'invalid-key', detail: 'no key' }],
    [`/api/books/${'9'.repeat(5000)}`, { status: 414, type: 'uri-too-long' }],
  ])('%s', async (path, expected) => {
    for (const method of ['GET', 'DELETE']) await expectProblem(method, path, expected);
    await expectProblem('PATCH', path, expected, { body: {} });
  });

  it('reads the parts of a key with a comma in it', async () => {
    const { body } = await app.admin('GET', '/api/loans/a%2Cb,1');
    expect(body).toEqual({ shelf: 'a,b', place: 1, note: 'x' });
  });
});

describe('addresses and methods', () => {
  it.each<[string, string, Expected]>([
    ['GET', '/', { status: 404, type: 'not-found' }],
    ['GET', '/nothing', { status: 404, type: 'not-found' }],
    ['GET', '/api/', { status: 404, type: 'not-found' }],
    ['GET', '/api/books/', { status: 404, type: 'not-found' }],
    ['GET', '//api/books', { status: 404, type: 'not-found' }],
    ['GET', '/API/books', { status: 404, type: 'not-found' }],
    ['GET', '/api/books/1/2', { status: 404, type: 'not-found' }],
    ['GET', '/api/books/%FF', { status: 400, type: 'invalid-request', detail: 'percent-encoded' }],
    ['GET', '/api/%', { status: 400, type: 'invalid-request', detail: 'percent-encoded' }],
    ['DELETE', '/api/books', { status: 400, type: 'filter-required' }],
    ['DELETE', '/api/books?filter=', { status: 400, type: 'filter-required' }],
  ])('%s %s', async (method, path, expected) => {
    await expectProblem(method, path, expected);
  });

  it.each([
    ['PUT', '/api/books', 'DELETE, GET, HEAD, PATCH, POST'],
    ['OPTIONS', '/api/books', 'DELETE, GET, HEAD, PATCH, POST'],
    ['POST', '/api/books/1', 'DELETE, GET, HEAD, PATCH, PUT'],
    ['PUT', '/health/live', 'GET, HEAD'],
    ['POST', '/openapi.json', 'GET, HEAD'],
    ['DELETE', '/system/roles', 'GET, HEAD, POST'],
    ['PATCH', '/system/keys', 'GET, HEAD, POST'],
  ])('%s %s is not allowed, and says what is', async (method, path, allow) => {
    const { status, body, headers } = await app.admin(method, path);
    expect([status, body.type, headers.get('allow')]).toEqual([405, '/problems/method-not-allowed', allow]);
  });

  it.each([
    ['/api/books', 200],
    ['/api/books/1', 200],
    ['/api/books/77', 404],
    ['/api/nothing', 404],
    ['/health/live', 200],
  ])('HEAD %s is GET without the body', async (path, status) => {
    const [head, get] = await Promise.all([app.admin('HEAD', path), app.admin('GET', path)]);
    expect([head.status, head.text]).toEqual([status, '']);
    expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
    expect(head.headers.get('etag')).toBe(get.headers.get('etag'));
  });

  it.each([
    ['what is no HTTP', 'nonsense\r\n\r\n', 400, 'invalid-request'],
    [
      'a header that never ends',
      `GET /api/books HTTP/1.1\r\nx: ${'a'.repeat(70_000)}`,
      431,
      'headers-too-large',
    ],
    ['an unknown method', 'BREW /api/books HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'invalid-request'],
    [
      'two lengths',
      'POST /api/books HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}',
      400,
      'invalid-request',
    ],
    [
      'a length and chunks',
      'POST /api/books HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'invalid-request',
    ],
  ])('answers %s with a problem', async (_what, text, status, type) => {
    const answer = await sendRaw(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({
      type: `/problems/${type}`,
      status,
    });
  });
});

function sendRaw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(app.url);
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
    socket.once('close', () => resolve(answer));
    socket.once('error', reject);
  });
}
