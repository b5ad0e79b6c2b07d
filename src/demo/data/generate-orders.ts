import type { Catalogue } from './generate-catalogue.js';
import type { People } from './generate-people.js';
import { DAY_MS, HOUR_MS, moneyCents, moneyText, timeText } from './money-and-time.js';
import { fulfil, type Fulfilment } from './fulfil-order.js';
import type {
  AddressRow,
  CustomerRow,
  EmployeeRow,
  OrderItemRow,
  OrderRow,
  PaymentRow,
  ProductRow,
} from './rows.js';
import type { SeededRandom } from './seeded-random.js';

export interface Sales {
  readonly orders: readonly OrderRow[];
  readonly order_items: readonly OrderItemRow[];
  readonly payments: readonly PaymentRow[];
}

/** How busy each month is, January first: gifts in winter, holidays in summer. */
const SEASON = [0.85, 0.9, 1, 0.95, 0.9, 0.8, 0.7, 0.72, 0.95, 1.1, 1.35, 1.7];
/** Sunday first. */
const WEEKDAY = [0.7, 1.15, 1, 0.95, 1, 1.1, 1.2];
const ORDERS_A_DAY = 0.85;
/** Orders a day at the end of the records, against the beginning. */
const GROWTH = 1.7;
const NOTES = [
  'Please ring twice.',
  'A gift: no invoice in the parcel, please.',
  'Ground for a cone, please.',
  'Thank you!',
];

interface Basket {
  readonly product: ProductRow;
  readonly quantity: number;
}

/** Orders with their items and payments, day by day, by customers who had joined, for products that were on sale. */
export function generateSales(
  random: SeededRandom,
  { customers, addresses }: People,
  { products }: Catalogue,
  employees: readonly EmployeeRow[],
  [startMs, endMs]: readonly [number, number],
): Sales {
  const loyalty = new Map(customers.map(({ id }) => [id, id === 1 ? 9 : 0.3 + random.next() ** 3 * 6]));
  const popularity = new Map(products.map((product) => [product.id, productWeight(random, product)]));
  const orders: OrderRow[] = [];
  const items: OrderItemRow[] = [];
  const payments: PaymentRow[] = [];

  for (const orderedMs of orderTimes(random, startMs, endMs)) {
    const known = customers.filter((customer) => Date.parse(customer.joined_at) < orderedMs);
    const onSale = products.filter(({ published_at: at }) => at !== null && Date.parse(at) < orderedMs);
    const customer = random.pickWeighted(known, ({ id }) => loyalty.get(id) ?? 1);
    const basket = fillBasket(random, customer, onSale, popularity);
    const id = orders.length + 1;
    const lines = basket.map(({ product, quantity }, index) => ({
      order_id: id,
      line_no: index + 1,
      product_id: product.id,
      quantity,
      unit_price: product.price,
    }));
    const { order, payments: paid } = placeOrder(
      random,
      id,
      orderedMs,
      endMs,
      customer,
      addresses,
      employees,
      lines,
    );
    orders.push(order);
    items.push(...lines);
    payments.push(...paid);
  }
  return { orders, order_items: items, payments };
}

/** Times of orders, ascending: seasons, weekdays, growth, and hours when people are awake. */
function orderTimes(random: SeededRandom, startMs: number, endMs: number): number[] {
  const times: number[] = [];
  for (let day = startMs; day < endMs; day += DAY_MS) {
    const date = new Date(day);
    const age = (day - startMs) / (endMs - startMs);
    const expected =
      ORDERS_A_DAY *
      (SEASON[date.getUTCMonth()] ?? 1) *
      (WEEKDAY[date.getUTCDay()] ?? 1) *
      (1 + (GROWTH - 1) * age);
    // The whole part, and the rest as a probability, twice as uneven as it comes.
    const count = Math.floor(expected * 2 * random.next() + random.next());
    for (let index = 0; index < count; index += 1) {
      times.push(day + Math.floor(random.around(6, 23) * HOUR_MS));
    }
  }
  return times.filter((time) => time < endMs).sort((a, b) => a - b);
}

/** Some products sell far better than others, and coffee sells better than machines. */
function productWeight(random: SeededRandom, product: ProductRow): number {
  const kind = product.roast === null ? 9000 / (moneyCents(product.price) + 2500) : 6;
  return kind * (0.25 + random.next() ** 2);
}

function fillBasket(
  random: SeededRandom,
  customer: CustomerRow,
  onSale: readonly ProductRow[],
  popularity: ReadonlyMap<number, number>,
): Basket[] {
  const isWholesale = customer.kind === 'wholesale';
  const shelf = isWholesale ? onSale.filter(({ roast }) => roast !== null) : onSale;
  const size = random.pickWeighted([1, 2, 3, 4, 5], (count) => 6 - count);
  const chosen = new Set<ProductRow>();
  while (chosen.size < size) {
    chosen.add(random.pickWeighted(shelf, ({ id }) => popularity.get(id) ?? 1));
  }
  return [...chosen].map((product) => ({ product, quantity: quantityOf(random, product, isWholesale) }));
}

function quantityOf(random: SeededRandom, product: ProductRow, isWholesale: boolean): number {
  if (isWholesale) return random.int(2, 10) * 4;
  if (moneyCents(product.price) > 3000) return 1;
  return random.pickWeighted([1, 2, 3, 4], (count) => 1 / count ** 2);
}

function placeOrder(
  random: SeededRandom,
  id: number,
  orderedMs: number,
  endMs: number,
  customer: CustomerRow,
  addresses: readonly AddressRow[],
  employees: readonly EmployeeRow[],
  lines: readonly OrderItemRow[],
): { order: OrderRow; payments: PaymentRow[] } {
  const channel = customer.kind === 'wholesale' ? 'wholesale' : random.chance(0.68) ? 'web' : 'shop';
  const subtotal = lines.reduce((sum, line) => sum + line.quantity * moneyCents(line.unit_price), 0);
  const discount = discountOf(random, channel, subtotal);
  const shipping = shippingOf(channel, subtotal);
  const fulfilment = fulfil(random, channel, orderedMs, endMs);
  const address =
    channel === 'shop'
      ? null
      : random.pick(addresses.filter(({ customer_id: owner }) => owner === customer.id));
  const order: OrderRow = {
    id,
    number: `SC-${String(id).padStart(6, '0')}`,
    customer_id: customer.id,
    address_id: address?.id ?? null,
    handled_by_id: handler(random, channel, fulfilment, employees)?.id ?? null,
    channel,
    status: fulfilment.status,
    subtotal: moneyText(subtotal),
    discount: moneyText(discount),
    shipping: moneyText(shipping),
    note: channel === 'web' && random.chance(0.08) ? random.pick(NOTES) : null,
    ordered_at: timeText(orderedMs),
    paid_at: optionalTime(fulfilment.paidMs),
    shipped_at: optionalTime(fulfilment.shippedMs),
    delivered_at: optionalTime(fulfilment.deliveredMs),
    cancelled_at: optionalTime(fulfilment.cancelledMs),
  };
  return { order, payments: paymentsOf(random, order, fulfilment, subtotal - discount + shipping, endMs) };
}

const optionalTime = (ms: number | null): string | null => (ms === null ? null : timeText(ms));

function discountOf(random: SeededRandom, channel: OrderRow['channel'], subtotal: number): number {
  if (channel === 'wholesale') return Math.round(subtotal * 0.18);
  return channel === 'web' && random.chance(0.12) ? Math.round(subtotal * 0.1) : 0;
}

function shippingOf(channel: OrderRow['channel'], subtotal: number): number {
  if (channel === 'shop') return 0;
  if (channel === 'wholesale') return subtotal >= 40_000 ? 0 : 1250;
  return subtotal >= 4500 ? 0 : 490;
}

function handler(
  random: SeededRandom,
  channel: OrderRow['channel'],
  { paidMs }: Fulfilment,
  employees: readonly EmployeeRow[],
): EmployeeRow | undefined {
  if (paidMs === null) return undefined;
  const title = { shop: /Barista/, web: /Shipping/, wholesale: /Wholesale/ }[channel];
  return random.pick(employees.filter(({ job_title: job }) => title.test(job)));
}

function paymentsOf(
  random: SeededRandom,
  order: OrderRow,
  { paidMs, refundedMs }: Fulfilment,
  totalCents: number,
  endMs: number,
): PaymentRow[] {
  const method = paymentMethod(random, order.channel);
  const reference = (): string => `P${random.int(10_000_000, 99_999_999)}-${order.id}`;
  const common = { order_id: order.id, method, amount: moneyText(totalCents) };
  const orderedMs = Date.parse(order.ordered_at);
  const rows: PaymentRow[] = [];
  const failedMs = orderedMs + random.int(20, 90) * 1000;
  // An attempt that failed comes before the one that went through.
  if (method === 'card' && random.chance(0.05) && failedMs < (paidMs ?? endMs)) {
    rows.push({
      ...common,
      id: random.uuid(),
      status: 'failed',
      reference: `${reference()}-F`,
      processed_at: timeText(failedMs),
      refunded_at: null,
    });
  }
  if (paidMs !== null) {
    rows.push({
      ...common,
      id: random.uuid(),
      status: refundedMs === null ? 'captured' : 'refunded',
      reference: reference(),
      processed_at: timeText(paidMs),
      refunded_at: optionalTime(refundedMs),
    });
  }
  return rows;
}

function paymentMethod(random: SeededRandom, channel: OrderRow['channel']): PaymentRow['method'] {
  if (channel === 'wholesale') return 'bank_transfer';
  if (channel === 'shop') return random.pick(['card', 'card', 'cash']);
  return random.pick(['card', 'card', 'card', 'wallet', 'wallet', 'bank_transfer']);
}
