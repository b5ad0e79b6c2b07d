import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestApp } from '../kit/app.js';
import { hasChinook, sqlRows, startChinookApp } from '../kit/chinook.js';

const TRACK = {
  name: 'Silence',
  album_id: 1,
  media_type_id: 1,
  genre_id: 1,
  milliseconds: 1000,
  unit_price: 0.99,
};
const INVOICE = {
  customer_id: 2,
  invoice_date: '2025-12-24T10:00:00',
  billing_country: 'Germany',
  total: 2.97,
};

interface RefusedWrite {
  readonly does: string;
  readonly request: readonly [method: string, path: string, body?: unknown];
  readonly answer: readonly [status: number, type: string];
  /** `errors` as `pointer code`. */
  readonly errors: readonly string[];
}

const REFUSED: readonly RefusedWrite[] = [
  {
    does: 'an album of an artist that is not there',
    request: ['POST', '/api/album', { album_id: 9000, title: 'Nobody', artist_id: 9999 }],
    answer: [409, 'foreign-key-violation'],
    errors: ['/artist_id foreign-key'],
  },
  {
    does: 'giving an album to an artist that is not there',
    request: ['PATCH', '/api/album/1', { artist_id: 9999 }],
    answer: [409, 'foreign-key-violation'],
    errors: ['/artist_id foreign-key'],
  },
  {
    does: 'deleting an artist who has albums',
    request: ['DELETE', '/api/artist/1'],
    answer: [409, 'foreign-key-violation'],
    errors: [],
  },
  {
    does: 'deleting many genres that are in use',
    request: ['DELETE', '/api/genre?filter=genre_id%20%3C%205'],
    answer: [409, 'foreign-key-violation'],
    errors: [],
  },
  {
    does: 'a second record with the same key',
    request: ['POST', '/api/genre', { genre_id: 1, name: 'Rock again' }],
    answer: [409, 'unique-violation'],
    errors: ['/genre_id unique'],
  },
  {
    does: 'a track twice on a playlist',
    request: ['POST', '/api/playlist_track', { playlist_id: 1, track_id: 3402 }],
    answer: [409, 'unique-violation'],
    errors: ['/playlist_id unique', '/track_id unique'],
  },
  {
    does: 'a title that is too long',
    request: ['PATCH', '/api/album/1', { title: 'x'.repeat(161) }],
    answer: [422, 'invalid-record'],
    errors: ['/title too-long'],
  },
  {
    does: 'a price beyond the column',
    request: ['POST', '/api/track', { ...TRACK, track_id: 9000, unit_price: 123456789 }],
    answer: [422, 'invalid-record'],
    errors: ['/unit_price out-of-range'],
  },
  {
    does: 'a customer without what every customer needs',
    request: ['POST', '/api/customer', { customer_id: 9000, email: null }],
    answer: [422, 'invalid-record'],
    errors: ['/email not-null', '/first_name required', '/last_name required'],
  },
  {
    does: 'a field that the table does not have',
    request: ['PATCH', '/api/album/1', { titel: 'x' }],
    answer: [422, 'invalid-record'],
    errors: ['/titel unknown-field'],
  },
  {
    does: 'deleting without a filter',
    request: ['DELETE', '/api/playlist_track'],
    answer: [400, 'filter-required'],
    errors: [],
  },
];

describe.skipIf(!hasChinook)('Chinook, written', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startChinookApp();
  });
  afterAll(() => app?.close());

  const digest = (): Promise<readonly object[]> =>
    sqlRows(
      app,
      `SELECT (SELECT md5(string_agg(t::text, ',' ORDER BY album_id)) FROM album t) AS album,
         (SELECT count(*) FROM artist) AS artist, (SELECT count(*) FROM genre) AS genre, (SELECT count(*) FROM track) AS track,
         (SELECT count(*) FROM customer) AS customer, (SELECT count(*) FROM playlist_track) AS playlist_track`,
    );

  for (const { does, request, answer, errors } of REFUSED) {
    it(`refuses ${does}, and changes nothing`, async () => {
      const before = await digest();
      const { status, headers, body, text } = await app.admin(...request);
      expect([status, body.type]).toEqual([answer[0], `/problems/${answer[1]}`]);
      expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
      const found = ((body.errors ?? []) as { pointer: string; code: string }[]).map(
        ({ pointer, code }) => `${pointer} ${code}`,
      );
      expect(found.sort()).toEqual(errors);
      expect(text).not.toMatch(/INSERT|UPDATE|DELETE FROM|SELECT/);
      expect(await digest()).toEqual(before);
    });
  }

  for (const [index, wrong, pointer] of [
    [370, { genre_id: 999 }, '/370/genre_id'],
    [0, { album_id: 999 }, '/0/album_id'],
    [499, { unit_price: 'cheap' }, '/499/unit_price'],
    [731, { milliseconds: 1.5 }, '/731/milliseconds'],
    [42, { track_id: 1 }, '/42/track_id'],
  ] as const) {
    it(`writes none of 800 tracks when the one at ${pointer} is bad`, async () => {
      const tracks = Array.from({ length: 800 }, (_, place) => ({
        ...TRACK,
        track_id: 10_000 + place,
        ...(place === index ? wrong : {}),
      }));
      const { status, body } = await app.admin('POST', '/api/track', tracks);
      expect([409, 422]).toContain(status);
      expect(body.errors).toEqual([expect.objectContaining({ pointer })]);
      expect(await sqlRows(app, 'SELECT count(*) FROM track')).toEqual([{ count: 3503 }]);
    });
  }

  it('makes an invoice with its lines in one batch, by reference', async () => {
    const line = (label: string, track: number) => ({
      label,
      method: 'POST',
      path: '/invoice_line',
      body: {
        invoice_line_id: 5000 + track,
        invoice_id: { $ref: 'invoice.invoice_id' },
        track_id: track,
        unit_price: 0.99,
        quantity: 1,
      },
    });
    const { status, body } = await app.admin('POST', '/api/batch', {
      operations: [
        { label: 'invoice', method: 'POST', path: '/invoice', body: { ...INVOICE, invoice_id: 9001 } },
        line('first', 1),
        line('second', 2),
        line('third', 3),
      ],
    });
    expect(status).toBe(200);
    expect(
      body.results.map((result: { label: string; status: number }) => [result.label, result.status]),
    ).toEqual([
      ['invoice', 201],
      ['first', 201],
      ['second', 201],
      ['third', 201],
    ]);
    expect(
      await sqlRows(
        app,
        `SELECT total, sum(unit_price * quantity) AS sum, count(*) FROM invoice JOIN invoice_line USING (invoice_id)
         WHERE invoice_id = 9001 GROUP BY 1`,
      ),
    ).toEqual([{ total: 2.97, sum: 2.97, count: 3 }]);
  });

  it('takes a whole batch back when one operation is refused', async () => {
    const { status, body } = await app.admin('POST', '/api/batch', {
      operations: [
        { label: 'invoice', method: 'POST', path: '/invoice', body: { ...INVOICE, invoice_id: 9002 } },
        {
          label: 'line',
          method: 'POST',
          path: '/invoice_line',
          body: {
            invoice_line_id: 9002,
            invoice_id: { $ref: 'invoice.invoice_id' },
            track_id: 99_999,
            unit_price: 0.99,
            quantity: 1,
          },
        },
      ],
    });
    expect([status, body.type]).toEqual([409, '/problems/foreign-key-violation']);
    expect(await sqlRows(app, 'SELECT count(*) FROM invoice WHERE invoice_id = 9002')).toEqual([
      { count: 0 },
    ]);
  });

  it('creates, changes, replaces and deletes an album, and answers with it', async () => {
    const created = await app.admin('POST', '/api/album?fields=album_id,title,artist(name)', {
      album_id: 9003,
      title: 'Pelléas',
      artist_id: 248,
    });
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe('/api/album/9003');
    expect(created.body).toEqual({
      album_id: 9003,
      title: 'Pelléas',
      artist: (await sqlRows(app, 'SELECT name FROM artist WHERE artist_id = 248'))[0],
    });
    expect((await app.admin('PATCH', '/api/album/9003', { title: 'Mélisande' })).body.title).toBe(
      'Mélisande',
    );
    const replaced = await app.admin('PUT', '/api/album/9003', { title: 'Maurice', artist_id: 1 });
    expect([replaced.status, replaced.body]).toEqual([
      200,
      { album_id: 9003, title: 'Maurice', artist_id: 1 },
    ]);
    expect((await app.admin('DELETE', '/api/album/9003')).status).toBe(204);
    expect((await app.admin('GET', '/api/album/9003')).status).toBe(404);
  });

  it('changes nothing under a version that is out of date', async () => {
    const first = await app.admin('GET', '/api/genre/1');
    const etag = first.headers.get('etag') ?? '';
    expect(etag).not.toBe('');
    expect((await app.admin('PATCH', '/api/genre/1', { name: 'Rock!' }, { 'if-match': etag })).status).toBe(
      200,
    );
    const late = await app.admin('PATCH', '/api/genre/1', { name: 'Rock?' }, { 'if-match': etag });
    expect([late.status, late.body.type]).toEqual([412, '/problems/precondition-failed']);
    expect(await sqlRows(app, 'SELECT name FROM genre WHERE genre_id = 1')).toEqual([{ name: 'Rock!' }]);
  });

  it('puts many tracks on a playlist, and takes some off by a filter through a relation', async () => {
    const tracks = await sqlRows(
      app,
      'SELECT 18 AS playlist_id, track_id FROM track WHERE album_id IN (1, 4)',
    );
    const added = await app.admin('POST', '/api/playlist_track', tracks, { prefer: 'return=minimal' });
    expect([added.status, added.text]).toEqual([201, '']);
    const filter = encodeURIComponent('playlist_id == 18 && track.album_id == 4');
    expect((await app.admin('DELETE', `/api/playlist_track?filter=${filter}`)).status).toBeLessThan(300);
    expect(
      await sqlRows(
        app,
        'SELECT album_id, count(*) FROM playlist_track JOIN track USING (track_id) WHERE playlist_id = 18 AND album_id IN (1, 4) GROUP BY 1',
      ),
    ).toEqual([{ album_id: 1, count: 10 }]);
  });
});
