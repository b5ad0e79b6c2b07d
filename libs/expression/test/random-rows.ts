import { Random } from '../../../test/kit/random.js';

/** Values that are likely to be treated differently by two implementations, as SQL text literals, by column type. */
export const TEXTS: readonly string[] = [
  '',
  'a',
  'A',
  'abc',
  'ABC',
  'aBc def',
  ' padded ',
  'trailing  ',
  '100%',
  'under_score',
  'back\\slash',
  "quo'te",
  'dou"ble',
  'é',
  'e\u0301',
  'É',
  'ß',
  'İ',
  '\u{1f600}',
  '\u{1f600}a',
  '\ufffd',
  '\uffee',
  '日本語',
  'zzz',
  'line\nbreak',
  'tab\t',
  '5',
  '-17',
  '9223372036854775808',
  '1e5',
  'K',
  '\u212a',
  'null',
  'true',
];

export const INT2: readonly string[] = ['0', '1', '-1', '7', '32767', '-32768', '100'];
export const INT4: readonly string[] = [
  '0',
  '1',
  '-1',
  '2',
  '5',
  '10',
  '42',
  '2147483647',
  '-2147483648',
  '1000',
];
export const INT8: readonly string[] = [
  '0',
  '1',
  '-1',
  '3',
  '10',
  '9223372036854775807',
  '-9223372036854775808',
  '9007199254740993',
  '4611686018427387904',
  '1000000000000',
];
export const FLOAT8: readonly string[] = [
  '0',
  '-0',
  '1',
  '0.1',
  '-2.5',
  '3',
  '1e15',
  '1.5e-7',
  '1e308',
  '-1.7976931348623157e308',
  '5e-324',
  '1e-200',
  '9007199254740992',
  '9223372036854775808',
  'NaN',
  'Infinity',
  '-Infinity',
  '0.3',
  '123456.789',
];
export const FLOAT4: readonly string[] = [
  '0',
  '0.1',
  '1',
  '-2.5',
  '3.4028235e38',
  '1e-45',
  'NaN',
  'Infinity',
  '16777216',
  '0.3',
];
export const PRICES: readonly string[] = [
  '0',
  '0.01',
  '9.99',
  '10',
  '-5.50',
  '99999999.99',
  '0.10',
  '0.30',
  'NaN',
];
export const AMOUNTS: readonly string[] = [
  '0',
  '0.1',
  '0.10',
  '1',
  '3',
  '-2.5',
  '123456789012345678901234567890.123456789',
  '1e40',
  '1e-40',
  '-1e1200',
  '7.000000000000000000000000000000000001',
  'NaN',
  'Infinity',
  '-Infinity',
];
export const UUIDS: readonly string[] = [
  'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
];
export const INSTANTS: readonly string[] = [
  '1970-01-01T00:00:00Z',
  '2024-02-29T12:34:56.789Z',
  '2024-02-29T12:34:56.789001Z',
  '2024-12-31T23:59:59.999999Z',
  '2000-01-01T00:00:00Z',
  '1999-12-31T23:59:59Z',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999Z',
  '1969-07-20T20:17:40Z',
];
const WILD_INSTANTS = ['infinity', '-infinity', '4000-01-01 BC', '20000-06-01', '0044-03-15 10:00:00 BC'];
export const DATES: readonly string[] = [
  '1970-01-01',
  '2024-02-29',
  '2024-12-31',
  '0001-01-01',
  '9999-12-31',
];
const WILD_DATES = ['infinity', '-infinity', '4000-01-01 BC', '5000000-01-01'];
export const DURATIONS: readonly string[] = [
  '0s',
  '1s',
  '24h',
  '-1h',
  '1h30m',
  '250ms',
  '720h',
  '0.000001s',
  '8760h',
];
const INTERVALS = [
  'PT0S',
  'P1D',
  'PT24H',
  'P1M',
  'P30D',
  'P1Y2M3DT4H5M6.789S',
  'P-1Y',
  'PT-0.5S',
  'P-1M1D',
  'PT1000000H',
  'P100000Y',
  'P600000D',
];
const BYTES = ['\\x', '\\x00', '\\xff', '\\x616263', '\\x80ff'];
const JSONS: readonly string[] = [
  'null',
  'true',
  '5',
  '"abc"',
  '[]',
  '{}',
  '{"color": "red", "price": 10, "active": true, "tags": ["a", "b", null], "size": {"w": 1.5}}',
  '{"color": null, "price": "10", "active": "true", "tags": "a", "size": []}',
  '{"color": "blue", "price": 10.0, "tags": [], "size": {"w": 2, "h": null}}',
  '{"color": {"x": 1}, "price": 1e40, "active": false, "tags": [1, "abc", 2.50, true]}',
  '{"0": "zero", "__proto__": {"color": "red"}, "tags": [["a"]], "color": "\\ud83d\\ude00"}',
  '[1, 2, {"color": "red"}]',
];
const WILD_JSONS = ['{"color": "\\u0000"}', '{"color": "\\ud800"}', '{"color": "back\\\\u0000slash"}'];
const INTERNET = ['127.0.0.1', '10.0.0.0/8', '::1'];
const TIMES = ['10:00:00', '00:00:00', '23:59:59.5', '09:30:00'];
const RANGES = ['[1,5)', 'empty', '(,3)'];
export const MOODS: readonly string[] = ['sad', 'ok', 'Happy days', "it's"];

const quote = (text: string): string => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

type Draw = (random: Random) => string;

const oneOf =
  (values: readonly string[]): Draw =>
  (random) =>
    quote(random.pick(values));

const listOf =
  (values: readonly string[], cast: string): Draw =>
  (random) => {
    if (random.chance(0.1)) return `ARRAY[]::${cast}[]`;
    const items = Array.from({ length: 1 + random.below(4) }, () =>
      random.chance(0.15) ? 'NULL' : quote(random.pick(values)),
    );
    if (random.chance(0.08)) return `ARRAY[[${items.join(', ')}], [${items.join(', ')}]]::${cast}[]`;
    if (random.chance(0.08))
      return `('[5:${4 + items.length}]={' || array_to_string(ARRAY[${items.map(() => "'1'").join(', ')}], ',') || '}')::${cast}[]`;
    return `ARRAY[${items.join(', ')}]::${cast}[]`;
  };

const address: Draw = (random) => {
  const member = (draw: Draw): string => (random.chance(0.25) ? 'NULL' : draw(random));
  return `ROW(${member(oneOf(TEXTS))}, ${member(oneOf(INT4))}, ${member(oneOf(MOODS))})::address`;
};

const ITEM_COLUMNS: Readonly<Record<string, Draw>> = {
  flag: oneOf(['true', 'false']),
  small: oneOf(INT2),
  medium: oneOf(INT4),
  big: oneOf(INT8),
  ratio: oneOf(FLOAT8),
  approx: oneOf(FLOAT4),
  price: oneOf(PRICES),
  amount: oneOf(AMOUNTS),
  note: oneOf(TEXTS),
  code: oneOf(TEXTS),
  padded: oneOf(['a', 'abc', 'ab  ', '', 'ABC', 'é']),
  handle: oneOf(TEXTS),
  short: oneOf(TEXTS),
  label: oneOf(TEXTS),
  uid: oneOf(UUIDS),
  mood: oneOf(MOODS),
  at: oneOf([...INSTANTS, ...INSTANTS, ...WILD_INSTANTS]),
  local: oneOf([...INSTANTS, ...WILD_INSTANTS].map((text) => text.replace('Z', ''))),
  day: oneOf([...DATES, ...WILD_DATES]),
  span: oneOf(INTERVALS),
  raw: oneOf(BYTES),
  meta: oneOf(JSONS),
  doc: oneOf([...JSONS, ...WILD_JSONS]),
  tags: listOf(['a', 'b', 'abc', '', 'É', '1', '\u{1f600}'], 'text'),
  numbers: listOf(INT4, 'int4'),
  moods: (random) =>
    random.chance(0.2) ? `ARRAY[]::"Mood"[]` : `ARRAY[${oneOf(MOODS)(random)}, NULL]::"Mood"[]`,
  scores: listOf(['0', '1.5', 'NaN', '-Infinity', '3'], 'float8'),
  address,
  addresses: (random) => `ARRAY[${address(random)}, ${address(random)}]::address[]`,
  period: oneOf(RANGES),
  ip: oneOf(INTERNET),
  clock: oneOf(TIMES),
  'hostile "name"': oneOf(TEXTS),
};

function insert(table: string, values: Readonly<Record<string, string>>): string {
  const columns = Object.keys(values).map((name) => `"${name.replaceAll('"', '""')}"`);
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${Object.values(values).join(', ')});`;
}

/** `INSERT` statements for a world of `count` items with people and comments around them. */
export function randomRows(random: Random, count: number): string {
  const statements: string[] = [];
  const idOrNull = (limit: number): string => (random.chance(0.3) ? 'NULL' : String(1 + random.below(limit)));
  for (let id = 1; id <= 8; id += 1) {
    const age = random.chance(0.3) ? 'NULL' : quote(random.pick(INT4));
    statements.push(
      insert('people', { id: `${id}`, name: quote(random.pick(TEXTS)), age, boss_id: idOrNull(9) }),
    );
  }
  for (let id = 1; id <= count; id += 1) {
    const values: Record<string, string> = {
      id: `${id}`,
      active: random.pick(['true', 'false']),
      views: quote(random.pick(INT4)),
      title: quote(random.pick(TEXTS)),
      parent_id: idOrNull(count + 3),
      owner_id: idOrNull(10),
    };
    for (const [name, draw] of Object.entries(ITEM_COLUMNS)) {
      values[name] = random.chance(0.2) ? 'NULL' : draw(random);
    }
    statements.push(insert('items', values));
  }
  for (let id = 1; id <= count * 2; id += 1) {
    statements.push(
      insert('comments', {
        id: `${id}`,
        item_id: String(1 + random.below(count)),
        author_id: idOrNull(9),
        body: random.chance(0.2) ? 'NULL' : quote(random.pick(TEXTS)),
        approved: random.pick(['true', 'false', 'NULL']),
        score: random.chance(0.3) ? 'NULL' : quote(random.pick(INT4)),
      }),
    );
  }
  return statements.join('\n');
}
