import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestApp, TestResponse } from '../kit/app.js';
import { hasChinook, readPages, sqlRows, startChinookApp } from '../kit/chinook.js';

const REP = 3;
const OTHER_REP = 4;

const MINE = 'support_rep_id == auth.claims.employee_id';

/** A support agent: own customers and what belongs to them; colleagues without what is private. */
const POLICIES: readonly object[] = [
  { collection: 'customer', action: 'read', condition: MINE },
  { collection: 'invoice', action: 'read', condition: `customer.${MINE}` },
  { collection: 'invoice_line', action: 'read', condition: `invoice.customer.${MINE}` },
  {
    collection: 'employee',
    action: 'read',
    fields: ['employee_id', 'first_name', 'last_name', 'title', 'reports_to', 'hire_date'],
  },
  { collection: 'employee', action: 'read', condition: 'employee_id == auth.claims.employee_id' },
  { collection: 'track', action: 'read', fields: ['track_id', 'name', 'album_id', 'genre_id'] },
  { collection: 'album', action: 'read' },
  {
    collection: 'customer',
    action: 'update',
    condition: MINE,
    fields: ['phone', 'email', 'support_rep_id'],
    check: `${MINE} && email != ""`,
  },
  {
    collection: 'invoice',
    action: 'create',
    fields: ['invoice_id', 'customer_id', 'total'],
    check: `customer.${MINE}`,
    presets: { invoice_date: 'now' },
  },
];

/** The same, by hand. */
const MY_CUSTOMERS = `SELECT * FROM customer WHERE support_rep_id = ${REP}`;
const MY_INVOICES = `SELECT i.* FROM invoice i JOIN customer c USING (customer_id) WHERE support_rep_id = ${REP}`;

describe.skipIf(!hasChinook)('Chinook, by roles', () => {
  let app: TestApp;
  let key: string;
  beforeAll(async () => {
    app = await startChinookApp();
    key = await app.keyFor('support', POLICIES, { employee_id: REP });
  });
  afterAll(() => app?.close());

  const get = (path: string, parameters: Readonly<Record<string, string>> = {}): Promise<TestResponse> =>
    app.request('GET', `/api/${path}?${new URLSearchParams(parameters).toString()}`, { key });
  const data = async (path: string, parameters: Readonly<Record<string, string>> = {}) => {
    const response = await get(path, parameters);
    if (response.status !== 200) throw new Error(`${response.status}: ${response.text}`);
    return response.body.data;
  };
  /** A problem without what differs from request to request. */
  const problem = ({ status, body }: TestResponse): object => ({
    status,
    type: body.type,
    title: body.title,
  });

  for (const [collection, sql] of [
    ['customer', `${MY_CUSTOMERS} ORDER BY customer_id`],
    ['invoice', `${MY_INVOICES} ORDER BY invoice_id`],
    [
      'invoice_line',
      `SELECT l.* FROM invoice_line l JOIN invoice USING (invoice_id) JOIN customer USING (customer_id)
       WHERE support_rep_id = ${REP} ORDER BY invoice_line_id`,
    ],
  ] as const) {
    it(`shows of ${collection} exactly what belongs to the agent's customers`, async () => {
      const expected = await sqlRows(app, sql);
      const { records } = await readPages(app, collection, { limit: '40' }, { key });
      expect(records).toEqual(expected);
      const { body } = await get(collection, { limit: '1', count: 'exact' });
      expect(body.page.total).toBe(expected.length);
    });
  }

  it('answers for the customer of a colleague as for one that is not there', async () => {
    const [theirs] = await sqlRows(
      app,
      `SELECT customer_id AS id FROM customer WHERE support_rep_id = ${OTHER_REP} LIMIT 1`,
    );
    const hidden = await get(`customer/${String(theirs?.['id'])}`);
    expect(hidden.status).toBe(404);
    expect(problem(hidden)).toEqual(problem(await get('customer/99999')));
  });

  it('shows of other agents no customers, also through relations and filters', async () => {
    const employees = await data('employee', {
      fields: 'employee_id,customer(customer_id,invoice(invoice_id))',
    });
    for (const employee of employees) {
      expect(employee.customer.length > 0).toBe(employee.employee_id === REP);
    }
    expect(await data('employee', { filter: 'customer.exists(c, true)', fields: 'employee_id' })).toEqual([
      { employee_id: REP },
    ]);
    expect(
      await data('employee', { filter: 'size(customer) == 0', fields: 'employee_id', sort: 'employee_id' }),
    ).toEqual(await sqlRows(app, `SELECT employee_id FROM employee WHERE employee_id <> ${REP} ORDER BY 1`));
  });

  it('counts sales of a track to own customers only', async () => {
    const { records } = await readPages(
      app,
      'track',
      { filter: 'invoice_line.exists(l, l.quantity > 0)', fields: 'track_id', limit: '1000' },
      { key },
    );
    expect(records).toEqual(
      await sqlRows(
        app,
        `SELECT DISTINCT track_id FROM invoice_line JOIN invoice USING (invoice_id) JOIN customer USING (customer_id)
         WHERE support_rep_id = ${REP} ORDER BY track_id`,
      ),
    );
  });

  it('aggregates invoices of own customers only', async () => {
    expect(
      await data('invoice/aggregate', {
        measures: 'count,sum(total)',
        groupBy: 'billing_country',
        sort: 'billing_country',
      }),
    ).toEqual(
      await sqlRows(
        app,
        `SELECT billing_country, count(*), sum(total) AS sum_total FROM (${MY_INVOICES}) i GROUP BY 1 ORDER BY 1`,
      ),
    );
  });

  describe('a field that is visible on the own row only', () => {
    it('is null in answers about others', async () => {
      const employees = await data('employee', { fields: 'employee_id,birth_date,email' });
      for (const employee of employees) {
        const isOwn = employee.employee_id === REP;
        expect([employee.birth_date !== null, employee.email !== null]).toEqual([isOwn, isOwn]);
      }
    });

    it('is null for filters, also through a relation', async () => {
      for (const filter of [
        'birth_date != null',
        'email.endsWith("chinookcorp.com")',
        'birth_date < timestamp("2100-01-01T00:00:00Z")',
      ]) {
        expect(await data('employee', { filter, fields: 'employee_id' })).toEqual([{ employee_id: REP }]);
      }
      expect(
        await data('employee', { filter: 'reports_to.birth_date != null', fields: 'employee_id' }),
      ).toEqual([]);
    });

    it('is null for sorting, so that the key decides among others', async () => {
      const sorted = await data('employee', { sort: 'birth_date', fields: 'employee_id' });
      expect(sorted.map(({ employee_id: id }: { employee_id: number }) => id)).toEqual([
        REP,
        1,
        2,
        4,
        5,
        6,
        7,
        8,
      ]);
      const { records } = await readPages(
        app,
        'employee',
        { sort: '-birth_date', limit: '2', fields: 'employee_id' },
        { key },
      );
      expect(records.map(({ employee_id: id }) => id)).toEqual([8, 7, 6, 5, 4, 2, 1, REP]);
    });

    it('is null for aggregates, groups and searches', async () => {
      const [totals] = await data('employee/aggregate', {
        measures: 'count,count(birth_date),min(birth_date),max(birth_date)',
      });
      expect([totals.count, totals.count_birth_date]).toEqual([8, 1]);
      expect(totals.min_birth_date).toBe(totals.max_birth_date);
      const groups = await data('employee/aggregate', { measures: 'count', groupBy: 'city' });
      expect(groups.map(({ count }: { count: number }) => count).sort()).toEqual([1, 7]);
      // The general manager lives in Jasper Avenue.
      expect(await data('employee', { search: 'Jasper', fields: 'employee_id' })).toEqual([]);
      expect(await data('employee', { search: 'Peacock', fields: 'employee_id' })).toEqual([
        { employee_id: REP },
      ]);
    });
  });

  it('treats a hidden field as one that was never there', async () => {
    const requests: readonly Readonly<Record<string, string>>[] = [
      { fields: 'unit_price' },
      { sort: 'unit_price' },
      { filter: 'unit_price > 1' },
      { 'track.filter': 'unit_price > 1', fields: 'track(name)' },
    ];
    for (const parameters of requests) {
      const collection = 'track.filter' in parameters ? 'album' : 'track';
      const hidden = await get(collection, parameters);
      const unknown = await get(
        collection,
        Object.fromEntries(
          Object.entries(parameters).map(([name, text]) => [name, text.replace('unit_price', 'zzzz_price')]),
        ),
      );
      expect(hidden.status).toBe(400);
      const answer = (response: TestResponse): string =>
        response.text.replaceAll(/unit_price|zzzz_price/g, '?').replace(/"requestId":"[^"]*"/, '');
      expect(answer(hidden)).toBe(answer(unknown));
    }
    const aggregate = await get('track/aggregate', { measures: 'max(unit_price)' });
    expect([aggregate.status, aggregate.body.type]).toEqual([400, '/problems/unknown-field']);
  });

  it('treats a collection without a policy as one that was never there', async () => {
    expect(problem(await get('genre'))).toEqual(problem(await get('nothing')));
    expect((await get('genre')).status).toBe(404);
    expect((await get('track', { fields: 'genre(name)' })).status).toBe(400);
    expect((await app.request('GET', '/api/album')).status).toBe(404);
  });

  it('changes the fields it may of own customers, and nothing of others', async () => {
    const [{ mine, theirs } = {}] = await sqlRows(
      app,
      `SELECT min(customer_id) FILTER (WHERE support_rep_id = ${REP}) AS mine,
         min(customer_id) FILTER (WHERE support_rep_id = ${OTHER_REP}) AS theirs FROM customer`,
    );
    const patch = (id: unknown, body: object): Promise<TestResponse> =>
      app.request('PATCH', `/api/customer/${String(id)}`, { key, body });
    expect((await patch(mine, { phone: '+49 555 1' })).body.phone).toBe('+49 555 1');
    expect((await patch(theirs, { phone: '+49 555 2' })).status).toBe(404);
    const notAllowed = await patch(mine, { country: 'Atlantis' });
    expect([notAllowed.status, notAllowed.body.errors[0].code]).toEqual([422, 'unknown-field']);
    for (const body of [{ support_rep_id: OTHER_REP }, { email: '' }]) {
      const refused = await patch(mine, body);
      expect([refused.status, refused.body.type]).toEqual([403, '/problems/check-failed']);
    }
    expect(
      await sqlRows(
        app,
        `SELECT phone, support_rep_id, email <> '' AS ok FROM customer WHERE customer_id = ${String(mine)}`,
      ),
    ).toEqual([{ phone: '+49 555 1', support_rep_id: REP, ok: true }]);
    expect(await sqlRows(app, `SELECT count(*) FROM customer WHERE phone = '+49 555 2'`)).toEqual([
      { count: 0 },
    ]);
  });

  it('changes many by a filter, own ones only', async () => {
    const filter = encodeURIComponent('customer_id > 0');
    const { status } = await app.request('PATCH', `/api/customer?filter=${filter}`, {
      key,
      body: { phone: '1' },
    });
    expect(status).toBeLessThan(300);
    expect(await sqlRows(app, `SELECT DISTINCT support_rep_id FROM customer WHERE phone = '1'`)).toEqual([
      { support_rep_id: REP },
    ]);
  });

  it('writes invoices to own customers only, dated by the server', async () => {
    const create = async (customers: string, first: number): Promise<TestResponse> => {
      const rows = await sqlRows(app, `SELECT customer_id FROM (${customers}) c`);
      const body = rows.map((row, index) => Object.assign(row, { invoice_id: first + index, total: 1 }));
      return app.request('POST', '/api/invoice', { key, body });
    };
    expect((await create(MY_CUSTOMERS, 9000)).status).toBe(201);
    expect(
      await sqlRows(
        app,
        `SELECT count(*), bool_and(invoice_date > now() AT TIME ZONE 'UTC' - interval '1 minute') AS dated
         FROM invoice WHERE invoice_id >= 9000`,
      ),
    ).toEqual([{ count: 21, dated: true }]);
    // One foreign customer among many spoils them all.
    const mixed = await create(
      `(${MY_CUSTOMERS}) UNION ALL (SELECT * FROM customer WHERE support_rep_id = ${OTHER_REP} LIMIT 1)`,
      9500,
    );
    expect([mixed.status, mixed.body.type]).toEqual([403, '/problems/check-failed']);
    expect(await sqlRows(app, 'SELECT count(*) FROM invoice WHERE invoice_id >= 9500')).toEqual([
      { count: 0 },
    ]);
  });
});
