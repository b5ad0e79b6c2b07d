import { isDeepStrictEqual } from 'node:util';
import {
  array,
  assert,
  asyncProperty,
  boolean,
  constantFrom,
  option,
  record,
  type Arbitrary,
} from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QueryContext } from '../src/index.js';
import { WriteError } from '../src/write/index.js';
import { body, data, WriteWorld, type RuleTexts } from './write-kit.js';

let world: WriteWorld;

const WIDE = Array.from({ length: 1600 }, (_, index) => `c${index}`);
const HOSTILE = [
  'a"b',
  'select',
  'x y',
  "it's",
  'ünï',
  'a.b',
  '$1',
  '\\',
  'r',
  't',
  'x',
  'o',
  'ordinal',
  'is_permitted',
  'n'.repeat(63),
];
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

beforeAll(async () => {
  world = await WriteWorld.open(`
    CREATE TABLE posts (
      id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      owner text,
      title text DEFAULT 'untitled',
      status text NOT NULL DEFAULT 'draft',
      views int
    );
    CREATE TABLE wide (id int PRIMARY KEY, ${WIDE.slice(1)
      .map((name) => `${name} ${name.endsWith('7') ? 'int DEFAULT 7' : 'bool'}`)
      .join(', ')});
    CREATE TYPE ${quoted('mo"od')} AS ENUM (${['x"', "y'", '$$'].map((label) => `'${label.replaceAll("'", "''")}'`).join(', ')});
    CREATE TABLE ${quoted('ta"ble .x')} (${quoted('k"ey')} text PRIMARY KEY, ${quoted('mood')} ${quoted('mo"od')}, ${HOSTILE.map((name) => `${quoted(name)} text DEFAULT 'd'`).join(', ')});
  `);
});

afterAll(() => world.database.drop());

const sent: Arbitrary<object> = record(
  {
    owner: option(constantFrom('ann', 'ben')),
    title: option(constantFrom('a', 'b')),
    status: constantFrom('draft', 'published'),
    views: option(constantFrom(0, 1, 2)),
  },
  { requiredKeys: [] },
);

const rule: Arbitrary<RuleTexts> = record(
  {
    fields: constantFrom(
      ['owner', 'title'],
      ['title', 'status'],
      ['owner', 'status', 'views'],
      ['views', 'title', 'owner'],
    ),
    check: constantFrom(
      'owner == auth.id',
      'status == "draft"',
      'views > 0',
      'title != null',
      'title == "a" || views == 1',
    ),
    presets: constantFrom<RuleTexts['presets']>(
      { owner: { expression: 'auth.id' } },
      { views: { value: 1 } },
      { status: { value: 'published' } },
    ),
  },
  { requiredKeys: [] },
);

/** What creating records came to: the rows, or that they were refused. */
async function attempt(context: QueryContext, value: object): Promise<unknown> {
  try {
    return data(
      await world.run(world.writes.create(context, body(value), [['fields', 'owner,title,status,views']])),
    );
  } catch (error) {
    if (error instanceof WriteError) return error.code;
    if (error instanceof Error && error.message === 'check-failed') return error.message;
    throw error;
  }
}

describe('a bulk write', () => {
  // REGRESSIONS 27: a bulk write skipped the row policy.
  it('does what the single writes would do, row by row', async () => {
    await assert(
      asyncProperty(
        array(sent, { minLength: 1, maxLength: 6 }),
        array(rule, { minLength: 1, maxLength: 3 }),
        boolean(),
        async (records, create, isMasked) => {
          const read = isMasked ? [{ fields: ['title', 'owner'] }, { condition: 'owner == auth.id' }] : [{}];
          const context = world.context(
            'posts',
            { posts: { read, create } },
            { kind: 'user', id: 'ann', roles: [], claims: {} },
          );
          const singles: unknown[] = [];
          for (const value of records)
            singles.push(await attempt(context, value).catch((error: Error) => error.message));
          const [before] = await world.rows('SELECT count(*)::int AS n FROM posts');
          const bulk = await attempt(context, records).catch((error: Error) => error.message);
          const [after] = await world.rows('SELECT count(*)::int AS n FROM posts');
          const refusals = singles.filter((single) => typeof single === 'string');
          const isSame =
            refusals.length === 0
              ? isDeepStrictEqual(bulk, singles)
              : refusals.some((refusal) => refusal === bulk);
          const isUntouched = refusals.length === 0 || isDeepStrictEqual(before, after);
          expect({ bulk, singles, isSame, isUntouched }).toMatchObject({ isSame: true, isUntouched: true });
        },
      ),
      { numRuns: 150 },
    );
  });

  it('writes tables of 1,600 columns', async () => {
    const values = Object.fromEntries(WIDE.slice(1).map((name) => [name, name.endsWith('7') ? 1 : true]));
    const context = world.context('wide');
    const many = await world.run(
      world.writes.create(context, body([{ id: 1, ...values }, { id: 2 }, { id: 3, c5: false }]), [
        ['fields', 'id,c5,c7'],
      ]),
    );
    expect(data(many)).toEqual([
      { id: 1, c5: true, c7: 1 },
      { id: 2, c5: null, c7: 7 },
      { id: 3, c5: false, c7: 7 },
    ]);
    const patched = await world.run(world.writes.patch(context, '2', body(values), []));
    expect(data(patched)).toEqual({ id: 2, ...values });
    const filtered = world.writes.patchMany(context, body({ c5: null }), [
      ['filter', 'c7 == 1'],
      ['fields', 'id'],
    ]);
    expect(data(await world.run(filtered))).toEqual([{ id: 1 }, { id: 2 }]);
    const replaced = await world.run(
      world.writes.replace(context, '1', body({ c5: true }), [['fields', 'c5,c6,c7']]),
    );
    expect(data(replaced)).toEqual({ c5: true, c6: null, c7: 7 });
    const upsert = world.writes.create(context, body([{ id: 1, c6: true }, { id: 9 }]), [
      ['upsertOn', 'id'],
      ['fields', 'id'],
    ]);
    expect(data(await world.run(upsert))).toEqual([{ id: 1 }, { id: 9 }]);
  });

  it('writes hostile names', async () => {
    const tables = [...world.catalog.collections.values()];
    const context = world.context(tables.find(({ table }) => table.startsWith('ta"'))?.name ?? '');
    const values = Object.fromEntries(HOSTILE.map((name) => [name, `${name}'"\\`]));
    const create = body([{ 'k"ey': `a"'`, mood: 'x"', ...values }, { 'k"ey': 'b' }]);
    expect(await world.run(world.writes.create(context, create, []))).toMatchObject({ written: 2 });
    const patched = await world.run(
      world.writes.patch(context, encodeURIComponent(`a"'`), body({ ...values, mood: '$$' }), []),
    );
    expect(data(patched)).toEqual({ 'k"ey': `a"'`, mood: '$$', ...values });
    const replaced = await world.run(world.writes.replace(context, 'b', body({ 'a"b': 'x' }), []));
    expect(data(replaced)).toMatchObject({ 'k"ey': 'b', mood: null, 'a"b': 'x', select: 'd', ordinal: 'd' });
    const upserted = world.writes.create(context, body([{ 'k"ey': 'b', ...values }, { 'k"ey': 'c' }]), [
      ['upsertOn', '"k""ey"'],
    ]);
    expect(await world.run(upserted)).toMatchObject({ written: 2, created: 1 });
    expect(
      await world.run(world.writes.deleteMany(context, [['filter', 'record["a\\"b"] != null']])),
    ).toMatchObject({ written: 3 });
  });
});
