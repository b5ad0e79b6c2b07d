import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { QueryFixture } from './fixture.js';
import { QueryError } from '../src/index.js';
import { printName } from '../src/parse/name-reader.js';

/** Names that try to be SQL, or that SQL or JavaScript holds dear. */
const NAMES = [
  'select',
  'user',
  'order',
  'p',
  'r',
  't0',
  'k0',
  'data',
  'a"b',
  "a'b",
  'a;drop table x',
  'weird, name',
  'a.b',
  'a(b)',
  '*',
  '-minus',
  ' lead',
  'ümläut',
  '日本語',
  '🙂',
  '$1',
  '\\',
  'a\nb',
  '__proto__',
  'constructor',
  'limit',
  'filter',
  'n'.repeat(63),
];
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

let hostile: QueryFixture;
beforeAll(async () => {
  const columns = NAMES.map((name) => `${quoted(name)} int`).join(', ');
  hostile = await QueryFixture.open(`
    CREATE TABLE hostile (id int PRIMARY KEY, ${columns});
    INSERT INTO hostile SELECT i, ${NAMES.map((_, index) => `i * ${index + 1}`).join(', ')} FROM generate_series(1, 5) i;
    CREATE TABLE "weird, "" table" ("the ""key""" text PRIMARY KEY, "par.ent" text REFERENCES "weird, "" table", r int, p int);
    INSERT INTO "weird, "" table" VALUES ('a,b', NULL, 1, 2), ('c"''', 'a,b', 3, 4);
    CREATE TABLE r (r int PRIMARY KEY, p int REFERENCES r);
    INSERT INTO r VALUES (1, NULL), (2, 1), (3, 1);
    CREATE TABLE wide (id int PRIMARY KEY, ${Array.from({ length: 1599 }, (_, index) => `c${index} int`).join(', ')}, FOREIGN KEY (c9) REFERENCES wide);
    INSERT INTO wide (id, c0, c1598) VALUES (1, 2, 3), (2, NULL, NULL);
    CREATE TABLE keys (a int, b text, c timestamptz, d int4range, PRIMARY KEY (a, b, c, d));
    INSERT INTO keys VALUES (1, 'x/y,z', '2024-01-01T00:00:00Z', '[1,5)');
    CREATE TABLE uuids (id uuid PRIMARY KEY, n numeric, e float8);
    INSERT INTO uuids VALUES ('00000000-0000-0000-0000-000000000001', 1, 2);
  `);
});
afterAll(() => hostile.close());

describe('hostile names', () => {
  it.each(NAMES)('%j is read, sorted by, grouped by and summed as a column', async (name) => {
    const text = printName(name);
    const value = NAMES.indexOf(name) + 1;
    const page = await hostile.list('hostile', { fields: `id,${text}`, sort: `-${text}`, limit: '2' });
    expect(page.data.map((row) => Object.entries(row ?? {}))).toEqual([
      [
        ['id', 5],
        [name, 5 * value],
      ],
      [
        ['id', 4],
        [name, 4 * value],
      ],
    ]);
    const rest = await hostile.list('hostile', {
      fields: text,
      sort: `-${text}`,
      limit: '2',
      cursor: page.next ?? '',
    });
    expect(rest.data).toHaveLength(2);
    if (Buffer.byteLength(name) > 59) return;
    const [row] = await hostile.aggregate('hostile', { measures: `sum(${text})` });
    expect(Object.entries(row ?? {})).toEqual([[`sum_${name}`, 15 * value]]);
    expect(await hostile.aggregate('hostile', { groupBy: text, limit: '1' })).toHaveLength(1);
  });

  it.each(NAMES)('%j is filtered by as a column', async (name) => {
    const value = NAMES.indexOf(name) + 1;
    const filter = `record[${JSON.stringify(name)}] == ${3 * value}`;
    const { data } = await hostile.list('hostile', { fields: 'id', filter });
    expect(data).toEqual([{ id: 3 }]);
  });

  it('are all in one record', async () => {
    const record = await hostile.record('hostile', '1');
    expect(new Map(Object.entries(record ?? {})).size).toBe(NAMES.length + 1);
  });

  it('stand for tables, keys and relations too', async () => {
    const collection = 'weird, " table';
    const relations = [...(hostile.catalog.collections.get(collection)?.relations.values() ?? [])];
    const one = relations.find((relation) => !relation.isList)?.name ?? '';
    const many = relations.find((relation) => relation.isList)?.name ?? '';
    const fields = `r,p,${printName(one)}(r,p),${printName(many)}(r,p)`;
    expect(await hostile.record(collection, 'c%22%27', { fields })).toEqual({
      r: 3,
      p: 4,
      [one]: { r: 1, p: 2 },
      [many]: [],
    });
    expect(await hostile.record(collection, 'a%2Cb', { fields: '*' })).toMatchObject({ 'the "key"': 'a,b' });
  });

  it('do not clash with the aliases of the statement', async () => {
    const relations = [...(hostile.catalog.collections.get('r')?.relations.values() ?? [])];
    const many = relations.find((relation) => relation.isList)?.name ?? '';
    const { data } = await hostile.list('r', { fields: `*,${many}(*)`, limit: '1' });
    expect(data).toEqual([
      {
        p: null,
        [many]: [
          { r: 2, p: 1 },
          { r: 3, p: 1 },
        ],
        r: 1,
      },
    ]);
  });
});

describe('a table with 1,600 columns', () => {
  it('is read, sorted by any of them and searched through', async () => {
    const { data } = await hostile.list('wide', { sort: 'c5,c1598' });
    expect(Object.keys(data[0] ?? {})).toHaveLength(1600);
    expect(data[0]).toMatchObject({ id: 1, c0: 2, c1: null, c1598: 3 });
    const query = { fields: '*,wide(*)', sort: '-c7', filter: 'c0 == 2', count: 'exact' };
    expect(await hostile.list('wide', query)).toMatchObject({
      data: [{ id: 1, wide: [] }],
      total: 1,
    });
  });

  it('is paged through by a list of keys', async () => {
    const sort = 'c1,c2,c3,c4,c5,c6,c7';
    expect(await hostile.listAll('wide', { sort, limit: '1' })).toHaveLength(2);
  });
});

describe('a key', () => {
  it('of several types is found', async () => {
    const key = `1,${encodeURIComponent('x/y,z')},2024-01-01T00:00:00Z,${encodeURIComponent('[1,5)')}`;
    expect(await hostile.record('keys', key, { fields: 'a' })).toEqual({ a: 1 });
    expect(await hostile.record('uuids', '00000000-0000-0000-0000-000000000001', { fields: 'n' })).toEqual({
      n: 1,
    });
  });

  it.each([
    ['hostile', 'x'],
    ['hostile', ''],
    ['hostile', '1,2'],
    ['hostile', '1.0'],
    ['hostile', '99999999999'],
    ['hostile', '-2147483649'],
    ['hostile', '1%00'],
    ['hostile', '%'],
    ['hostile', '%ff'],
    ['hostile', ' 1'],
    ['hostile', '0x1'],
    ['hostile', "1' or '1'='1"],
    ['keys', '1'],
    ['keys', '1,x,yesterday,[1,5)'],
    ['keys', '1,x,2024-02-30T00:00:00Z,empty'],
    ['keys', '1,x,2024-01-01T25:00:00Z,empty'],
    ['keys', '1,x,2024-01-01T00:00:00Z,[1,5),'],
    ['uuids', '1'],
    ['uuids', '{00000000-0000-0000-0000-000000000001}'],
  ])('of %s is refused when it is %j', async (collection, key) => {
    await expect(hostile.record(collection, key)).rejects.toMatchObject({ code: 'invalid-key' });
  });

  it.each(['garbage', '[5,1)', 'x'.repeat(1000)])(
    'of a type that is only text to us matches nothing: %j',
    async (range) => {
      expect(
        await hostile.record('keys', `1,x,2024-01-01T00:00:00Z,${encodeURIComponent(range)}`),
      ).toBeNull();
    },
  );
});

describe('numbers', () => {
  it.each(['0', '-1', '1e9', 'x', '', '1.5', '1001', '٣', ' 1', '+1', '0x10', '9'.repeat(400)])(
    'refuses the limit %j',
    async (limit) => {
      await expect(hostile.list('r', { limit })).rejects.toMatchObject({ code: 'invalid-limit' });
      await expect(hostile.list('r', { fields: 'r_by_p(r)', 'r_by_p.limit': limit })).rejects.toBeInstanceOf(
        QueryError,
      );
    },
  );

  it.each(['-1', '1e9', 'x', '', '100001'])('refuses the offset %j', async (offset) => {
    await expect(hostile.list('r', { offset })).rejects.toMatchObject({ code: 'invalid-offset' });
  });

  it('refuses a search of more than 1,000 characters', async () => {
    const search = 'x'.repeat(1001);
    await expect(hostile.list('r', { search })).rejects.toMatchObject({ code: 'invalid-search' });
    await expect(hostile.aggregate('r', { search })).rejects.toMatchObject({ code: 'invalid-search' });
  });

  it('refuses cursor and offset together', async () => {
    await expect(hostile.list('r', { offset: '1', cursor: 'x' })).rejects.toMatchObject({
      code: 'conflicting-parameters',
    });
  });
});

describe('cost', () => {
  const relations = (): { one: string; many: string } => {
    const found = [...(hostile.catalog.collections.get('r')?.relations.values() ?? [])];
    return {
      one: found.find(({ isList }) => !isList)?.name ?? '',
      many: found.find(({ isList }) => isList)?.name ?? '',
    };
  };

  it('is bounded by the product of the limits', async () => {
    const { many } = relations();
    const nest = (depth: number): string => (depth === 0 ? 'r' : `${many}(${nest(depth - 1)})`);
    await expect(hostile.list('r', { fields: nest(3) })).rejects.toMatchObject({ code: 'query-too-complex' });
    await expect(hostile.list('r', { fields: nest(2) })).resolves.toBeDefined();
    await expect(hostile.list('r', { fields: nest(3), limit: '7' })).resolves.toBeDefined();
    await expect(
      hostile.list('r', { fields: nest(3), limit: '7', [`${many}.limit`]: '951' }),
    ).rejects.toMatchObject({ code: 'query-too-complex' });
  });

  it('is bounded by depth', async () => {
    const { one } = relations();
    const nest = (depth: number): string => (depth === 0 ? 'r' : `${one}(${nest(depth - 1)})`);
    await expect(hostile.list('r', { fields: nest(5) })).resolves.toBeDefined();
    await expect(hostile.list('r', { fields: nest(6) })).rejects.toMatchObject({ code: 'query-too-complex' });
    await expect(hostile.list('r', { sort: `${`${one}.`.repeat(6)}r` })).rejects.toMatchObject({
      code: 'query-too-complex',
    });
  });

  it('is one statement, however many relations are embedded', () => {
    const { one, many } = relations();
    const query = { fields: `r,${one}(${many}(r)),${many}(${one}(r))` };
    const { statement } = hostile.queries.list(hostile.context('r'), Object.entries(query));
    expect(statement.text).not.toContain(';');
    expect(statement.text.match(/FROM "public"\."r"/g)).toHaveLength(5);
  });

  it('refuses the same relation twice', async () => {
    const { many } = relations();
    await expect(hostile.list('r', { fields: `${many}(r),${many}(p)` })).rejects.toMatchObject({
      code: 'invalid-fields',
    });
    await expect(hostile.list('r', { fields: 'r,r' })).rejects.toMatchObject({ code: 'invalid-fields' });
  });
});

describe('a filter that is too long', () => {
  it('is refused also where a short one of its shape was asked before', async () => {
    const filter = (length: number): Record<string, string> => ({
      filter: `id > 0 && "${'x'.repeat(length)}" != ""`,
    });
    await hostile.list('hostile', filter(10));
    await expect(hostile.list('hostile', filter(16_384))).rejects.toMatchObject({
      code: 'query-too-complex',
      detail: { parameter: 'filter' },
    });
  });
});
