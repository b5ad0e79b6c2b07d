import { DAY_MS, timeText } from './money-and-time.js';
import type { CustomerRow, OrderItemRow, OrderRow, ProductRow, ReviewRow } from './rows.js';
import type { SeededRandom } from './seeded-random.js';

const REVIEWED_SHARE = 0.2;
/** Whoever looks through the reviews is at most this far behind. */
const MODERATION_MS = 4 * DAY_MS;
const REJECTED_SHARE = 0.02;

const TITLES: Readonly<Record<number, readonly string[]>> = {
  5: ['My new favourite', 'Wonderful', 'Could not be better', 'Ordered again at once', 'Ten out of ten'],
  4: ['Very good', 'Nearly perfect', 'Glad I tried it', 'Does what it should'],
  3: ['All right', 'Decent', 'Not quite for me', 'Expected a little more'],
  2: ['Disappointed', 'Not for this price', 'Below what I know from you'],
  1: ['Sent it back', 'No', 'Never again'],
};

const OPENINGS: Readonly<Record<number, readonly string[]>> = {
  5: [
    'I look forward to it every morning.',
    'Exactly what I had hoped for.',
    'Everyone who tried it asked where it is from.',
  ],
  4: ['A pleasure, with one small reservation.', 'Good from the first day.', 'I would buy it again.'],
  3: ['Fine, but nothing that stays in mind.', 'It took some getting used to.'],
  2: ['I wanted to like it.', 'It was fresher the last time.'],
  1: ['It arrived damaged.', 'This was not what the description says.'],
};

const CLOSINGS = [
  'The parcel came quickly.',
  'Packed with care, as always.',
  'My grinder is set two steps finer for it.',
  'It goes well with milk.',
  'I gave one to my sister.',
  'The handwritten card was a nice touch.',
  '',
  '',
];

/** Reviews of what was delivered, by those who bought it, at most one of a product by a customer. */
export function generateReviews(
  random: SeededRandom,
  customers: readonly CustomerRow[],
  products: readonly ProductRow[],
  orders: readonly OrderRow[],
  items: readonly OrderItemRow[],
  endMs: number,
): ReviewRow[] {
  const customerById = new Map(customers.map((customer) => [customer.id, customer]));
  const productById = new Map(products.map((product) => [product.id, product]));
  const orderById = new Map(orders.map((order) => [order.id, order]));
  const quality = new Map(products.map(({ id }) => [id, random.around(-0.6, 0.6)]));
  const written = new Set<string>();
  const reviews: Omit<ReviewRow, 'id'>[] = [];
  for (const { order_id: orderId, product_id: productId } of items) {
    const order = orderById.get(orderId);
    const customer = customerById.get(order?.customer_id ?? 0);
    const product = productById.get(productId);
    if (!order || !customer || !product || order.status !== 'delivered' || order.delivered_at === null)
      continue;
    const createdMs = Date.parse(order.delivered_at) + Math.floor(random.around(1, 24) * DAY_MS);
    const pair = `${productId}:${customer.id}`;
    if (!random.chance(REVIEWED_SHARE) || written.has(pair) || createdMs >= endMs) continue;
    written.add(pair);
    reviews.push(writeReview(random, customer, product, quality.get(productId) ?? 0, createdMs, endMs));
  }
  return reviews
    .sort((a, b) => a.created_at.localeCompare(b.created_at))
    .map((review, index) => Object.assign(review, { id: index + 1 }));
}

function writeReview(
  random: SeededRandom,
  customer: CustomerRow,
  product: ProductRow,
  quality: number,
  createdMs: number,
  endMs: number,
): Omit<ReviewRow, 'id'> {
  const rating = drawRating(random, quality);
  const body = [
    random.pick(OPENINGS[rating] ?? ['']),
    tasting(random, product, rating),
    random.pick(CLOSINGS),
  ];
  return {
    product_id: product.id,
    customer_id: customer.id,
    author_name: `${customer.first_name} ${customer.last_name.slice(0, 1)}.`,
    author_email: customer.email,
    rating,
    title: random.pick(TITLES[rating] ?? ['']),
    body: body.filter((sentence) => sentence !== '').join(' '),
    status: reviewStatus(random, createdMs, endMs),
    created_at: timeText(createdMs),
  };
}

/** Most people who bother to write are pleased; better products please more of them. */
function drawRating(random: SeededRandom, quality: number): number {
  const weights: Readonly<Record<number, number>> = {
    1: 3 * (1 - quality),
    2: 5 * (1 - quality),
    3: 12 * (1 - quality / 2),
    4: 30,
    5: 46 * (1 + quality / 2),
  };
  return random.pickWeighted([1, 2, 3, 4, 5], (rating) => weights[rating] ?? 0);
}

function tasting(random: SeededRandom, product: ProductRow, rating: number): string {
  if (product.flavours.length === 0) return '';
  const flavour = random.pick(product.flavours);
  return rating >= 4 ? `I do taste the ${flavour}.` : `I looked for the ${flavour} in vain.`;
}

function reviewStatus(random: SeededRandom, createdMs: number, endMs: number): ReviewRow['status'] {
  if (createdMs > endMs - MODERATION_MS * random.next()) return 'pending';
  return random.chance(REJECTED_SHARE) ? 'rejected' : 'published';
}
