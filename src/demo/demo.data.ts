import { generateCatalogue } from './data/generate-catalogue.js';
import { generateSales } from './data/generate-orders.js';
import { generateEmployees, generatePeople } from './data/generate-people.js';
import { generateReviews } from './data/generate-reviews.js';
import { generateStock } from './data/generate-stock.js';
import type { DemoRows } from './data/rows.js';
import { SeededRandom } from './data/seeded-random.js';

export interface DemoDataOptions {
  /** The same seed gives the same rows. */
  readonly seed: number;
  /** First day of the records, at midnight UTC. */
  readonly start: Date;
  /** The moment at which the records end; nothing is later. */
  readonly end: Date;
}

/**
 * What `plinth demo` installs. The end is fixed, so that examples in the documentation stay true: a Friday in the busiest
 * month, when some orders of every kind are still open.
 */
export const DEMO_DATA: DemoDataOptions = {
  seed: 21,
  start: new Date('2024-01-01T00:00:00Z'),
  end: new Date('2025-12-12T16:30:00Z'),
};

/** A few thousand believable rows of the sample database, by table, in an order in which they can be inserted. */
export function generateDemoRows({ seed, start, end }: DemoDataOptions = DEMO_DATA): DemoRows {
  const random = new SeededRandom(seed);
  const [startMs, endMs] = [start.getTime(), end.getTime()];
  const catalogue = generateCatalogue(random.fork('catalogue'), startMs, endMs);
  const employees = generateEmployees(random.fork('employees'), startMs);
  const people = generatePeople(random.fork('people'), startMs, endMs);
  const sales = generateSales(random.fork('sales'), people, catalogue, employees, [startMs, endMs]);
  const { customers } = people;
  const { products } = catalogue;
  const { orders, order_items: items } = sales;
  return {
    ...catalogue,
    employees,
    ...people,
    ...sales,
    reviews: generateReviews(random.fork('reviews'), customers, products, orders, items, endMs),
    stock_movements: generateStock(random.fork('stock'), products, orders, items, employees, [
      startMs,
      endMs,
    ]),
  };
}
