import { DAY_MS, HOUR_MS, timeText } from './money-and-time.js';
import type { EmployeeRow, OrderItemRow, OrderRow, ProductRow, StockMovementRow } from './rows.js';
import type { SeededRandom } from './seeded-random.js';

const COUNTED_EVERY_MS = 91 * DAY_MS;

interface Movement extends Omit<StockMovementRow, 'id' | 'moved_at'> {
  readonly movedMs: number;
}

/**
 * What came into and left the storeroom: a sale for each item that was sent, a purchase whenever the shelf runs low, the
 * small differences that stocktaking finds, and what came back. At no time is less than nothing on the shelf.
 */
export function generateStock(
  random: SeededRandom,
  products: readonly ProductRow[],
  orders: readonly OrderRow[],
  items: readonly OrderItemRow[],
  employees: readonly EmployeeRow[],
  [startMs, endMs]: readonly [number, number],
): StockMovementRow[] {
  const clerks = employees.filter(({ job_title: job }) => /Shipping|Roaster/.test(job)).map(({ id }) => id);
  const departures = departuresOf(random, orders, items, endMs);
  return products
    .filter(({ published_at: at }) => at !== null)
    .flatMap((product) => {
      const openedMs = Math.max(startMs, Date.parse(product.published_at ?? '')) - DAY_MS;
      const ownDepartures = departures.filter(({ product_id: id }) => id === product.id);
      return stockOf(random, product, ownDepartures, clerks, [openedMs, endMs]);
    })
    .sort((a, b) => a.movedMs - b.movedMs)
    .map(({ movedMs, ...movement }, index) =>
      Object.assign(movement, { id: index + 1, moved_at: timeText(movedMs) }),
    );
}

/** Sales and returns, in order of time. */
function departuresOf(
  random: SeededRandom,
  orders: readonly OrderRow[],
  items: readonly OrderItemRow[],
  endMs: number,
): Movement[] {
  const orderById = new Map(orders.map((order) => [order.id, order]));
  return items
    .flatMap((item): Movement[] => {
      const order = orderById.get(item.order_id);
      if (!order?.shipped_at) return [];
      const common = { product_id: item.product_id, order_id: order.id, employee_id: order.handled_by_id };
      const sale = {
        ...common,
        reason: 'sale' as const,
        quantity: -item.quantity,
        movedMs: Date.parse(order.shipped_at),
      };
      const returnedMs = Date.parse(order.delivered_at ?? '') + 2 * DAY_MS;
      return order.status === 'refunded' && returnedMs < endMs && random.chance(0.6)
        ? [sale, { ...common, reason: 'return' as const, quantity: item.quantity, movedMs: returnedMs }]
        : [sale];
    })
    .sort((a, b) => a.movedMs - b.movedMs);
}

function stockOf(
  random: SeededRandom,
  product: ProductRow,
  departures: readonly Movement[],
  clerks: readonly number[],
  [openedMs, endMs]: readonly [number, number],
): Movement[] {
  const [batch, threshold] = product.roast === null ? [30, 10] : [150, 40];
  const movements: Movement[] = [];
  let onHand = 0;
  const record = (reason: Movement['reason'], quantity: number, movedMs: number): void => {
    const origin = { product_id: product.id, order_id: null, employee_id: random.pick(clerks) };
    movements.push({ ...origin, reason, quantity, movedMs });
    onHand += quantity;
  };
  record('purchase', batch, openedMs);
  let countedMs = openedMs + COUNTED_EVERY_MS;
  let expectedMs: number | null = null;
  for (const departure of departures) {
    if (expectedMs !== null && expectedMs <= departure.movedMs) {
      record('purchase', batch, expectedMs);
      expectedMs = null;
    }
    if (countedMs < departure.movedMs) {
      if (onHand > 5 && random.chance(0.4))
        record('correction', -random.int(1, 3), departure.movedMs - HOUR_MS);
      countedMs += COUNTED_EVERY_MS;
    }
    if (onHand + departure.quantity < 0) {
      // Bought in a hurry, just before it has to leave.
      record('purchase', batch * Math.ceil(-departure.quantity / batch), departure.movedMs - HOUR_MS / 2);
    }
    movements.push(departure);
    onHand += departure.quantity;
    if (onHand < threshold) expectedMs ??= departure.movedMs + random.int(1, 5) * DAY_MS;
  }
  if (expectedMs !== null && expectedMs < endMs) record('purchase', batch, expectedMs);
  return movements;
}
