import { DAY_MS, HOUR_MS } from './money-and-time.js';
import type { OrderRow, OrderStatus } from './rows.js';
import type { SeededRandom } from './seeded-random.js';

/** How far an order has come, and when; null for what has not happened. */
export interface Fulfilment {
  readonly status: OrderStatus;
  readonly paidMs: number | null;
  readonly shippedMs: number | null;
  readonly deliveredMs: number | null;
  readonly cancelledMs: number | null;
  readonly refundedMs: number | null;
}

const NOTHING_YET: Fulfilment = {
  status: 'pending',
  paidMs: null,
  shippedMs: null,
  deliveredMs: null,
  cancelledMs: null,
  refundedMs: null,
};

const MINUTE_MS = 60_000;
const CANCELLED_SHARE = 0.045;
/** An order that nobody pays is cancelled after so long. */
const UNPAID_FOR_MS = 7 * DAY_MS;
const REFUNDED_SHARE = 0.025;

/**
 * What became of an order until the records end: the whole way is drawn first and then cut off at the end, so that
 * statuses and times always agree.
 */
export function fulfil(
  random: SeededRandom,
  channel: OrderRow['channel'],
  orderedMs: number,
  endMs: number,
): Fulfilment {
  const way = channel === 'shop' ? overTheCounter(orderedMs) : byParcel(random, channel, orderedMs);
  if (channel === 'web' && random.chance(CANCELLED_SHARE)) {
    const cancelledMs =
      orderedMs + (random.chance(0.5) ? Math.floor(random.around(0.2, 20) * HOUR_MS) : UNPAID_FOR_MS);
    return cancelledMs < endMs ? { ...NOTHING_YET, status: 'cancelled', cancelledMs } : NOTHING_YET;
  }
  const refundedMs = way.deliveredMs + random.int(3, 14) * DAY_MS;
  const isRefunded = random.chance(REFUNDED_SHARE);
  if (way.paidMs >= endMs) return NOTHING_YET;
  if (way.packedMs >= endMs) return { ...NOTHING_YET, status: 'paid', paidMs: way.paidMs };
  if (way.shippedMs >= endMs) return { ...NOTHING_YET, status: 'packed', paidMs: way.paidMs };
  const { paidMs, shippedMs, deliveredMs } = way;
  if (deliveredMs >= endMs) return { ...NOTHING_YET, status: 'shipped', paidMs, shippedMs };
  if (isRefunded && refundedMs < endMs) {
    return { ...NOTHING_YET, status: 'refunded', paidMs, shippedMs, deliveredMs, refundedMs };
  }
  return { ...NOTHING_YET, status: 'delivered', paidMs, shippedMs, deliveredMs };
}

interface Way {
  readonly paidMs: number;
  readonly packedMs: number;
  readonly shippedMs: number;
  readonly deliveredMs: number;
}

function overTheCounter(orderedMs: number): Way {
  return { paidMs: orderedMs, packedMs: orderedMs, shippedMs: orderedMs, deliveredMs: orderedMs };
}

function byParcel(random: SeededRandom, channel: OrderRow['channel'], orderedMs: number): Way {
  const paidMs =
    orderedMs +
    (channel === 'wholesale'
      ? Math.floor(random.around(0.5, 6) * DAY_MS)
      : random.chance(0.8)
        ? random.int(2, 12) * MINUTE_MS
        : Math.floor(random.around(6, 60) * HOUR_MS));
  const packedMs = paidMs + Math.floor(random.around(4, 40) * HOUR_MS);
  const shippedMs = packedMs + Math.floor(random.around(2, 22) * HOUR_MS);
  return {
    paidMs,
    packedMs,
    shippedMs,
    deliveredMs: shippedMs + Math.floor(random.around(20, 110) * HOUR_MS),
  };
}
