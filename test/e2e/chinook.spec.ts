import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestApp } from '../kit/app.js';
import { hasChinook, readPages, sqlRows, startChinookApp } from '../kit/chinook.js';

/** Tables with their keys and the page sizes to walk them with. */
const TABLES: readonly (readonly [table: string, key: string, sizes: readonly number[]])[] = [
  ['album', 'album_id', [1000, 7]],
  ['artist', 'artist_id', [275, 274, 13]],
  ['customer', 'customer_id', [1000, 59, 1]],
  ['employee', 'employee_id', [8, 3, 1]],
  ['genre', 'genre_id', [5, 1]],
  ['invoice', 'invoice_id', [100, 11]],
  ['invoice_line', 'invoice_line_id', [1000, 320]],
  ['media_type', 'media_type_id', [2, 1]],
  ['playlist', 'playlist_id', [6, 1]],
  ['playlist_track', 'playlist_id, track_id', [1000, 333]],
  ['track', 'track_id', [1000, 89]],
];

/** Ties everywhere, nulls in most; SQL's own order of nulls is the contract, and the key follows the last direction. */
const SORTS: readonly (readonly [collection: string, sort: string, sql: string])[] = [
  ['track', 'composer', 'SELECT track_id FROM track ORDER BY composer, track_id'],
  ['track', '-composer', 'SELECT track_id FROM track ORDER BY composer DESC, track_id DESC'],
  [
    'track',
    'unit_price,-milliseconds',
    'SELECT track_id FROM track ORDER BY unit_price, milliseconds DESC, track_id DESC',
  ],
  [
    'track',
    '-unit_price,-genre_id,composer',
    'SELECT track_id FROM track ORDER BY unit_price DESC, genre_id DESC, composer, track_id',
  ],
  ['track', '-track_id', 'SELECT track_id FROM track ORDER BY track_id DESC'],
  [
    'track',
    'album.artist.name,-album.title',
    `SELECT t.track_id FROM track t LEFT JOIN album al USING (album_id) LEFT JOIN artist ar USING (artist_id)
     ORDER BY ar.name, al.title DESC, t.track_id DESC`,
  ],
  [
    'customer',
    'state,-country',
    'SELECT customer_id FROM customer ORDER BY state, country DESC, customer_id DESC',
  ],
  [
    'customer',
    '-company,-fax',
    'SELECT customer_id FROM customer ORDER BY company DESC, fax DESC, customer_id DESC',
  ],
  [
    'employee',
    'reports_to.last_name',
    `SELECT e.employee_id FROM employee e LEFT JOIN employee b ON b.employee_id = e.reports_to
     ORDER BY b.last_name, e.employee_id`,
  ],
  ['employee', '-reports_to', 'SELECT employee_id FROM employee ORDER BY reports_to DESC, employee_id DESC'],
  [
    'invoice',
    'billing_state,-total,invoice_date',
    'SELECT invoice_id FROM invoice ORDER BY billing_state, total DESC, invoice_date, invoice_id',
  ],
  [
    'playlist_track',
    '-track_id',
    'SELECT playlist_id, track_id FROM playlist_track ORDER BY track_id DESC, playlist_id DESC',
  ],
  [
    'playlist_track',
    'playlist.name,-playlist_id',
    `SELECT pt.playlist_id, pt.track_id FROM playlist_track pt JOIN playlist p USING (playlist_id)
     ORDER BY p.name, pt.playlist_id DESC, pt.track_id DESC`,
  ],
];

const FILTERS: readonly (readonly [collection: string, filter: string, sql: string])[] = [
  ['track', 'composer == null', 'SELECT track_id FROM track WHERE composer IS NULL'],
  [
    'track',
    'milliseconds > 300000 && genre.name in ["Jazz", "Blues"]',
    `SELECT t.track_id FROM track t JOIN genre g USING (genre_id)
     WHERE t.milliseconds > 300000 AND g.name IN ('Jazz', 'Blues')`,
  ],
  [
    'track',
    'album.artist.name.startsWith("Led") || name.contains("Love")',
    `SELECT t.track_id FROM track t LEFT JOIN album al USING (album_id) LEFT JOIN artist ar USING (artist_id)
     WHERE ar.name LIKE 'Led%' OR t.name LIKE '%Love%'`,
  ],
  ['track', 'unit_price == 1.99', 'SELECT track_id FROM track WHERE unit_price = 1.99'],
  ['track', '!(composer == "AC/DC")', `SELECT track_id FROM track WHERE composer IS DISTINCT FROM 'AC/DC'`],
  [
    'track',
    'size(invoice_line) == 0',
    'SELECT track_id FROM track t WHERE NOT EXISTS (SELECT FROM invoice_line i WHERE i.track_id = t.track_id)',
  ],
  [
    'album',
    'track.all(t, t.milliseconds < 240000)',
    'SELECT album_id FROM album a WHERE NOT EXISTS (SELECT FROM track t WHERE t.album_id = a.album_id AND t.milliseconds >= 240000)',
  ],
  [
    'album',
    'size(track.filter(t, t.composer != null)) > 15',
    'SELECT album_id FROM album a WHERE (SELECT count(composer) FROM track t WHERE t.album_id = a.album_id) > 15',
  ],
  [
    'artist',
    'album.exists(a, a.track.exists(t, t.invoice_line.exists(l, l.invoice.billing_country == "Norway")))',
    `SELECT DISTINCT al.artist_id FROM album al JOIN track USING (album_id) JOIN invoice_line USING (track_id)
     JOIN invoice USING (invoice_id) WHERE billing_country = 'Norway'`,
  ],
  [
    'playlist',
    'track.exists(t, t.genre.name == "Metal")',
    `SELECT DISTINCT playlist_id FROM playlist_track JOIN track USING (track_id) JOIN genre g USING (genre_id)
     WHERE g.name = 'Metal'`,
  ],
  [
    'invoice',
    'invoice_date >= timestamp("2023-01-01T00:00:00Z") && invoice_date.getMonth() == 11 && total > 10.0',
    `SELECT invoice_id FROM invoice WHERE invoice_date >= '2023-01-01' AND extract(month FROM invoice_date) = 12 AND total > 10`,
  ],
  [
    'customer',
    'support_rep.reports_to.first_name == "Nancy" && state == null',
    `SELECT customer_id FROM customer c JOIN employee e ON e.employee_id = c.support_rep_id
     JOIN employee m ON m.employee_id = e.reports_to WHERE m.first_name = 'Nancy' AND c.state IS NULL`,
  ],
];

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

describe.skipIf(!hasChinook)('Chinook, read', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startChinookApp();
  });
  afterAll(() => app?.close());

  const read = async (path: string, parameters: Readonly<Record<string, string>> = {}) => {
    const response = await app.admin('GET', `/api/${path}?${new URLSearchParams(parameters).toString()}`);
    if (response.status !== 200) throw new Error(`${response.status}: ${response.text}`);
    return response.body;
  };

  for (const [table, key, sizes] of TABLES) {
    it(`reads all of ${table} page by page, nothing lost or doubled`, async () => {
      const expected = await sqlRows(app, `SELECT * FROM ${table} ORDER BY ${key}`);
      expect(expected.length).toBeGreaterThan(0);
      for (const size of sizes) {
        const { records, pages } = await readPages(app, table, { limit: String(size) });
        expect(records).toEqual(expected);
        expect(pages).toBe(Math.ceil(expected.length / size));
      }
      const { page } = await read(table, { limit: '1', count: 'exact' });
      expect(page.total).toBe(expected.length);
    });
  }

  for (const [collection, sort, sql] of SORTS) {
    it(`pages through ${collection} sorted by ${sort} as SQL orders it`, async () => {
      const expected = await sqlRows(app, sql);
      const fields = Object.keys(expected[0] ?? {}).join(',');
      for (const limit of expected.length > 1000 ? ['997', '100'] : ['7', '1']) {
        const { records } = await readPages(app, collection, { sort, limit, fields });
        expect(records).toEqual(expected);
      }
    });
  }

  it('changes the limit between pages without losing the place', async () => {
    const first = await read('artist', { sort: '-name', limit: '10', fields: 'artist_id' });
    const second = await read('artist', {
      sort: '-name',
      limit: '30',
      fields: 'artist_id',
      cursor: first.page.next,
    });
    expect([...first.data, ...second.data]).toEqual(
      await sqlRows(app, 'SELECT artist_id FROM artist ORDER BY name DESC, artist_id DESC LIMIT 40'),
    );
  });

  for (const [collection, filter, sql] of FILTERS) {
    it(`finds in ${collection} what SQL finds: ${filter}`, async () => {
      const expected = await sqlRows(app, sql);
      const fields = Object.keys(expected[0] ?? {}).join(',');
      const { records } = await readPages(app, collection, { filter, fields, limit: '1000' });
      const texts = (rows: readonly object[]): string[] =>
        rows.map((row) => JSON.stringify(row)).sort(byText);
      expect(texts(records)).toEqual(texts(expected));
      expect(expected.length).toBeGreaterThan(0);
      const { page } = await read(collection, { filter, limit: '1', count: 'exact' });
      expect(page.total).toBe(expected.length);
    });
  }

  it('gives an album with its artist and tracks in one request', async () => {
    const album = await read('album/1', {
      fields: 'album_id,title,artist(name),track(track_id,name,genre(name))',
      'track.sort': 'name',
    });
    const [expected] = await sqlRows(
      app,
      `SELECT album_id, title, (SELECT to_json(x) FROM (SELECT name FROM artist ar WHERE ar.artist_id = al.artist_id) x) AS artist,
         (SELECT json_agg(x) FROM (
            SELECT t.track_id, t.name, json_build_object('name', g.name) AS genre
            FROM track t JOIN genre g USING (genre_id) WHERE t.album_id = al.album_id ORDER BY t.name, t.track_id) x) AS track
       FROM album al WHERE album_id = 1`,
    );
    expect(album).toEqual(expected);
    expect(album.track).toHaveLength(10);
  });

  it('gives every album with its artist and all its tracks', async () => {
    const { records } = await readPages(app, 'album', {
      fields: '*,artist(*),track(*)',
      limit: '100',
      'track.limit': '100',
    });
    expect(records).toEqual(
      await sqlRows(
        app,
        `SELECT al.*, (SELECT to_json(ar) FROM artist ar WHERE ar.artist_id = al.artist_id) AS artist,
           (SELECT coalesce(json_agg(t ORDER BY t.track_id), '[]') FROM track t WHERE t.album_id = al.album_id) AS track
         FROM album al ORDER BY album_id`,
      ),
    );
  });

  it('embeds five relations deep', async () => {
    const artist = await read('artist/1', {
      fields:
        'name,album(title,track(name,invoice_line(quantity,invoice(invoice_date,customer(last_name)))))',
    });
    const [expected] = await sqlRows(
      app,
      `SELECT name, (SELECT json_agg(x) FROM (
         SELECT title, (SELECT coalesce(json_agg(x), '[]') FROM (
           SELECT name, (SELECT coalesce(json_agg(x), '[]') FROM (
             SELECT quantity, (SELECT to_json(x) FROM (
               SELECT invoice_date, (SELECT json_build_object('last_name', last_name) FROM customer c
                                     WHERE c.customer_id = i.customer_id) AS customer
               FROM invoice i WHERE i.invoice_id = l.invoice_id) x) AS invoice
             FROM invoice_line l WHERE l.track_id = t.track_id ORDER BY invoice_line_id) x) AS invoice_line
           FROM track t WHERE t.album_id = al.album_id ORDER BY track_id) x) AS track
         FROM album al WHERE al.artist_id = ar.artist_id ORDER BY album_id) x) AS album
       FROM artist ar WHERE artist_id = 1`,
    );
    expect(artist).toEqual(expected);
  });

  it('limits, sorts and filters an embedded list by its path', async () => {
    const [album] = (
      await read('album', {
        filter: 'title == "Greatest Hits"',
        fields: 'title,track(name)',
        limit: '1',
        'track.filter': 'milliseconds > 250000',
        'track.sort': '-milliseconds',
        'track.limit': '3',
      })
    ).data;
    const expected = await sqlRows(
      app,
      `SELECT name FROM track WHERE milliseconds > 250000 AND album_id =
         (SELECT min(album_id) FROM album WHERE title = 'Greatest Hits') ORDER BY milliseconds DESC, track_id DESC LIMIT 3`,
    );
    expect(album.track).toEqual(expected);
    expect(expected).toHaveLength(3);
  });

  it('goes both ways through the join table of playlists and tracks', async () => {
    const playlist = await read('playlist/17', {
      fields: 'name,track(name,album(artist(name)))',
      'track.limit': '1000',
      'track.sort': 'track_id',
    });
    const [expected] = await sqlRows(
      app,
      `SELECT name, (SELECT json_agg(x) FROM (
         SELECT t.name, json_build_object('artist', json_build_object('name', ar.name)) AS album
         FROM playlist_track pt JOIN track t USING (track_id) JOIN album al USING (album_id) JOIN artist ar USING (artist_id)
         WHERE pt.playlist_id = p.playlist_id ORDER BY t.track_id) x) AS track
       FROM playlist p WHERE playlist_id = 17`,
    );
    expect(playlist).toEqual(expected);
    const track = await read('track/1', { fields: 'playlist(playlist_id)' });
    expect(track.playlist).toEqual(
      await sqlRows(app, 'SELECT playlist_id FROM playlist_track WHERE track_id = 1 ORDER BY playlist_id'),
    );
  });

  it('reads a row of the join table by its composite key', async () => {
    expect(await read('playlist_track/1,3402')).toEqual({ playlist_id: 1, track_id: 3402 });
    expect((await app.admin('GET', '/api/playlist_track/3402,1')).status).toBe(404);
    expect((await app.admin('GET', '/api/playlist_track/1')).status).toBe(400);
  });

  it('follows the tree of employees in both directions', async () => {
    expect(
      await read('employee/2', {
        fields: 'first_name,reports_to(first_name),employee(first_name,customer(customer_id))',
      }),
    ).toEqual({
      first_name: 'Nancy',
      reports_to: { first_name: 'Andrew' },
      employee: await sqlRows(
        app,
        `SELECT first_name, (SELECT json_agg(json_build_object('customer_id', customer_id) ORDER BY customer_id)
           FROM customer c WHERE c.support_rep_id = e.employee_id) AS customer
         FROM employee e WHERE reports_to = 2 ORDER BY employee_id`,
      ),
    });
  });

  it('aggregates invoices by country and month as SQL does', async () => {
    const { data } = await read('invoice/aggregate', {
      measures: 'count,sum(total),avg(total),min(total),max(total),countDistinct(customer_id)',
      groupBy: 'billing_country,invoice_date:month',
      sort: 'billing_country,invoice_date_month',
    });
    const expected = await sqlRows(
      app,
      `SELECT billing_country, date_trunc('month', invoice_date) AS invoice_date_month, count(*), sum(total) AS sum_total,
         avg(total) AS avg_total, min(total) AS min_total, max(total) AS max_total,
         count(DISTINCT customer_id) AS count_distinct_customer_id
       FROM invoice GROUP BY 1, 2 ORDER BY 1, 2`,
    );
    expect(data).toEqual(expected);
    expect(expected.length).toBeGreaterThan(300);
  });

  it('aggregates through relations, with a filter and a limit', async () => {
    const { data } = await read('invoice_line/aggregate', {
      measures: 'sum(quantity)',
      groupBy: 'track.genre.name',
      filter: 'invoice.billing_country == "USA"',
      sort: '-sum_quantity,track_genre_name',
      limit: '5',
    });
    expect(data).toEqual(
      await sqlRows(
        app,
        `SELECT g.name AS track_genre_name, sum(l.quantity) AS sum_quantity
         FROM invoice_line l JOIN invoice USING (invoice_id) JOIN track t USING (track_id) JOIN genre g USING (genre_id)
         WHERE billing_country = 'USA' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5`,
      ),
    );
  });

  it('searches the text fields', async () => {
    for (const search of ['love', 'rock -roll', '"for those about to rock"', 'angus or lennon', "don't"]) {
      const { records } = await readPages(app, 'track', { search, fields: 'track_id', limit: '1000' });
      const expected = await sqlRows(
        app,
        `SELECT track_id FROM track
         WHERE to_tsvector('simple', concat_ws(' ', name, composer)) @@ websearch_to_tsquery('simple', '${search.replaceAll("'", "''")}')
         ORDER BY track_id`,
      );
      expect(records).toEqual(expected);
      expect(expected.length).toBeGreaterThan(0);
    }
  });

  it('estimates a total without counting', async () => {
    await app.database.query('ANALYZE');
    const { page } = await read('playlist_track', { limit: '1', count: 'estimated' });
    expect(page.total).toBeGreaterThan(8715 / 2);
    expect(page.total).toBeLessThan(8715 * 2);
  });

  it('loses and doubles nothing when rows come and go between pages', async () => {
    const isStable = ({ artist_id: id }: Record<string, unknown>): boolean => Number(id) <= 275;
    const { records } = await readPages(
      app,
      'artist',
      { sort: 'name', limit: '20', fields: 'artist_id' },
      {
        between: async (page) => {
          await app.database.query('INSERT INTO artist VALUES ($1, $2), ($3, $4)', [
            1000 + page,
            'A',
            2000 + page,
            'Z',
          ]);
          if (page > 3)
            await app.database.query('DELETE FROM artist WHERE artist_id = $1', [1000 + page - 2]);
        },
      },
    );
    await app.database.query('DELETE FROM artist WHERE artist_id > 275');
    expect(records.filter(isStable)).toEqual(
      await sqlRows(app, 'SELECT artist_id FROM artist ORDER BY name, artist_id'),
    );
    expect(new Set(records.map(({ artist_id: id }) => id)).size).toBe(records.length);
  });

  for (const [path, status, type, meant] of [
    ['albun', 404, 'unknown-collection', 'album'],
    ['track?fields=miliseconds', 400, 'unknown-field', 'milliseconds'],
    ['track?fields=gerne(name)', 400, 'unknown-field', 'genre'],
    ['track?sort=-compser', 400, 'unknown-field', 'composer'],
    ['track?serch=x', 400, 'unknown-parameter', 'search'],
  ] as const) {
    it(`answers /api/${path} with ${status} and suggests ${meant}`, async () => {
      const { status: answered, text, body } = await app.admin('GET', `/api/${path}`);
      expect([answered, body.type]).toEqual([status, `/problems/${type}`]);
      expect(text).toContain(meant);
    });
  }
});
