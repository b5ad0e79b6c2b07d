import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../kit/app.js';
import { createReaderKey, LIBRARY_SQL } from '../kit/library.js';

const BODY_LIMIT = 100_000;

let app: TestApp;
let readerKey: string;

beforeAll(async () => {
  app = await startTestApp({ sql: LIBRARY_SQL, config: { bodyLimitBytes: BODY_LIMIT } });
  readerKey = await createReaderKey(app);
});

afterAll(async () => {
  await app.close();
});

const count = async (collection: string): Promise<number> =>
  (await app.admin('GET', `/api/${collection}?count=exact&limit=1`)).body.page.total;

/** Status, type, the pointers of the errors where they matter, a part of the detail. */
type Refusal = readonly [number, string, (readonly string[] | null)?, string?];

/** Sends a body, and makes sure that nothing was written. */
async function expectRefusal(
  body: unknown,
  expected: Refusal,
  { method = 'POST', path = '/api/books', key = app.adminKey, headers = {} } = {},
): Promise<void> {
  const before = await count('books');
  const answer = await app.request(method, path, { key, body, headers });
  const [status, type, pointers, detail] = expected;
  const told: { readonly pointer: string }[] = answer.body?.errors ?? [];
  expect({
    status: answer.status,
    type: answer.body?.type,
    pointers: pointers == null ? null : told.map(({ pointer }) => pointer),
    detail: answer.body?.detail,
  }).toEqual({
    status,
    type: `/problems/${type}`,
    pointers: pointers ?? null,
    detail: expect.stringContaining(detail ?? ''),
  });
  expect(await count('books')).toBe(before);
}

describe('bodies that are not what they should be', () => {
  it.each<[string, Refusal]>([
    ['', [400, 'invalid-json', null, 'empty']],
    ['  ', [400, 'invalid-json', null, 'empty']],
    ['{', [400, 'invalid-json', null, 'line 1, column 2']],
    ['nul', [400, 'invalid-json', null, 'line 1, column 1']],
    ['{"title": "a",\n "pages": }', [400, 'invalid-json', null, 'line 2, column 11']],
    ['{"title":NaN}', [400, 'invalid-json', null, 'column 10']],
    ['{"title":"a",}', [400, 'invalid-json']],
    ["{'title':'a'}", [400, 'invalid-json']],
    ['{"title":"a"}{}', [400, 'invalid-json']],
    ['{"title":"a\nb"}', [400, 'invalid-json']],
    ['{"pages":01}', [400, 'invalid-json']],
    ['\ufeff{"title":"a"}', [400, 'invalid-json']],
    ['"x"', [400, 'invalid-request', null, 'must be an object']],
    ['1', [400, 'invalid-request', null, 'not a number']],
    ['null', [400, 'invalid-request', null, 'not null']],
    ['true', [400, 'invalid-request', null, 'not a boolean']],
    ['[]', [400, 'invalid-request', null, 'no records']],
    ['[1]', [422, 'invalid-record', ['/0']]],
    ['[[]]', [422, 'invalid-record', ['/0']]],
    ['[{"title":"a"},null]', [422, 'invalid-record', ['/1']]],
    [`{"title":"${'a'.repeat(2 * BODY_LIMIT)}"}`, [413, 'body-too-large']],
    ['['.repeat(5000), [413, 'body-too-large', null, '64']],
    [`{"title":"a","meta":${'['.repeat(500)}${']'.repeat(500)}}`, [413, 'body-too-large', null, '64']],
  ])('%.60s', async (body, expected) => {
    await expectRefusal(body, expected);
  });

  it.each([
    ['application/x-www-form-urlencoded', 'title=a'],
    ['text/plain', '{"title":"a"}'],
    ['nonsense', '{"title":"a"}'],
    ['application/vnd.api+json', '{"title":"a"}'],
    ['application/json; charset=latin1', '{"title":"a"}'],
    ['multipart/form-data; boundary=x', '--x--'],
  ])('the media type %s', async (type, body) => {
    await expectRefusal(body, [415, 'unsupported-media-type'], { headers: { 'content-type': type } });
  });

  it('a Content-Encoding', async () => {
    const headers = { 'content-encoding': 'gzip' };
    await expectRefusal('{"title":"a"}', [415, 'unsupported-media-type'], { headers });
  });

  it('bytes that are not UTF-8', async () => {
    const body = Buffer.concat([Buffer.from('{"title":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
    const response = await fetch(`${app.url}/api/books`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${app.adminKey}`, 'content-type': 'application/json' },
    });
    expect([response.status, await response.json()]).toEqual([
      400,
      expect.objectContaining({ type: '/problems/invalid-json', detail: 'The body is not valid UTF-8.' }),
    ]);
  });

  it('a body that ends early leaves the process as it was', async () => {
    const { hostname, port } = new URL(app.url);
    const before = await count('books');
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(
          `POST /api/books HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${app.adminKey}\r\n` +
            'content-type: application/json\r\ncontent-length: 100\r\n\r\n{"title":"a"}',
          () => socket.destroy(),
        );
      });
      socket.once('close', () => resolve());
    });
    expect(await count('books')).toBe(before);
  });

  it('an empty PATCH body, and a body where none belongs', async () => {
    await expectRefusal(undefined, [400, 'invalid-json'], { method: 'PATCH', path: '/api/books/1' });
    await expectRefusal('[]', [400, 'invalid-request'], { method: 'PATCH', path: '/api/books/1' });
    await expectRefusal('{"a":1}', [400, 'invalid-request'], { method: 'DELETE', path: '/api/books/1' });
    await expectRefusal('{"title":"x"}', [400, 'filter-required'], { method: 'PATCH' });
  });
});

describe('members', () => {
  it.each<[string, Refusal]>([
    ['{}', [422, 'invalid-record', ['/title'], 'required']],
    ['{"titel":"a"}', [422, 'invalid-record', ['/titel', '/title']]],
    ['{"title":"a","title":"b"}', [422, 'invalid-record', ['/title'], 'twice']],
    ['{"title":"a","meta":{"x":1,"x":2}}', [422, 'invalid-record', ['/meta/x'], 'twice']],
    ['{"title":"a","__proto__":{"secret":"x"}}', [422, 'invalid-record', ['/__proto__']]],
    ['{"title":"a","constructor":1}', [422, 'invalid-record', ['/constructor']]],
    ['{"title":"a","meta":{"a":[{"__proto__":1}]}}', [422, 'invalid-record', ['/meta/a/0/__proto__']]],
    ['{"title":"a","slug":"b"}', [422, 'invalid-record', ['/slug'], 'set by the database']],
    ['{"title":"a","number":1}', [422, 'invalid-record', ['/number'], 'set by the database']],
    ['{"title":"a","author":{"name":"x"}}', [422, 'invalid-record', ['/author']]],
    [String.raw`{"title":"a\u0000"}`, [422, 'invalid-record', ['/title'], 'NUL']],
    [String.raw`{"title":"\ud800"}`, [422, 'invalid-record', ['/title'], 'surrogate']],
    [String.raw`{"title":"a","meta":{"x":"\u0000"}}`, [422, 'invalid-record', ['/meta/x']]],
    [String.raw`{"title":"a","meta":{"\udfff":1}}`, [422, 'invalid-record']],
    ['{"title":"a","pages":32768}', [422, 'invalid-record', ['/pages'], '32767']],
    ['{"title":"a","pages":-32769}', [422, 'invalid-record', ['/pages']]],
    ['{"title":"a","pages":1.5}', [422, 'invalid-record', ['/pages'], 'integer']],
    ['{"title":"a","pages":"1"}', [422, 'invalid-record', ['/pages'], 'not a string']],
    ['{"title":"a","pages":null}', [422, 'invalid-record', ['/pages'], 'null']],
    ['{"title":"a","copies":9223372036854775808}', [422, 'invalid-record', ['/copies']]],
    ['{"title":"a","price":10000}', [422, 'invalid-record', ['/price']]],
    ['{"title":"a","price":1e400}', [422, 'invalid-record', ['/price']]],
    ['{"title":"a","price":12.345}', [422, 'invalid-record', ['/price']]],
    ['{"title":"a","price":1e999999999999}', [422, 'invalid-record', ['/price']]],
    ['{"title":"a","score":1e39}', [422, 'invalid-record', ['/score']]],
    ['{"title":"a","born":"2026-02-30"}', [422, 'invalid-record', ['/born']]],
    ['{"title":"a","read_at":"yesterday"}', [422, 'invalid-record', ['/read_at']]],
    ['{"title":"a","isbn":"x"}', [422, 'invalid-record', ['/isbn']]],
    ['{"title":"a","lent":"yes"}', [422, 'invalid-record', ['/lent']]],
    ['{"title":"a","cover":"@@"}', [422, 'invalid-record', ['/cover']]],
    ['{"title":"a","ratings":[1,"x"]}', [422, 'invalid-record', ['/ratings/1']]],
    ['{"title":"a","ratings":[[1],[2,3]]}', [422, 'invalid-record', ['/ratings/1']]],
    ['{"title":["a"]}', [422, 'invalid-record', ['/title']]],
    [`{"title":"${'a'.repeat(21)}"}`, [422, 'invalid-record', ['/title'], '20 characters']],
    ['{"id":1,"title":"a"}', [409, 'unique-violation', ['/id']]],
    ['{"title":"a","author_id":99}', [409, 'foreign-key-violation', ['/author_id']]],
  ])('%s', async (body, expected) => {
    await expectRefusal(body, expected);
  });

  it.each(['secret', 'secreT', 'slug', 'author'])(
    'tells nothing of %s to who may not set it',
    async (name) => {
      const { body } = await app.request('POST', '/api/books', {
        key: readerKey,
        body: { title: 'a', [name]: 'x' },
      });
      expect(body.errors).toEqual([
        { pointer: `/${name}`, code: 'unknown-field', message: 'is not a field that can be set' },
      ]);
    },
  );

  it('takes what is only unusual', async () => {
    const text =
      '{"title":"a","pages":1e2,"copies":9223372036854775807,"price":0.10,"meta":{"a/b":{"~":""}}}';
    const { status, text: answer } = await app.admin(
      'POST',
      '/api/books?fields=pages,copies,price,meta',
      text,
    );
    expect([status, answer]).toEqual([
      201,
      '{"pages":100,"copies":9223372036854775807,"price":0.10,"meta":{"a/b": {"~": ""}}}',
    ]);
  });
});

describe('bulk writes', () => {
  it.each<[string, object, readonly [number, string, string]]>([
    ['a wrong type', { price: 'cheap' }, [422, 'invalid-record', '/731/price']],
    ['an unknown field', { prize: 1 }, [422, 'invalid-record', '/731/prize']],
    ['a number beyond the column', { pages: 40_000 }, [422, 'invalid-record', '/731/pages']],
    ['a record that does not exist', { author_id: 99 }, [409, 'foreign-key-violation', '/731/author_id']],
    ['a value that is taken', { id: 1 }, [409, 'unique-violation', '/731/id']],
  ])('write nothing where row 731 has %s', async (_what, fault, [status, type, pointer]) => {
    const rows = Array.from({ length: 1000 }, (_, index) => ({
      title: `t${index}`,
      ...(index === 731 ? fault : {}),
    }));
    await expectRefusal(rows, [status, type, [pointer]]);
  });
});

describe('batches', () => {
  it.each<[string, string | undefined]>([
    ['[]', undefined],
    ['{}', undefined],
    ['{"operations":{}}', undefined],
    ['{"operations":[]}', undefined],
    ['{"operations":[],"x":1}', undefined],
    ['{"operations":[1]}', '/operations/0'],
    ['{"operations":[{}]}', '/operations/0/method'],
    ['{"operations":[{"method":"BREW","path":"/books"}]}', '/operations/0/method'],
    ['{"operations":[{"method":"GET","path":"books"}]}', '/operations/0/path'],
    ['{"operations":[{"method":"GET","path":"/batch"}]}', '/operations/0/path'],
    ['{"operations":[{"method":"GET","path":"/books/%FF"}]}', '/operations/0'],
    ['{"operations":[{"method":"GET","path":"/bocks"}]}', '/operations/0'],
    ['{"operations":[{"method":"GET","path":"/books","query":{"limit":0}}]}', '/operations/0/query/limit'],
    ['{"operations":[{"method":"DELETE","path":"/books"}]}', '/operations/0'],
    [
      '{"operations":[{"method":"POST","path":"/books","body":{"title":{"$ref":"x.id"}}}]}',
      '/operations/0/body/title',
    ],
    [
      '{"operations":[{"method":"POST","path":"/books","body":{"title":"a"}},{"method":"POST","path":"/books","body":{"titel":"a"}}]}',
      '/operations/1/body/titel',
    ],
    [`{"operations":[${Array(101).fill('{"method":"GET","path":"/books"}').join(',')}]}`, undefined],
  ])('%.90s', async (body, pointer) => {
    const before = await count('books');
    const { status, body: problem } = await app.admin('POST', '/api/batch', body);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(problem.errors?.[0]?.pointer).toBe(pointer);
    expect(await count('books')).toBe(before);
  });
});

describe('management', () => {
  it.each<[string, number, string]>([
    ['{', 400, 'invalid-json'],
    ['[]', 400, 'invalid-request'],
    ['""', 400, 'invalid-request'],
    ['{"name":5}', 400, 'invalid-request'],
    ['{"name":"x","name":"y"}', 400, 'invalid-request'],
    ['{"name":"x","y":1}', 400, 'unknown-field'],
    ['{"name":"x","__proto__":1}', 400, 'invalid-request'],
    [String.raw`{"name":"x","description":"\u0000"}`, 400, 'invalid-request'],
    [String.raw`{"name":"x","description":"\ud800"}`, 400, 'invalid-request'],
    ['{"name":"admin"}', 409, 'unique-violation'],
  ])('POST /system/roles %s', async (body, status, type) => {
    const answer = await app.admin('POST', '/system/roles', body);
    expect([answer.status, answer.body.type]).toEqual([status, `/problems/${type}`]);
  });
});

describe('headers', () => {
  it.each<[string, Record<string, string>, number]>([
    ['an entity tag without quotes', { 'if-match': 'x' }, 400],
    ['an idempotency key with a space', { 'idempotency-key': 'a b' }, 400],
    ['an idempotency key that is too long', { 'idempotency-key': 'x'.repeat(300) }, 400],
    ['a preference that nobody knows', { prefer: 'return=everything' }, 200],
    ['an entity tag of another record', { 'if-match': '"1-2-3.x"' }, 412],
  ])('%s', async (_what, headers, status) => {
    const answer = await app.admin('PATCH', '/api/books/1', { pages: 10 }, headers);
    expect(answer.status).toBe(status);
  });
});
