/** Who the sample keys belong to. */
export type DemoActor = 'admin' | 'customer' | 'staff' | 'analyst';

export type DemoKeys = Readonly<Record<DemoActor, string>>;

/** A request to try, as data, so that tests can run what is printed. */
export interface DemoRequest {
  readonly shows: string;
  /** Null asks as the public. */
  readonly actor: DemoActor | null;
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** A short way through what access rules can do, on the rows that the generator makes. */
export const DEMO_TOUR: readonly DemoRequest[] = [
  {
    shows:
      'Everybody sees what is on sale, with its shelf and its best reviews, but neither costs nor addresses.',
    actor: null,
    method: 'GET',
    path: '/api/products',
    query: {
      fields: 'name,price,flavours,category(name),reviews(rating,title,author_name)',
      filter: '"jasmine" in flavours && price < 18.0',
      'reviews.filter': 'rating == 5',
      'reviews.limit': '2',
    },
  },
  {
    shows: 'The most reviewed products, and how they are liked.',
    actor: null,
    method: 'GET',
    path: '/api/reviews/aggregate',
    query: {
      measures: 'count,avg(rating)',
      groupBy: 'product.name',
      sort: '-count,product_name',
      limit: '5',
    },
  },
  {
    shows: 'A customer sees their own orders, and nobody else’s.',
    actor: 'customer',
    method: 'GET',
    path: '/api/orders',
    query: {
      fields: 'number,status,total,ordered_at,order_items(quantity,unit_price,product(name))',
      sort: '-ordered_at',
      limit: '3',
      count: 'exact',
    },
  },
  {
    shows:
      'Two policies add up field by field: the e-mail address is there on the customer’s own reviews only.',
    actor: 'customer',
    method: 'GET',
    path: '/api/reviews',
    query: { fields: 'author_name,author_email,rating,title', filter: 'product_id == 15', sort: '-rating' },
  },
  {
    shows: 'An order with its items, all or nothing; who orders is preset, and the price must be the shop’s.',
    actor: 'customer',
    method: 'POST',
    path: '/api/batch',
    body: {
      operations: [
        {
          label: 'order',
          method: 'POST',
          path: '/orders',
          body: { address_id: 1, note: 'Please ring twice.' },
        },
        {
          label: 'item',
          method: 'POST',
          path: '/order_items',
          body: {
            order_id: { $ref: 'order.id' },
            line_no: 1,
            product_id: 1,
            quantity: 2,
            unit_price: 9.9,
          },
        },
      ],
    },
  },
  {
    shows: 'Staff move every paid order along; a trigger of the database sets the times.',
    actor: 'staff',
    method: 'PATCH',
    path: '/api/orders',
    query: { filter: 'status == "paid"', fields: 'number,status,paid_at' },
    body: { status: 'packed' },
  },
  {
    shows: 'Analysts get numbers by month and channel, and no name.',
    actor: 'analyst',
    method: 'GET',
    path: '/api/orders/aggregate',
    query: {
      measures: 'count,sum(total)',
      groupBy: 'ordered_at:month,channel',
      filter: 'ordered_at >= timestamp("2025-09-01T00:00:00Z") && !(status in ["cancelled", "refunded"])',
      sort: 'ordered_at_month,channel',
    },
  },
  {
    shows: 'Why a customer may no longer change an order: every rule with its truth on that record.',
    actor: 'admin',
    method: 'POST',
    path: '/system/access/explain',
    body: {
      actor: { roles: ['customer'], claims: { customer_id: 1 } },
      action: 'update',
      collection: 'orders',
      key: '826',
    },
  },
];

/** The words of `plinth demo`: keys, and requests to paste into a shell. */
export function printDemoTour(url: string, keys: DemoKeys): string {
  const names: readonly DemoActor[] = ['admin', 'customer', 'staff', 'analyst'];
  return [
    '',
    'Saltmarsh Coffee is open: a sample database behind Plinth.',
    '',
    `  API            ${url}/api`,
    `  Documentation  ${url}/docs   (paste a key into "Authorize")`,
    '',
    'Keys, new at every start, good for a week:',
    '',
    ...names.map((name) => `  export ${variableOf(name)}=${keys[name]}`),
    '',
    'Requests to try:',
    '',
    ...DEMO_TOUR.flatMap((request) => [`  # ${request.shows}`, `  ${curlOf(url, request)}`, '']),
  ].join('\n');
}

const variableOf = (actor: DemoActor): string => `${actor.toUpperCase()}_KEY`;

function curlOf(url: string, { actor, method, path, query, body }: DemoRequest): string {
  const parameters = Object.entries(query ?? {});
  const isGet = method === 'GET';
  const address =
    isGet || parameters.length === 0 ? path : `${path}?${new URLSearchParams(query).toString()}`;
  return [
    `curl -s${isGet ? 'G' : ` -X ${method}`} '${url}${address}'`,
    ...(actor === null ? [] : [`-H "Authorization: Bearer $${variableOf(actor)}"`]),
    ...(isGet ? parameters.map(([name, value]) => `--data-urlencode ${quote(`${name}=${value}`)}`) : []),
    ...(body === undefined
      ? []
      : [`-H 'Content-Type: application/json'`, `-d ${quote(JSON.stringify(body))}`]),
  ].join(' \\\n    ');
}

/** For a POSIX shell. */
const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
