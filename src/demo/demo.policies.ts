/** A role of the sample database; `public` is there already. */
export interface DemoRole {
  readonly name: string;
  readonly description: string;
}

/** A policy as `POST /system/policies` takes it. */
export interface DemoPolicy {
  readonly role: string;
  readonly collection: string;
  readonly action: 'read' | 'create' | 'update' | 'delete';
  /** CEL over the record; for updates over the record before. */
  readonly condition?: string;
  /** CEL over the record as it will be. */
  readonly check?: string;
  /** Default: every field. */
  readonly fields?: readonly string[];
  /** Fields that the server sets; a text is CEL. */
  readonly presets?: Readonly<Record<string, string>>;
}

export const DEMO_ROLES: readonly DemoRole[] = [
  { name: 'customer', description: 'Buys from us: sees and changes only what is their own.' },
  {
    name: 'staff',
    description: 'Works in the shop and the storeroom: moves orders along, answers customers.',
  },
  { name: 'analyst', description: 'Counts and compares: every number, no person.' },
];

/** What belongs to the customer that a key was made for. */
const OWN = {
  customer: 'id == auth.claims.customer_id',
  row: 'customer_id == auth.claims.customer_id',
  orderRow: 'order.customer_id == auth.claims.customer_id',
} as const;

const ON_SALE = 'published_at != null && published_at <= now';
const OWN_PENDING = `${OWN.row} && status == "pending"`;
const OWN_PENDING_ITEM = `${OWN.orderRow} && order.status == "pending"`;

const CATALOGUE_FIELDS = [
  'id',
  'sku',
  'slug',
  'name',
  'description',
  'category_id',
  'supplier_id',
  'roast',
  'flavours',
  'attributes',
  'weight_grams',
  'price',
  'published_at',
];
const REVIEW_FIELDS = ['id', 'product_id', 'author_name', 'rating', 'title', 'body', 'created_at'];
const OWN_CUSTOMER_FIELDS = ['first_name', 'last_name', 'phone', 'preferences', 'is_subscribed'];
const ADDRESS_FIELDS = ['label', 'street', 'postal_code', 'city', 'country', 'is_default'];

function read(role: string, collection: string, condition?: string, fields?: readonly string[]): DemoPolicy {
  return {
    role,
    collection,
    action: 'read',
    ...(condition === undefined ? {} : { condition }),
    ...(fields === undefined ? {} : { fields }),
  };
}

/** Everybody: what is on sale, without what it costs us, and reviews that somebody has read, without addresses. */
const PUBLIC: readonly DemoPolicy[] = [
  read('public', 'categories'),
  read('public', 'tags'),
  read('public', 'product_tags'),
  read('public', 'suppliers', undefined, ['id', 'name', 'country', 'certifications']),
  read('public', 'products', ON_SALE, CATALOGUE_FIELDS),
  read('public', 'reviews', 'status == "published"', REVIEW_FIELDS),
];

/**
 * A customer has what the public has, and what is their own. Their own reviews show the e-mail address, those of others
 * do not: two policies on one collection add up row by row and field by field.
 */
const CUSTOMER: readonly DemoPolicy[] = [
  read('customer', 'customers', OWN.customer, [
    'id',
    'kind',
    'full_name',
    'company',
    'email',
    'country',
    'joined_at',
    ...OWN_CUSTOMER_FIELDS,
  ]),
  {
    role: 'customer',
    collection: 'customers',
    action: 'update',
    condition: OWN.customer,
    fields: OWN_CUSTOMER_FIELDS,
  },
  read('customer', 'addresses', OWN.row),
  {
    role: 'customer',
    collection: 'addresses',
    action: 'create',
    fields: ADDRESS_FIELDS,
    presets: { customer_id: 'auth.claims.customer_id' },
  },
  { role: 'customer', collection: 'addresses', action: 'update', condition: OWN.row, fields: ADDRESS_FIELDS },
  { role: 'customer', collection: 'addresses', action: 'delete', condition: OWN.row },
  read('customer', 'orders', OWN.row),
  {
    role: 'customer',
    collection: 'orders',
    action: 'create',
    fields: ['address_id', 'note'],
    check: 'address.customer_id == auth.claims.customer_id',
    presets: { customer_id: 'auth.claims.customer_id', channel: '"web"' },
  },
  { role: 'customer', collection: 'orders', action: 'update', condition: OWN_PENDING, fields: ['note'] },
  {
    role: 'customer',
    collection: 'orders',
    action: 'update',
    condition: OWN_PENDING,
    fields: ['status'],
    check: 'status == "cancelled"',
  },
  read('customer', 'order_items', OWN.orderRow),
  {
    role: 'customer',
    collection: 'order_items',
    action: 'create',
    fields: ['order_id', 'line_no', 'product_id', 'quantity', 'unit_price'],
    // The price is the shop's, whatever the browser says.
    check: `${OWN_PENDING_ITEM} && unit_price == product.price && product.published_at <= now`,
  },
  {
    role: 'customer',
    collection: 'order_items',
    action: 'update',
    condition: OWN_PENDING_ITEM,
    fields: ['quantity'],
  },
  { role: 'customer', collection: 'order_items', action: 'delete', condition: OWN_PENDING_ITEM },
  read('customer', 'payments', OWN.orderRow, [
    'id',
    'order_id',
    'method',
    'status',
    'amount',
    'processed_at',
  ]),
  read('customer', 'reviews', OWN.row),
  {
    role: 'customer',
    collection: 'reviews',
    action: 'create',
    fields: ['product_id', 'author_name', 'rating', 'title', 'body'],
    // Only what they have bought and got.
    check:
      'product.order_items.exists(item, item.order.customer_id == auth.claims.customer_id && item.order.status == "delivered")',
    presets: {
      customer_id: 'auth.claims.customer_id',
      author_email: 'auth.claims.email',
      status: '"pending"',
    },
  },
  {
    role: 'customer',
    collection: 'reviews',
    action: 'update',
    condition: OWN.row,
    fields: ['rating', 'title', 'body'],
    presets: { status: '"pending"' },
  },
  { role: 'customer', collection: 'reviews', action: 'delete', condition: OWN.row },
];

const FINAL_STATUSES = '["delivered", "cancelled", "refunded"]';

/** Staff see nearly everything, but not what colleagues earn, and cannot reopen what is closed. */
const STAFF: readonly DemoPolicy[] = [
  ...[
    'categories',
    'tags',
    'product_tags',
    'products',
    'suppliers',
    'customers',
    'addresses',
    'orders',
    'order_items',
    'payments',
    'reviews',
    'stock_movements',
    'stock_levels',
  ].map((collection) => read('staff', collection)),
  read('staff', 'employees', undefined, [
    'id',
    'first_name',
    'last_name',
    'email',
    'job_title',
    'manager_id',
    'hired_on',
  ]),
  {
    role: 'staff',
    collection: 'products',
    action: 'update',
    fields: ['name', 'description', 'category_id', 'flavours', 'attributes', 'price', 'published_at'],
    // Nobody sells below cost, and a price more than doubles only by hand of an administrator.
    check: 'price >= cost_price && price <= old.price * 2.0',
    presets: { updated_at: 'now' },
  },
  {
    role: 'staff',
    collection: 'product_tags',
    action: 'create',
    fields: ['product_id', 'tag_id'],
  },
  { role: 'staff', collection: 'product_tags', action: 'delete' },
  {
    role: 'staff',
    collection: 'orders',
    action: 'update',
    condition: `!(status in ${FINAL_STATUSES})`,
    fields: ['status', 'handled_by_id', 'shipping', 'discount'],
    check: 'discount <= subtotal',
  },
  {
    role: 'staff',
    collection: 'orders',
    action: 'update',
    condition: 'status == "delivered"',
    fields: ['status'],
    check: 'status == "refunded"',
  },
  {
    role: 'staff',
    collection: 'customers',
    action: 'update',
    fields: ['staff_note', 'kind', 'company'],
  },
  { role: 'staff', collection: 'reviews', action: 'update', fields: ['status'] },
  {
    role: 'staff',
    collection: 'stock_movements',
    action: 'create',
    fields: ['product_id', 'order_id', 'reason', 'quantity'],
    presets: { employee_id: 'auth.claims.employee_id' },
  },
];

/** Analysts get the numbers of every sale, and of customers what does not tell who they are. */
const ANALYST: readonly DemoPolicy[] = [
  ...['categories', 'tags', 'product_tags', 'products', 'order_items', 'stock_levels', 'monthly_sales'].map(
    (collection) => read('analyst', collection),
  ),
  read('analyst', 'orders', undefined, [
    'id',
    'customer_id',
    'channel',
    'status',
    'subtotal',
    'discount',
    'shipping',
    'total',
    'ordered_at',
    'paid_at',
    'shipped_at',
    'delivered_at',
  ]),
  read('analyst', 'customers', undefined, ['id', 'kind', 'country', 'joined_at', 'is_subscribed']),
  read('analyst', 'reviews', undefined, [
    'id',
    'product_id',
    'customer_id',
    'rating',
    'status',
    'created_at',
  ]),
];

export const DEMO_POLICIES: readonly DemoPolicy[] = [...PUBLIC, ...CUSTOMER, ...STAFF, ...ANALYST];
