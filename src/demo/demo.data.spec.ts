import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/kit/database.js';
import { DEMO_DATA, generateDemoRows } from './demo.data.js';
import { ForeignDatabaseError, installDemoTables } from './demo.database.js';
import { SeededRandom } from './data/seeded-random.js';

const rows = generateDemoRows();

describe('the generator of sample rows', () => {
  it('gives the same rows for the same seed, and others for another', () => {
    expect(generateDemoRows()).toEqual(rows);
    expect(generateDemoRows({ ...DEMO_DATA, seed: DEMO_DATA.seed + 1 }).orders).not.toEqual(rows.orders);
  });

  it('keeps to the present of its records', () => {
    const end = DEMO_DATA.end.toISOString();
    const times = Object.values(rows)
      .flat()
      .flatMap((row: object) => Object.entries(row))
      .filter(([name, value]) => name.endsWith('_at') && value !== null)
      .map(([, value]) => String(value));
    expect(times.length).toBeGreaterThan(5000);
    expect(times.filter((time) => time > end)).toEqual([]);
  });

  it('gives every customer an e-mail address that cannot reach anybody', () => {
    const hosts = rows.customers.map(({ email }) => email.slice(email.indexOf('@') + 1));
    expect(hosts.filter((host) => !/^example\.(com|org|net)$|\.example$/.test(host))).toEqual([]);
  });

  it('draws evenly from a range, in streams that do not depend on each other', () => {
    const random = new SeededRandom(7);
    const counts = [0, 0, 0, 0, 0, 0];
    for (let draw = 0; draw < 60_000; draw += 1) counts[random.int(0, 5)]! += 1;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    expect(new SeededRandom(7).fork('a').uuid()).not.toBe(new SeededRandom(7).fork('b').uuid());
    expect(random.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('the sample database', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    await install(database);
  });
  afterAll(() => database.drop());

  const count = async (condition: string): Promise<number> => {
    const [row] = await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${condition}`);
    return row?.count ?? NaN;
  };

  it('holds every generated row', async () => {
    const counts: Record<string, number> = {};
    for (const table of Object.keys(rows)) counts[table] = await count(table);
    expect(counts).toEqual(
      Object.fromEntries(Object.entries(rows).map(([table, { length }]) => [table, length])),
    );
    const total = Object.values(rows).reduce((sum, { length }) => sum + length, 0);
    expect(total).toBeGreaterThan(4000);
  });

  it('adds up: orders to their items, payments to their orders', async () => {
    expect(
      await count(`orders o WHERE subtotal IS DISTINCT FROM
        (SELECT sum(line_total) FROM order_items i WHERE i.order_id = o.id)`),
    ).toBe(0);
    expect(
      await count(`orders o WHERE total IS DISTINCT FROM
        (SELECT sum(amount) FROM payments p WHERE p.order_id = o.id AND p.status <> 'failed') AND paid_at IS NOT NULL`),
    ).toBe(0);
    expect(await count(`orders WHERE total < 0`)).toBe(0);
  });

  it('has statuses and times that agree', async () => {
    const contradictions = `orders WHERE
      (status IN ('paid', 'packed', 'shipped', 'delivered', 'refunded')) <> (paid_at IS NOT NULL) OR
      (status IN ('shipped', 'delivered', 'refunded')) <> (shipped_at IS NOT NULL) OR
      (status IN ('delivered', 'refunded')) <> (delivered_at IS NOT NULL) OR
      (status = 'cancelled') <> (cancelled_at IS NOT NULL)`;
    expect(await count(contradictions)).toBe(0);
    expect(
      await count(`orders o JOIN payments p ON p.order_id = o.id
        WHERE (p.status = 'refunded') <> (o.status = 'refunded') AND p.status <> 'failed'`),
    ).toBe(0);
    expect(
      await count(`orders o JOIN payments p ON p.order_id = o.id
        WHERE p.status <> 'failed' AND p.processed_at <> o.paid_at`),
    ).toBe(0);
  });

  it('sells nobody anything before they joined, nor what was not on sale', async () => {
    expect(
      await count(`orders o JOIN customers c ON c.id = o.customer_id WHERE c.joined_at > o.ordered_at`),
    ).toBe(0);
    expect(
      await count(`order_items i JOIN orders o ON o.id = i.order_id JOIN products p ON p.id = i.product_id
        WHERE p.published_at IS NULL OR p.published_at > o.ordered_at`),
    ).toBe(0);
    expect(
      await count(`orders o JOIN addresses a ON a.id = o.address_id WHERE a.customer_id <> o.customer_id`),
    ).toBe(0);
    expect(
      await count(
        `orders o JOIN employees e ON e.id = o.handled_by_id WHERE e.hired_on > o.ordered_at::date`,
      ),
    ).toBe(0);
  });

  it('is reviewed only by those who got the product, and mostly with pleasure', async () => {
    expect(
      await count(`reviews r WHERE NOT EXISTS (
        SELECT FROM order_items i JOIN orders o ON o.id = i.order_id
        WHERE i.product_id = r.product_id AND o.customer_id = r.customer_id AND o.delivered_at < r.created_at)`),
    ).toBe(0);
    const shares = await database.query<{ rating: number; share: number }>(
      `SELECT rating::int, (count(*) / sum(count(*)) OVER ())::float8 AS share FROM reviews GROUP BY 1 ORDER BY 1`,
    );
    expect(shares.map(({ rating }) => rating)).toEqual([1, 2, 3, 4, 5]);
    const share = (rating: number): number => shares[rating - 1]?.share ?? NaN;
    expect(share(5)).toBeGreaterThan(share(4));
    expect(share(4)).toBeGreaterThan(share(3));
    expect(share(1)).toBeLessThan(0.1);
  });

  it('never has less than nothing in the storeroom, and has moved all that was sent', async () => {
    const running = `(SELECT sum(quantity) OVER (PARTITION BY product_id ORDER BY moved_at, id) AS on_hand
      FROM stock_movements) running WHERE on_hand < 0`;
    expect(await count(running)).toBe(0);
    const [sold] = await database.query(`SELECT
      (SELECT sum(quantity) FROM order_items i JOIN orders o ON o.id = i.order_id WHERE o.shipped_at IS NOT NULL) +
      (SELECT sum(quantity) FROM stock_movements WHERE reason = 'sale') AS difference`);
    expect(sold).toEqual({ difference: '0' });
  });

  it('is busiest in December and grows', async () => {
    const [year] = await database.query<{
      december: number;
      july: number;
      first: number;
      second: number;
    }>(`SELECT
      count(*) FILTER (WHERE extract(month FROM ordered_at) = 12 AND extract(year FROM ordered_at) = 2024)::int AS december,
      count(*) FILTER (WHERE extract(month FROM ordered_at) = 7 AND extract(year FROM ordered_at) = 2024)::int AS july,
      count(*) FILTER (WHERE ordered_at < '2024-12-12')::int AS first,
      count(*) FILTER (WHERE ordered_at >= '2024-12-12')::int AS second FROM orders`);
    expect(year!.december).toBeGreaterThan(1.5 * year!.july);
    expect(year!.second).toBeGreaterThan(1.1 * year!.first);
  });

  it('has orders of every status, and one of the first customer that waits for payment', async () => {
    expect(await count('(SELECT DISTINCT status FROM orders) s')).toBe(7);
    expect(await count(`orders WHERE customer_id = 1 AND status = 'pending'`)).toBeGreaterThan(0);
  });

  it('goes on where the generator ended: identities, order numbers and the sum of an order', async () => {
    const [order] = await database.query<{ id: number; number: string }>(
      `INSERT INTO orders (customer_id, channel) VALUES (1, 'shop') RETURNING id, number`,
    );
    expect(order).toEqual({
      id: rows.orders.length + 1,
      number: `SC-${String(rows.orders.length + 1).padStart(6, '0')}`,
    });
    const total = async (): Promise<unknown> =>
      (await database.query(`SELECT total FROM orders WHERE id = $1`, [order!.id]))[0]?.['total'];
    await database.query(
      `INSERT INTO order_items (order_id, line_no, product_id, quantity, unit_price) VALUES ($1, 1, 1, 2, 9.90), ($1, 2, 2, 1, 10.50)`,
      [order!.id],
    );
    expect(await total()).toBe('30.30');
    await database.query(`UPDATE order_items SET quantity = 3 WHERE order_id = $1 AND line_no = 1`, [
      order!.id,
    ]);
    expect(await total()).toBe('40.20');
    await database.query(`UPDATE orders SET status = 'delivered' WHERE id = $1`, [order!.id]);
    expect(
      await count(`orders WHERE id = ${order!.id} AND delivered_at >= shipped_at AND shipped_at >= paid_at`),
    ).toBe(1);
    await database.query(`DELETE FROM orders WHERE id = $1`, [order!.id]);
  });

  it('has words for every table', async () => {
    const wordless = await database.query(
      `SELECT relname FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') AND obj_description(oid, 'pg_class') IS NULL`,
    );
    expect(wordless).toEqual([]);
  });

  it('is left as it is by a second installation', async () => {
    await database.query(`UPDATE products SET price = price + 1 WHERE id = 1`);
    expect(await install(database)).toBe('present');
    expect(await count('products')).toBe(rows.products.length);
  });

  it('is not installed beside the tables of somebody else', async () => {
    const foreign = await createTestDatabase({ sql: 'CREATE TABLE ledger (id int)' });
    try {
      await expect(install(foreign)).rejects.toThrow(ForeignDatabaseError);
      await expect(install(foreign)).rejects.toThrow(/"ledger"/);
      expect(await foreign.query(`SELECT to_regclass('products') AS found`)).toEqual([{ found: null }]);
    } finally {
      await foreign.drop();
    }
  });
});

async function install(database: TestDatabase): Promise<'installed' | 'present'> {
  const client = await database.pool.connect();
  try {
    await client.query('BEGIN');
    const result = await installDemoTables(client, rows);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}
