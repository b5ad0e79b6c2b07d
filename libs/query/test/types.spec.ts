import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVERYTHING, NOBODY, QueryFixture } from './fixture.js';
import { QueryError } from '../src/index.js';
import { isOrdered } from '../src/types.js';

/** Types with some of their values, the awkward ones among them. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  bool: ['true', 'false'],
  int2: ['-32768', '32767'],
  int8: ['-9223372036854775808', '9223372036854775807'],
  float4: ['1.1', 'NaN', '-Infinity', '1e-45'],
  float8: ['0.1', 'NaN', 'Infinity', '5e-324', '-0'],
  numeric: ['NaN', '0.1', '1e100', '123456789012345678901234567890.123456789'],
  'numeric(6,2)': ['1234.56', '-0.01'],
  money: ['12.34', '-1'],
  text: ['', ' ', 'ä', '🙂', 'z', 'Z', '\\', 'a\nb', `"'`],
  'varchar(3)': ['abc', 'ab', ''],
  'char(5)': ['ab', 'ab ', 'abcde'],
  name: ['abc', 'select'],
  '"char"': ['a', ''],
  bytea: ['\\x', '\\x00ff', '\\xdeadbeef'],
  date: ['2024-02-29', '0001-01-01 BC', 'infinity', '-infinity'],
  time: ['00:00', '24:00', '12:34:56.789012'],
  timetz: ['12:00+02', '12:00-05:30'],
  timestamp: ['2024-01-01 00:00:00.000001', 'infinity', '0044-03-15 BC'],
  timestamptz: ['2024-01-01 00:00:00.000001+00', '-infinity', '2024-06-01 12:00:00+05:45'],
  'timestamptz(0)': ['2024-01-01 00:00:00+00'],
  interval: ['1 year 2 mons 3 days 04:05:06.7', '-1 day', '30 days', '1 mon'],
  uuid: ['00000000-0000-0000-0000-000000000001', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  inet: ['10.0.0.1', '::1', '10.0.0.0/8'],
  cidr: ['10.0.0.0/8', '::/0'],
  macaddr: ['08:00:2b:01:02:03'],
  'bit(3)': ['101', '000'],
  varbit: ['1', '10101'],
  jsonb: ['{"a": [1, null]}', 'null', '"x"', '1.50'],
  json: ['{"b": 1, "a": 1}', '[1,\n2]'],
  oid: ['0', '4294967295'],
  tsvector: ['a:1 b:2', ''],
  point: ['(1,2)'],
  xml: ['<a/>'],
  'int4[]': ['{}', '{1,NULL,3}', '{{1,2},{3,4}}'],
  'text[]': ['{a,"b,c",NULL}', '{}'],
  'bytea[]': ['{"\\\\x00","\\\\xff",NULL}', '{}'],
  int4range: ['[1,5)', 'empty', '(,)'],
  tstzrange: ['["2024-01-01 00:00:00+00",)'],
  mood: ['sad', 'ok', 'happy'],
  positive: ['1', '7'],
  blob: ['\\x0102'],
  pair: ['(1,x)', '(,)', '(2,"a,b")'],
};
const NAMES = Object.keys(TYPES);
const column = (name: string): string => `f${NAMES.indexOf(name)}`;

let types: QueryFixture;
beforeAll(async () => {
  const quote = (value: string): string =>
    value.includes('\\')
      ? `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
      : `'${value.replaceAll("'", "''")}'`;
  const columns = NAMES.map((name) => `${column(name)} ${name}`).join(', ');
  const inserts = NAMES.map((name) => {
    const rows = (TYPES[name] ?? []).map((value) => `(${quote(value)})`).join(', ');
    return `INSERT INTO kinds (${column(name)}) VALUES ${rows}, (NULL);`;
  });
  types = await QueryFixture.open(`
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
    CREATE DOMAIN positive AS int CHECK (value > 0);
    CREATE DOMAIN blob AS bytea;
    CREATE TYPE pair AS (n int, t text);
    CREATE TABLE kinds (id serial PRIMARY KEY, ${columns});
    ${inserts.join('\n')}
    CREATE TABLE codes (code char(5) PRIMARY KEY, n int);
    INSERT INTO codes VALUES ('ab', 1), ('abcde', 2);
    CREATE TABLE nets (net inet PRIMARY KEY);
    INSERT INTO nets VALUES ('10.0.0.1'), ('10.0.0.0/8');
  `);
});
afterAll(() => types.close());

const typeOf = (name: string) => types.catalog.collections.get('kinds')?.fields.get(column(name))?.type;

const codeOf = (error: unknown): unknown => (error instanceof QueryError ? error.code : error);

describe('values of every type', () => {
  it.each(NAMES)('are answered as to_json gives them, bytea as base64: %s', async (name) => {
    const field = column(name);
    const { data } = await types.list('kinds', { fields: field, limit: '1000' });
    const expected = await types.sql<{ value: unknown }>(
      `SELECT to_json(${field}) AS value FROM kinds ORDER BY id`,
    );
    const isBytea = name.startsWith('bytea') || name === 'blob';
    const toBase64 = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map((element) => toBase64(element));
      return typeof value === 'string' ? Buffer.from(value.slice(2), 'hex').toString('base64') : value;
    };
    expect(data).toEqual(expected.map(({ value }) => ({ [field]: isBytea ? toBase64(value) : value })));
  });

  it.each(NAMES)('are sorted and paged by, or refused: %s', async (name) => {
    const type = typeOf(name);
    const field = column(name);
    for (const [sort, direction] of [
      [field, ''],
      [`-${field}`, ' DESC'],
    ] as const) {
      const found = await types.listAll('kinds', { sort, limit: '3', fields: 'id' }).catch(codeOf);
      const expected =
        type && isOrdered(type)
          ? await types.sql(`SELECT id FROM kinds ORDER BY ${field}${direction}, id${direction}`)
          : 'invalid-sort';
      expect(found).toEqual(expected);
    }
  });

  it.each(NAMES)('are grouped, counted and measured, or refused: %s', async (name) => {
    const type = typeOf(name);
    const field = column(name);
    const tries = [
      { groupBy: field },
      ...['count', 'countDistinct', 'min', 'max', 'sum', 'avg'].map((measure) => ({
        measures: `${measure}(${field})`,
      })),
      ...['year', 'week', 'day', 'minute'].map((unit) => ({ groupBy: `${field}:${unit}` })),
    ];
    const answers: unknown[] = [];
    for (const query of tries) answers.push(await types.aggregate('kinds', query).catch(codeOf));
    const refusals = answers.filter((answer) => !Array.isArray(answer));
    for (const refusal of refusals) expect(['invalid-measure', 'invalid-group']).toContain(refusal);
    expect(answers.length - refusals.length).toBeGreaterThanOrEqual(type && isOrdered(type) ? 3 : 1);
  });
});

describe('a key', () => {
  it('of fixed-width characters is found without its padding', async () => {
    expect(await types.record('codes', 'ab')).toEqual({ code: 'ab   ', n: 1 });
    expect(await types.record('codes', 'abcde')).toMatchObject({ n: 2 });
    expect(await types.record('codes', 'abcdefgh')).toBeNull();
  });

  it('of a type that is only text to us is found as it is answered', async () => {
    expect(await types.record('nets', encodeURIComponent('10.0.0.0/8'))).toEqual({ net: '10.0.0.0/8' });
    expect(await types.record('nets', 'nonsense')).toBeNull();
  });
});

it('tells the actor from the values of a request', () => {
  const context = { catalog: types.catalog, access: EVERYTHING, auth: NOBODY };
  const collection = types.catalog.collections.get('codes');
  if (!collection) throw new Error('no codes');
  expect(types.queries.record({ ...context, collection }, 'ab', []).values).toEqual(['ab']);
});
