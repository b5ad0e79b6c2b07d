import { escapeLiteral } from 'pg';

type Comments = Readonly<
  Record<string, { readonly about: string; readonly columns: Readonly<Record<string, string>> }>
>;

/** The words of the API's documentation, kept where every tool finds them: as comments in the database. */
const COMMENTS: Comments = {
  suppliers: {
    about: 'Farms, importers and makers that we buy from.',
    columns: {
      country: 'ISO 3166-1 alpha-2.',
      contact_email: 'Who to write to about deliveries. For staff only.',
      certifications: 'Such as organic or fair trade, by their usual names.',
      lead_time: 'From our order to goods at the door.',
      partner_since: 'The day of the first contract.',
    },
  },
  categories: {
    about: 'The shelves of the shop, as a tree.',
    columns: {
      parent_id: 'The shelf above; null at the top.',
      position: 'Order among siblings, smallest first.',
    },
  },
  products: {
    about: 'Everything we sell: coffee, equipment and gifts.',
    columns: {
      sku: 'Stock-keeping unit, printed on the label.',
      slug: 'The last part of the address in the web shop.',
      supplier_id: 'Where it comes from; null for what we put together ourselves.',
      roast: 'For coffee only.',
      flavours: 'Tasting notes, the most noticeable first.',
      attributes:
        'Whatever differs by kind: origin, altitude and process of a coffee; voltage or volume of equipment.',
      weight_grams: 'Net weight.',
      price: 'In euros, with tax.',
      cost_price: 'What it costs us, in euros. Never shown to customers.',
      margin: 'Share of the price that stays with us, computed from price and cost price.',
      published_at: 'On sale from then on; null while it is a draft.',
    },
  },
  tags: { about: 'Words to find products by.', columns: { name: 'Lower case, up to 40 characters.' } },
  product_tags: { about: 'Which product carries which tag.', columns: {} },
  employees: {
    about: 'Who works here.',
    columns: {
      manager_id: 'Whom they report to; null for the owner.',
      salary: 'In euros a year, before tax.',
    },
  },
  customers: {
    about: 'People and companies who buy from us.',
    columns: {
      kind: 'Wholesale customers order by the case and get a discount.',
      full_name: 'Computed from first and last name.',
      company: 'Required for wholesale customers.',
      country: 'ISO 3166-1 alpha-2.',
      preferences: 'What they told us about how they drink coffee: grind, brewer, newsletter topics.',
      is_subscribed: 'Whether they want the newsletter.',
      staff_note: 'Seen by staff only.',
    },
  },
  addresses: {
    about: 'Where customers want their parcels.',
    columns: { label: 'Unique for a customer: home, work, ...', is_default: 'At most one of each customer.' },
  },
  orders: {
    about: 'Orders from the web shop, the counter and wholesale customers.',
    columns: {
      number: 'What customers quote on the phone.',
      handled_by_id: 'The colleague who took care of it.',
      status: 'Setting it also sets the time that belongs to it.',
      subtotal: 'Sum of the items, kept up to date by a trigger.',
      discount: 'In euros, taken off the subtotal.',
      shipping: 'In euros.',
      total: 'Computed: subtotal, less discount, plus shipping.',
      note: 'From the customer to us, up to 500 characters.',
    },
  },
  order_items: {
    about: 'The lines of an order.',
    columns: {
      line_no: 'From 1, in the order of the basket.',
      unit_price: 'The price on that day.',
      line_total: 'Computed: quantity times unit price.',
    },
  },
  payments: {
    about: 'Payments for orders, failed attempts included.',
    columns: { reference: 'The reference of the payment provider.', amount: 'In euros.' },
  },
  reviews: {
    about: 'What customers say about products; at most one review of a product by a customer.',
    columns: {
      author_email: 'Visible to its author and to staff only.',
      rating: 'From 1 (poor) to 5 (excellent).',
      status: 'A new or changed review waits until somebody has read it.',
    },
  },
  stock_movements: {
    about: 'Everything that came into or left the storeroom; the sum is what is there.',
    columns: {
      quantity: 'Pieces; negative for what left.',
      order_id: 'The order behind a sale or a return.',
    },
  },
  stock_levels: {
    about: 'Pieces of each product in the storeroom now.',
    columns: { on_hand: 'Sum of all movements.' },
  },
  monthly_sales: {
    about: 'Orders and revenue by month and channel, without cancelled and refunded ones.',
    columns: { month: 'Its first day.', revenue: 'In euros.' },
  },
};

const VIEWS = new Set(['stock_levels', 'monthly_sales']);

/** `COMMENT ON` statements for all tables, views and columns that need words. */
export function demoCommentStatements(): string {
  return Object.entries(COMMENTS)
    .flatMap(([table, { about, columns }]) =>
      [`COMMENT ON ${VIEWS.has(table) ? 'VIEW' : 'TABLE'} ${table} IS ${escapeLiteral(about)};`].concat(
        Object.entries(columns).map(
          ([column, words]) => `COMMENT ON COLUMN ${table}.${column} IS ${escapeLiteral(words)};`,
        ),
      ),
    )
    .join('\n');
}
