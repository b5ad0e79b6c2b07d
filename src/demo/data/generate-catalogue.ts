import { DAY_MS, dayText, moneyText, slugText, timeText } from './money-and-time.js';
import type { CategoryRow, ProductRow, ProductTagRow, SupplierRow, TagRow } from './rows.js';
import type { SeededRandom } from './seeded-random.js';
import { COFFEES, GOODS, type Coffee, type Goods } from './words-products.js';

export interface Catalogue {
  readonly suppliers: readonly SupplierRow[];
  readonly categories: readonly CategoryRow[];
  readonly products: readonly ProductRow[];
  readonly tags: readonly TagRow[];
  readonly product_tags: readonly ProductTagRow[];
}

const CATEGORIES: readonly { readonly name: string; readonly parent?: string }[] = [
  { name: 'Coffee' },
  { name: 'Filter coffee', parent: 'Coffee' },
  { name: 'Espresso', parent: 'Coffee' },
  { name: 'Decaf', parent: 'Coffee' },
  { name: 'Microlots', parent: 'Filter coffee' },
  { name: 'Equipment' },
  { name: 'Grinders', parent: 'Equipment' },
  { name: 'Brewers', parent: 'Equipment' },
  { name: 'Kettles and scales', parent: 'Equipment' },
  { name: 'Table' },
  { name: 'Cups', parent: 'Table' },
  { name: 'Filters and care', parent: 'Table' },
  { name: 'Gifts' },
];

const SUPPLIERS: readonly (readonly [string, string, readonly string[], string])[] = [
  ['Highland Cooperative Union', 'ET', ['organic', 'fair trade'], 'P75D'],
  ['Rift Valley Growers', 'KE', ['rainforest alliance'], 'P70D'],
  ['Lake Hills Washing Station', 'RW', ['organic'], 'P80D'],
  ['Finca Las Nubes', 'CO', [], 'P50D'],
  ['Productores del Sur', 'CO', ['fair trade'], 'P55D'],
  ['Volcán Azul Estates', 'GT', ['rainforest alliance'], 'P48D'],
  ['Cerro Alto Farmers', 'HN', ['organic', 'fair trade'], 'P45D'],
  ['Fazenda Bom Retiro', 'BR', [], 'P40D'],
  ['Sertão Naturals', 'BR', ['organic'], 'P42D'],
  ['Gayo Highlands Export', 'ID', ['organic'], 'P60D'],
  ['Northsea Green Coffee Import', 'NL', ['organic', 'fair trade', 'rainforest alliance'], 'P5D'],
  ['Steelworks Brewing Tools', 'DE', [], 'P7D'],
  ['Kiln Street Ceramics', 'DK', [], 'P21D'],
  ['Paper and Cloth', 'JP', [], 'P30D'],
];

const TAGS = [
  'bestseller',
  'bright',
  'chocolatey',
  'espresso',
  'filter',
  'floral',
  'for beginners',
  'fruity',
  'gift',
  'handmade',
  'new',
  'nutty',
  'organic',
  'travel',
];

/** What is sold, who makes it, and how it is shelved. `startMs` is the day the shop's records begin. */
export function generateCatalogue(random: SeededRandom, startMs: number, endMs: number): Catalogue {
  const suppliers = SUPPLIERS.map(([name, country, certifications, leadTime], index) => ({
    id: index + 1,
    name,
    country,
    contact_email: `orders@${slugText(name)}.example`,
    certifications,
    lead_time: leadTime,
    partner_since: dayText(startMs - random.int(30, 2500) * DAY_MS),
  }));
  const categories = CATEGORIES.map(({ name, parent }, index) => ({
    id: index + 1,
    parent_id: parent === undefined ? null : CATEGORIES.findIndex((category) => category.name === parent) + 1,
    slug: slugText(name),
    name,
    position: CATEGORIES.slice(0, index).filter((category) => category.parent === parent).length + 1,
  }));
  const categoryId = (name: string): number => CATEGORIES.findIndex((category) => category.name === name) + 1;
  const supplierId = (name: string | null): number | null =>
    suppliers.find((supplier) => supplier.name === name)?.id ?? null;

  const specifications = [
    ...COFFEES.map((coffee) => coffeeProduct(random, coffee)),
    ...GOODS.map((goods) => goodsProduct(random, goods)),
  ];
  const products = specifications.map((specification, index): ProductRow => {
    const publishedMs = publicationTime(random, index, specifications.length, startMs, endMs);
    const createdMs = (publishedMs ?? endMs) - random.int(3, 40) * DAY_MS;
    return {
      id: index + 1,
      sku: `${specification.skuPrefix}-${String(index + 1).padStart(3, '0')}`,
      slug: slugText(specification.name),
      name: specification.name,
      description: specification.description,
      category_id: categoryId(specification.category),
      supplier_id: supplierId(specification.supplier),
      roast: specification.roast,
      flavours: specification.flavours,
      attributes: specification.attributes,
      weight_grams: specification.weightGrams,
      price: moneyText(specification.priceCents),
      cost_price: moneyText(Math.round(specification.priceCents * specification.costShare)),
      published_at: publishedMs === null ? null : timeText(publishedMs),
      created_at: timeText(createdMs),
      updated_at: timeText(publishedMs ?? createdMs),
    };
  });
  const tags = TAGS.map((name, index) => ({ id: index + 1, name }));
  return {
    suppliers,
    categories,
    products,
    tags,
    product_tags: tagProducts(random, products, categories, endMs),
  };
}

interface ProductSpecification {
  readonly skuPrefix: string;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly supplier: string | null;
  readonly roast: ProductRow['roast'];
  readonly flavours: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly weightGrams: number | null;
  readonly priceCents: number;
  readonly costShare: number;
}

function coffeeProduct(random: SeededRandom, coffee: Coffee): ProductSpecification {
  const [first = '', second = ''] = coffee.flavours;
  const origin = coffee.region === null ? 'a blend of our own' : `from ${coffee.region}`;
  return {
    skuPrefix: coffee.category === 'Espresso' ? 'ESP' : 'COF',
    name: coffee.name,
    description: `Roasted in small batches, ${origin}: ${first} first, then ${second}. ${random.pick(ADVICE)}`,
    category: coffee.category,
    supplier: coffee.supplier,
    roast: coffee.roast,
    flavours: coffee.flavours,
    attributes: {
      ...(coffee.region === null ? {} : { origin: coffee.region }),
      process: coffee.process,
      ...(coffee.altitude === null ? {} : { altitude_m: coffee.altitude }),
      decaf: coffee.category === 'Decaf',
    },
    weightGrams: 250,
    priceCents: coffee.priceCents,
    costShare: random.around(0.36, 0.52),
  };
}

const ADVICE = [
  'At its best between one and six weeks after roasting.',
  'We like it with 60 grams to the litre.',
  'Lovely black, patient with milk.',
  'Grind it fresh if you can.',
];

function goodsProduct(random: SeededRandom, goods: Goods): ProductSpecification {
  return {
    skuPrefix: goods.category === 'Gifts' ? 'GFT' : 'EQP',
    name: goods.name,
    description: goods.description,
    category: goods.category,
    supplier: goods.supplier,
    roast: null,
    flavours: [],
    attributes: goods.attributes,
    weightGrams: goods.weightGrams,
    priceCents: goods.priceCents,
    costShare: random.around(0.5, 0.72),
  };
}

/** Most were there when the records begin, some came later, a few are still drafts. */
function publicationTime(
  random: SeededRandom,
  index: number,
  count: number,
  startMs: number,
  endMs: number,
): number | null {
  if (index % 18 === 17 || index === count - 1) return null;
  if (random.chance(0.7)) return startMs - random.int(20, 900) * DAY_MS;
  return startMs + Math.floor(random.next() * 0.85 * (endMs - startMs));
}

function tagProducts(
  random: SeededRandom,
  products: readonly ProductRow[],
  categories: readonly CategoryRow[],
  endMs: number,
): ProductTagRow[] {
  const wordsOf = (product: ProductRow): string[] => {
    const category = categories[product.category_id - 1]?.name ?? '';
    const flavours = product.flavours.join(' ');
    const isNew = product.published_at !== null && Date.parse(product.published_at) > endMs - 120 * DAY_MS;
    return [
      ...(random.chance(0.18) ? ['bestseller'] : []),
      ...(/lemon|lime|orange|grapefruit/.test(flavours) ? ['bright'] : []),
      ...(/chocolate|cocoa/.test(flavours) ? ['chocolatey'] : []),
      ...(category === 'Espresso' ? ['espresso'] : []),
      ...(category === 'Filter coffee' || category === 'Microlots' ? ['filter'] : []),
      ...(/jasmine|rose|blossom/.test(flavours) ? ['floral'] : []),
      ...(/berry|peach|apricot|cherry|plum|apple|mango/.test(flavours) ? ['fruity'] : []),
      ...(/nut|almond|pecan/.test(flavours) ? ['nutty'] : []),
      ...(category === 'Gifts' ? ['gift'] : []),
      ...(product.attributes['handmade'] === true ? ['handmade'] : []),
      ...(product.attributes['travel'] === true ? ['travel'] : []),
      ...(isNew ? ['new'] : []),
      ...(random.chance(0.2) ? ['for beginners'] : []),
      ...(random.chance(0.25) && product.roast !== null ? ['organic'] : []),
    ];
  };
  return products.flatMap((product) =>
    wordsOf(product).map((word) => ({ product_id: product.id, tag_id: TAGS.indexOf(word) + 1 })),
  );
}
