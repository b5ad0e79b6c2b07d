export interface Coffee {
  readonly name: string;
  readonly category: 'Filter coffee' | 'Espresso' | 'Decaf' | 'Microlots';
  readonly region: string | null;
  readonly supplier: string | null;
  readonly process: 'washed' | 'natural' | 'honey' | 'mixed' | 'sugar cane';
  readonly altitude: number | null;
  readonly roast: 'light' | 'medium' | 'medium_dark' | 'dark';
  readonly flavours: readonly string[];
  readonly priceCents: number;
}

export interface Goods {
  readonly name: string;
  readonly category: 'Grinders' | 'Brewers' | 'Kettles and scales' | 'Cups' | 'Filters and care' | 'Gifts';
  readonly supplier: string | null;
  readonly description: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly weightGrams: number | null;
  readonly priceCents: number;
}

const NORTHSEA = 'Northsea Green Coffee Import';
const STEELWORKS = 'Steelworks Brewing Tools';
const KILN = 'Kiln Street Ceramics';
const PAPER = 'Paper and Cloth';

function coffee(
  name: string,
  category: Coffee['category'],
  [region, supplier]: readonly [string | null, string | null],
  [process, altitude, roast]: readonly [Coffee['process'], number | null, Coffee['roast']],
  flavours: string,
  priceCents: number,
): Coffee {
  return {
    name,
    category,
    region,
    supplier,
    process,
    altitude,
    roast,
    flavours: flavours.split(', '),
    priceCents,
  };
}

export const COFFEES: readonly Coffee[] = [
  coffee(
    'Harbour Blend',
    'Espresso',
    [null, null],
    ['mixed', null, 'medium_dark'],
    'dark chocolate, hazelnut',
    990,
  ),
  coffee(
    'Lighthouse Espresso',
    'Espresso',
    [null, null],
    ['mixed', null, 'dark'],
    'cocoa, molasses, cedar',
    1050,
  ),
  coffee(
    'Morning Tide',
    'Filter coffee',
    [null, null],
    ['mixed', null, 'medium'],
    'milk chocolate, red apple',
    950,
  ),
  coffee(
    'Guji Dawn',
    'Filter coffee',
    ['Guji, Ethiopia', 'Highland Cooperative Union'],
    ['washed', 2050, 'light'],
    'jasmine, peach, lemon',
    1390,
  ),
  coffee(
    'Guji Dusk',
    'Microlots',
    ['Guji, Ethiopia', 'Highland Cooperative Union'],
    ['natural', 2100, 'light'],
    'strawberry, mango, rose',
    1790,
  ),
  coffee(
    'Sidama Orchard',
    'Filter coffee',
    ['Sidama, Ethiopia', 'Highland Cooperative Union'],
    ['natural', 1950, 'light'],
    'blueberry, cocoa',
    1350,
  ),
  coffee(
    'Kirinyaga Bright',
    'Filter coffee',
    ['Kirinyaga, Kenya', 'Rift Valley Growers'],
    ['washed', 1750, 'light'],
    'blackcurrant, grapefruit, brown sugar',
    1490,
  ),
  coffee(
    'Nyeri Peak',
    'Microlots',
    ['Nyeri, Kenya', 'Rift Valley Growers'],
    ['washed', 1850, 'light'],
    'redcurrant, lime, honey',
    1890,
  ),
  coffee(
    'Kivu Lakeside',
    'Filter coffee',
    ['Lake Kivu, Rwanda', 'Lake Hills Washing Station'],
    ['washed', 1800, 'medium'],
    'orange, black tea, caramel',
    1290,
  ),
  coffee(
    'Huila Afternoon',
    'Filter coffee',
    ['Huila, Colombia', 'Productores del Sur'],
    ['washed', 1700, 'medium'],
    'caramel, red apple, almond',
    1190,
  ),
  coffee(
    'Las Nubes Honey',
    'Microlots',
    ['Nariño, Colombia', 'Finca Las Nubes'],
    ['honey', 2000, 'light'],
    'apricot, vanilla, orange blossom',
    1690,
  ),
  coffee(
    'Nariño Espresso',
    'Espresso',
    ['Nariño, Colombia', 'Finca Las Nubes'],
    ['washed', 1900, 'medium_dark'],
    'plum, cocoa, toffee',
    1250,
  ),
  coffee(
    'Antigua Stone',
    'Filter coffee',
    ['Antigua, Guatemala', 'Volcán Azul Estates'],
    ['washed', 1600, 'medium'],
    'cocoa, orange, pecan',
    1240,
  ),
  coffee(
    'Volcán Azul Reserve',
    'Microlots',
    ['Atitlán, Guatemala', 'Volcán Azul Estates'],
    ['honey', 1850, 'light'],
    'cherry, honey, jasmine',
    1750,
  ),
  coffee(
    'Copán Everyday',
    'Filter coffee',
    ['Copán, Honduras', 'Cerro Alto Farmers'],
    ['washed', 1400, 'medium'],
    'toffee, walnut',
    1090,
  ),
  coffee(
    'Marcala Gold',
    'Filter coffee',
    ['Marcala, Honduras', 'Cerro Alto Farmers'],
    ['honey', 1550, 'medium'],
    'peach, brown sugar',
    1190,
  ),
  coffee(
    'Cerrado Classic',
    'Espresso',
    ['Cerrado, Brazil', 'Fazenda Bom Retiro'],
    ['natural', 1100, 'medium_dark'],
    'peanut, milk chocolate',
    990,
  ),
  coffee(
    'Bom Retiro Late Harvest',
    'Espresso',
    ['Minas Gerais, Brazil', 'Fazenda Bom Retiro'],
    ['natural', 1200, 'medium'],
    'hazelnut, date, cocoa',
    1120,
  ),
  coffee(
    'Bahia Sun',
    'Filter coffee',
    ['Bahia, Brazil', 'Sertão Naturals'],
    ['natural', 1150, 'medium'],
    'almond, dried cherry',
    1090,
  ),
  coffee(
    'Aceh Rain',
    'Espresso',
    ['Aceh, Indonesia', 'Gayo Highlands Export'],
    ['washed', 1500, 'dark'],
    'dark chocolate, clove, cedar',
    1190,
  ),
  coffee(
    'Gayo Midnight',
    'Filter coffee',
    ['Aceh, Indonesia', 'Gayo Highlands Export'],
    ['honey', 1550, 'medium_dark'],
    'molasses, spice, plum',
    1210,
  ),
  coffee(
    'Quiet Evening Decaf',
    'Decaf',
    ['Huila, Colombia', 'Productores del Sur'],
    ['sugar cane', 1650, 'medium'],
    'caramel, cocoa',
    1220,
  ),
  coffee(
    'Quiet Espresso Decaf',
    'Decaf',
    [null, NORTHSEA],
    ['mixed', null, 'medium_dark'],
    'dark chocolate, toffee',
    1180,
  ),
  coffee(
    'Winter Spice',
    'Filter coffee',
    [null, NORTHSEA],
    ['mixed', null, 'medium_dark'],
    'orange, clove, dark chocolate',
    1290,
  ),
  coffee(
    'Midsummer',
    'Filter coffee',
    [null, NORTHSEA],
    ['mixed', null, 'light'],
    'strawberry, lemon, honey',
    1290,
  ),
  coffee(
    'Office Reliable',
    'Filter coffee',
    [null, NORTHSEA],
    ['mixed', null, 'medium'],
    'milk chocolate, walnut',
    890,
  ),
  coffee(
    'Ristretto Number Nine',
    'Espresso',
    [null, null],
    ['mixed', null, 'dark'],
    'cocoa, roasted almond',
    1080,
  ),
  coffee(
    'Honey Garden',
    'Microlots',
    ['Copán, Honduras', 'Cerro Alto Farmers'],
    ['honey', 1600, 'light'],
    'mango, honey, lime',
    1590,
  ),
];

function goods(
  name: string,
  category: Goods['category'],
  supplier: string | null,
  [weightGrams, priceCents]: readonly [number | null, number],
  description: string,
  attributes: Goods['attributes'] = {},
): Goods {
  return { name, category, supplier, description, attributes, weightGrams, priceCents };
}

export const GOODS: readonly Goods[] = [
  goods(
    'Hand Grinder Tern',
    'Grinders',
    STEELWORKS,
    [540, 8900],
    'Steel burrs, forty settings, fits a rucksack.',
    { burr_mm: 38, travel: true },
  ),
  goods(
    'Hand Grinder Heron',
    'Grinders',
    STEELWORKS,
    [720, 14900],
    'For espresso as well: fine steps, long handle.',
    { burr_mm: 48 },
  ),
  goods(
    'Electric Grinder Gannet',
    'Grinders',
    STEELWORKS,
    [3100, 28900],
    'Flat burrs, quiet motor, doses by weight.',
    { burr_mm: 64, voltage: 230 },
  ),
  goods('Pour-over Cone One', 'Brewers', KILN, [310, 2400], 'Glazed by hand, for one or two cups.', {
    cups: 2,
    handmade: true,
  }),
  goods('Pour-over Cone Two', 'Brewers', KILN, [420, 2900], 'The larger sister, for up to four cups.', {
    cups: 4,
    handmade: true,
  }),
  goods('Glass Carafe', 'Brewers', KILN, [480, 3200], 'Thick glass, wooden collar.', { volume_ml: 800 }),
  goods('Press Pot', 'Brewers', STEELWORKS, [900, 4500], 'Double steel wall, holds a litre.', {
    volume_ml: 1000,
  }),
  goods('Travel Press', 'Brewers', STEELWORKS, [380, 3400], 'Press and mug in one.', {
    volume_ml: 350,
    travel: true,
  }),
  goods('Stovetop Pot', 'Brewers', STEELWORKS, [610, 3900], 'Three cups, works on induction.', {
    cups: 3,
    induction: true,
  }),
  goods(
    'Gooseneck Kettle',
    'Kettles and scales',
    STEELWORKS,
    [980, 6900],
    'Slow, steady pour; thermometer in the lid.',
    { volume_ml: 900 },
  ),
  goods(
    'Electric Kettle Set',
    'Kettles and scales',
    STEELWORKS,
    [1350, 11900],
    'Keeps any temperature from 60 to 100 degrees.',
    { volume_ml: 900, voltage: 230 },
  ),
  goods('Brewing Scale', 'Kettles and scales', STEELWORKS, [420, 4900], 'A tenth of a gram, with a timer.', {
    resolution_g: 0.1,
  }),
  goods('Pocket Scale', 'Kettles and scales', STEELWORKS, [160, 2500], 'Flat enough for a coat.', {
    resolution_g: 0.1,
    travel: true,
  }),
  goods('Espresso Cup', 'Cups', KILN, [140, 1200], 'Thick walls, 80 millilitres.', {
    volume_ml: 80,
    handmade: true,
  }),
  goods('Flat White Cup', 'Cups', KILN, [230, 1600], 'With its saucer.', { volume_ml: 180, handmade: true }),
  goods('Mug of the Harbour', 'Cups', KILN, [340, 1800], 'Our mark pressed into the clay.', {
    volume_ml: 300,
    handmade: true,
  }),
  goods('Enamel Cup', 'Cups', null, [120, 950], 'For camp fires and clumsy hands.', {
    volume_ml: 350,
    travel: true,
  }),
  goods('Paper Filters, Small', 'Filters and care', PAPER, [110, 550], 'One hundred, unbleached.', {
    pieces: 100,
  }),
  goods('Paper Filters, Large', 'Filters and care', PAPER, [140, 690], 'One hundred, unbleached.', {
    pieces: 100,
  }),
  goods('Cloth Filter', 'Filters and care', PAPER, [40, 1100], 'Cotton; rinse, boil, use again.', {
    pieces: 1,
  }),
  goods('Cleaning Powder', 'Filters and care', NORTHSEA, [500, 1450], 'For machines and pots.', {}),
  goods(
    'Brewing Course',
    'Gifts',
    null,
    [null, 6500],
    'Three hours at our bar, with as much coffee as you can bear.',
    { hours: 3 },
  ),
  goods('Tasting Box', 'Gifts', null, [600, 2900], 'Six small bags from light to dark.', { pieces: 6 }),
  goods('First Steps Set', 'Gifts', null, [900, 4400], 'Cone, filters and a bag of Morning Tide.', {
    pieces: 3,
  }),
  goods('Gift Card 25', 'Gifts', null, [null, 2500], 'Good for anything in the shop, for three years.', {
    value: 25,
  }),
];
