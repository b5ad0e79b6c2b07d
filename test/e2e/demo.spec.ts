import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig, type PlinthConfig } from '../../src/common/config/index.js';
import { createLogger } from '../../src/common/observability/index.js';
import { DEMO_TOUR, openDemo, printDemoTour, type DemoKeys, type DemoRequest } from '../../src/demo/index.js';
import type { RunningServer } from '../../src/server.js';
import { createTestDatabase, type TestDatabase } from '../kit/database.js';
import { accessPaths, explain } from '../kit/explain.js';
import { statementOf } from '../kit/statement-of.js';

interface Answer {
  readonly status: number;
  // Tests look into answers of every shape.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

/** What somebody would write who knows the tables and the rules, by the words of the tour. */
const DEMO_BY_HAND: readonly {
  readonly shows: string;
  readonly roles: readonly string[];
  readonly text: string;
}[] = [
  {
    shows: 'Everybody sees what is on sale',
    roles: ['public'],
    text: `SELECT name, price, flavours,
        (SELECT row_to_json(c) FROM (SELECT name FROM categories WHERE id = p.category_id) c) AS category,
        (SELECT json_agg(r) FROM (
          SELECT rating, title, author_name FROM reviews
          WHERE product_id = p.id AND status = 'published' AND rating = 5 ORDER BY id LIMIT 2) r) AS reviews
      FROM products p
      WHERE published_at <= now() AND flavours @> ARRAY['jasmine'] AND price < 18 ORDER BY id LIMIT 51`,
  },
  {
    shows: 'The most reviewed products',
    roles: ['public'],
    text: `SELECT p.name, count(*), avg(r.rating) FROM reviews r
        LEFT JOIN products p ON p.id = r.product_id AND p.published_at <= now()
      WHERE r.status = 'published' GROUP BY p.name ORDER BY count(*) DESC, p.name LIMIT 5`,
  },
  {
    shows: 'A customer sees their own orders',
    roles: ['customer', 'public'],
    text: `SELECT number, status, total, ordered_at,
        (SELECT json_agg(i) FROM (
          SELECT quantity, unit_price,
            (SELECT row_to_json(p) FROM (
              SELECT name FROM products WHERE id = i.product_id AND published_at <= now()) p) AS product
          FROM order_items i JOIN orders own ON own.id = i.order_id AND own.customer_id = 1
          WHERE order_id = o.id ORDER BY order_id, line_no LIMIT 50) i) AS order_items,
        (SELECT count(*) FROM orders WHERE customer_id = 1)
      FROM orders o WHERE customer_id = 1 ORDER BY ordered_at DESC, id DESC LIMIT 4`,
  },
  {
    shows: 'Two policies add up field by field',
    roles: ['customer', 'public'],
    text: `SELECT author_name, CASE WHEN customer_id = 1 THEN author_email END, rating, title FROM reviews
      WHERE product_id = 15 AND (status = 'published' OR customer_id = 1) ORDER BY rating DESC, id DESC LIMIT 51`,
  },
  {
    shows: 'Analysts get numbers by month',
    roles: ['analyst', 'public'],
    text: `SELECT date_trunc('month', ordered_at), channel, count(*), sum(total) FROM orders
      WHERE ordered_at >= '2025-09-01T00:00:00Z' AND status NOT IN ('cancelled', 'refunded')
      GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 100`,
  },
];

describe('plinth demo', () => {
  let database: TestDatabase;
  let config: PlinthConfig;
  let server: RunningServer;
  let keys: DemoKeys;

  const open = async (): Promise<void> => {
    ({ server, keys } = await openDemo(config, createLogger(config)));
  };
  beforeAll(async () => {
    database = await createTestDatabase();
    config = parseConfig({
      DATABASE_URL: database.url,
      PORT: '0',
      PLINTH_LOG_LEVEL: 'fatal',
      PLINTH_MAX_EVENT_LOOP_DELAY: '0',
    });
    await open();
  });
  afterAll(async () => {
    await server?.close();
    await database.drop();
  });

  const ask = async ({ actor, method, path, query, body }: Omit<DemoRequest, 'shows'>): Promise<Answer> => {
    const address = `${server.url}${path}?${new URLSearchParams(query).toString()}`;
    const response = await fetch(address, {
      method,
      headers: {
        ...(actor === null ? {} : { authorization: `Bearer ${keys[actor]}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
  const tour = (part: string): DemoRequest => {
    const found = DEMO_TOUR.find(({ shows }) => shows.includes(part));
    if (!found) throw new Error(`No request of the tour shows "${part}".`);
    return found;
  };

  it('prints the keys and every request, ready for a shell', () => {
    const text = printDemoTour(server.url, keys);
    for (const key of Object.values(keys)) expect(text).toContain(key);
    for (const { shows } of DEMO_TOUR) expect(text).toContain(shows);
    expect(text.match(/curl -s/g)).toHaveLength(DEMO_TOUR.length);
  });

  it('shows everybody what is on sale, with its best reviews', async () => {
    const { status, body } = await ask(tour('Everybody sees'));
    expect(status).toBe(200);
    const { data } = body;
    expect(data.map(({ name }: { name: string }) => name).sort()).toEqual([
      'Guji Dawn',
      'Volcán Azul Reserve',
    ]);
    for (const product of data) {
      expect(product.reviews.every(({ rating }: { rating: number }) => rating === 5)).toBe(true);
    }
    const drafts = await ask({ actor: null, method: 'GET', path: '/api/products/18' });
    expect(drafts.status).toBe(404);
    const cost = await ask({
      actor: null,
      method: 'GET',
      path: '/api/products',
      query: { fields: 'cost_price' },
    });
    expect([cost.status, cost.body.type]).toEqual([400, '/problems/unknown-field']);
  });

  it('ranks products by their published reviews', async () => {
    const { data } = (await ask(tour('most reviewed'))).body;
    const [best] = await database.query(`SELECT p.name, count(*)::int, avg(rating)::float8 FROM reviews r
      JOIN products p ON p.id = r.product_id WHERE status = 'published' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1`);
    expect(data).toHaveLength(5);
    expect(data[0].count).toBe(best!['count']);
    expect(data[0].avg_rating).toBeCloseTo(best!['avg'] as number);
  });

  it('shows a customer their own orders only, with items', async () => {
    const { data, page } = (await ask(tour('their own orders'))).body;
    const [{ count } = {}] = await database.query(`SELECT count(*)::int FROM orders WHERE customer_id = 1`);
    expect(page.total).toBe(count);
    expect(data).toHaveLength(3);
    expect(data[0].order_items[0].product.name).toEqual(expect.any(String));
  });

  it('shows the e-mail address on the customer’s own reviews only', async () => {
    const { data } = (await ask(tour('field by field'))).body;
    const shown = data.filter(({ author_email: email }: { author_email: string | null }) => email !== null);
    expect(data.length).toBeGreaterThan(3);
    expect(shown).toHaveLength(1);
  });

  it('takes an order with its items, at the price of the shop only', async () => {
    const request = tour('all or nothing');
    const { status, body } = await ask(request);
    expect([status, body.results?.length]).toEqual([200, 2]);
    const [order] = await database.query(
      `SELECT id, customer_id, channel, status, total FROM orders ORDER BY id DESC LIMIT 1`,
    );
    expect(order).toMatchObject({ customer_id: 1, channel: 'web', status: 'pending', total: '19.80' });
    const cheap = await ask({
      ...request,
      body: JSON.parse(JSON.stringify(request.body).replace('9.9', '0.1')),
    });
    expect([cheap.status, cheap.body.type]).toEqual([403, '/problems/check-failed']);
    expect(await database.query(`SELECT max(id) FROM orders`)).toEqual([{ max: order!['id'] }]);
  });

  it('lets a customer cancel what is not paid, and nothing else', async () => {
    const patch = (id: number, body: object): ReturnType<typeof ask> =>
      ask({ actor: 'customer', method: 'PATCH', path: `/api/orders/${id}`, body });
    expect((await patch(830, { status: 'paid' })).status).toBe(403);
    expect((await patch(826, { status: 'cancelled' })).status).toBe(403);
    const cancelled = await patch(830, { status: 'cancelled' });
    expect([cancelled.status, cancelled.body.status]).toEqual([200, 'cancelled']);
    expect(cancelled.body.cancelled_at).toEqual(expect.any(String));
  });

  it('lets customers review what they got, under their own name', async () => {
    const review = (product: number): ReturnType<typeof ask> =>
      ask({
        actor: 'customer',
        method: 'POST',
        path: '/api/reviews',
        body: { product_id: product, author_name: 'Petra G.', rating: 5, title: 'Again', body: '' },
      });
    const [{ bought } = {}] = await database.query(`SELECT min(product_id) AS bought FROM order_items i
      JOIN orders o ON o.id = i.order_id WHERE o.customer_id = 1 AND o.status = 'delivered'
      AND product_id NOT IN (SELECT product_id FROM reviews WHERE customer_id = 1)`);
    const written = await review(Number(bought));
    expect([written.status, written.body.customer_id, written.body.status]).toEqual([201, 1, 'pending']);
    const [{ never } = {}] = await database.query(`SELECT min(id) AS never FROM products p WHERE NOT EXISTS (
      SELECT FROM order_items i JOIN orders o ON o.id = i.order_id WHERE o.customer_id = 1 AND i.product_id = p.id)`);
    expect((await review(Number(never))).body.type).toBe('/problems/check-failed');
  });

  it('lets staff move every paid order along', async () => {
    expect((await ask(tour('move every paid order'))).status).toBe(200);
    expect(await database.query(`SELECT count(*)::int FROM orders WHERE status = 'paid'`)).toEqual([
      { count: 0 },
    ]);
    const salary = await ask({
      actor: 'staff',
      method: 'GET',
      path: '/api/employees',
      query: { fields: 'salary' },
    });
    expect(salary.status).toBe(400);
  });

  it('gives analysts numbers, and no person', async () => {
    const { data } = (await ask(tour('numbers by month'))).body;
    const expected =
      await database.query(`SELECT count(*)::int AS count, sum(total)::float8 AS sum FROM orders
      WHERE ordered_at >= '2025-09-01' AND status NOT IN ('cancelled', 'refunded')
      GROUP BY date_trunc('month', ordered_at AT TIME ZONE 'UTC'), channel
      ORDER BY date_trunc('month', ordered_at AT TIME ZONE 'UTC'), channel`);
    expect(
      data.map(({ count, sum_total: sum }: { count: number; sum_total: number }) => ({ count, sum })),
    ).toEqual(expected);
    for (const fields of ['email', 'full_name', 'staff_note']) {
      const { status } = await ask({
        actor: 'analyst',
        method: 'GET',
        path: '/api/customers',
        query: { fields },
      });
      expect(status).toBe(400);
    }
  });

  it('explains why a sent order cannot be changed any more', async () => {
    const { status, body } = await ask(tour('no longer change'));
    expect(status).toBe(200);
    expect(JSON.stringify(body)).toContain('pending');
  });

  it.each(DEMO_BY_HAND)('reads as hand-written SQL does: $shows', async ({ shows, roles, text }) => {
    const { path, query } = tour(shows);
    const address = `${path}?${new URLSearchParams(query).toString()}`;
    const own = statementOf(server.app, {
      method: 'GET',
      path: address,
      roles,
      claims: { customer_id: 1 },
    });
    const client = await database.pool.connect();
    try {
      // The tables are small; this is how large ones are read.
      await client.query('SET enable_seqscan = off');
      const paths = accessPaths(await explain(client, own));
      expect(paths).toEqual(accessPaths(await explain(client, { text, values: [] })));
    } finally {
      client.release(true);
    }
  });

  it('keeps what was changed when it starts again, with new keys', async () => {
    const policies = async (): Promise<unknown> =>
      (await ask({ actor: 'admin', method: 'GET', path: '/system/policies', query: { limit: '1000' } })).body
        .data;
    const [before, oldKey] = [await policies(), keys.staff];
    await server.close();
    await database.query(`UPDATE products SET name = 'Changed' WHERE id = 2`);
    await open();
    expect(await policies()).toEqual(before);
    expect(keys.staff).not.toBe(oldKey);
    const product = await ask({
      actor: 'staff',
      method: 'GET',
      path: '/api/products/2',
      query: { fields: 'name' },
    });
    expect(product.body.name).toBe('Changed');
  });

  it('refuses the database of somebody else before it makes anything there', async () => {
    const foreign = await createTestDatabase({ sql: 'CREATE TABLE ledger (id int)' });
    try {
      const other = parseConfig({
        DATABASE_URL: foreign.url,
        PORT: '0',
        PLINTH_LOG_LEVEL: 'fatal',
        PLINTH_MAX_EVENT_LOOP_DELAY: '0',
      });
      await expect(openDemo(other, createLogger(other))).rejects.toThrow(/not empty/);
      expect(await foreign.query(`SELECT to_regnamespace('plinth') AS schema`)).toEqual([{ schema: null }]);
    } finally {
      await foreign.drop();
    }
  });
});
