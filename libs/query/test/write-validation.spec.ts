import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseJsonBody, WriteError, type FieldProblem } from '../src/write/index.js';
import { body, data, WriteWorld, type AccessTexts } from './write-kit.js';

let world: WriteWorld;

beforeAll(async () => {
  world = await WriteWorld.open(String.raw`
    CREATE TYPE mood AS ENUM ('happy', 'sad');
    CREATE DOMAIN code AS varchar(3) NOT NULL;
    CREATE DOMAIN codes AS code[];
    CREATE TYPE place AS (city text, at timestamptz, pin bytea);
    CREATE TABLE types (
      id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric, n52 numeric(5,2),
      b bool, t text, v5 varchar(5), c3 char(3), ch "char", nm name, u uuid, m mood, d date, ti time, tz timetz,
      ts timestamp, tstz timestamptz, iv interval, by bytea, bya bytea[], j json, jb jsonb, ia int[], ma mood[], dom code, doma codes,
      p place, pa place[], r int4range, mr int4multirange, net inet, ci cidr, mac macaddr, mac8 macaddr8,
      bit4 bit(4), vbit varbit(4), x xml, pt point, ts3 timestamptz(3), mo money, sv tsvector
    );
    DO $$ BEGIN
      IF current_setting('server_version_num')::int >= 150000 THEN
        ALTER TABLE types ADD COLUMN nneg numeric(3,-2);
      END IF;
    END $$;
    CREATE TABLE needs (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, name text NOT NULL, made timestamptz NOT NULL DEFAULT now(),
      doubled int GENERATED ALWAYS AS (1 + 1) STORED, note text, "__proto__" text, "weird ""/~ näme" text);
    CREATE VIEW names AS SELECT id, name, upper(name) AS shout FROM needs;
  `);
});

afterAll(() => world.database.drop());

const problems = (run: () => unknown): readonly FieldProblem[] => {
  try {
    run();
  } catch (error) {
    if (error instanceof WriteError) return error.errors;
    throw error;
  }
  return [];
};

const short = (list: readonly FieldProblem[]): string[][] => list.map(({ pointer, code }) => [pointer, code]);

/** What is refused of `{"field": <json>}`. */
const refused = (field: string, json: string): string[][] =>
  short(
    problems(() =>
      world.writes.create(world.context('types'), parseJsonBody(`{"dom":"x","${field}":${json}}`), []),
    ),
  );

/** Whether this server is too old for the column of a negative scale. */
const isMissing = (field: string): boolean =>
  field === 'nneg' && !world.collection('types').fields.has('nneg');

const GOOD: readonly [field: string, sent: string, answered?: string][] = [
  ['i2', '-32768'],
  ['i4', '2147483647'],
  ['i4', '1.0', '1'],
  ['i4', '1e3', '1000'],
  ['i4', '-0', '0'],
  ['i4', '0.0e5', '0'],
  ['i8', '9223372036854775807'],
  ['i8', '-9223372036854775808'],
  ['i8', '9007199254740993'],
  ['f4', '3.4e38', '3.4e+38'],
  ['f8', '1.7976931348623157e308', '1.7976931348623157e+308'],
  ['f8', '"NaN"'],
  ['f8', '"-Infinity"'],
  ['f8', '5e-324'],
  ['n', '12345678901234567890.123456789012345678901234567890'],
  ['n', '"NaN"'],
  ['n', '"Infinity"'],
  ['n', '1e30', '1000000000000000000000000000000'],
  ['n52', '999.99'],
  ['n52', '1.230', '1.23'],
  ['n52', '-0.010e1', '-0.10'],
  ['nneg', '99900'],
  ['b', 'true'],
  ['t', '""'],
  ['t', String.raw`"\ud83d\ude00é\n\\"`, '"😀é\\n\\\\"'],
  ['v5', '"12345"'],
  ['v5', '"😀😀😀😀😀"'],
  ['c3', '"a"', '"a  "'],
  ['ch', '"x"'],
  ['nm', '"name"'],
  ['u', '"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"', '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"'],
  ['m', '"sad"'],
  ['d', '"2024-02-29"'],
  ['d', '"infinity"'],
  ['d', '"0044-03-15 BC"'],
  ['d', '"12000-01-01"'],
  ['ti', '"23:59:59.999999"'],
  ['ti', '"24:00:00"'],
  ['ti', '"07:05"', '"07:05:00"'],
  ['tz', '"12:00:00+02:00"', '"12:00:00+02"'],
  ['ts', '"2026-03-01T12:30:00"'],
  ['ts', '"2026-03-01T12:30:00Z"', '"2026-03-01T12:30:00"'],
  ['ts', '"2026-03-01T00:30:00.123456+02:00"', '"2026-02-28T22:30:00.123456"'],
  ['ts', '"2024-12-31T23:30:00-00:45"', '"2025-01-01T00:15:00"'],
  ['tstz', '"2026-03-01T12:30:00+02:00"', '"2026-03-01T10:30:00+00:00"'],
  ['tstz', '"2026-03-01 12:30:00.5Z"', '"2026-03-01T12:30:00.5+00:00"'],
  ['tstz', '"-infinity"'],
  ['tstz', '"2016-12-31T23:59:60Z"', '"2017-01-01T00:00:00+00:00"'],
  ['tstz', '"2000-01-01T00:00:00+0530"', '"1999-12-31T18:30:00+00:00"'],
  ['iv', '"P1Y2M3DT4H5M6.7S"'],
  ['iv', '"PT0S"'],
  ['iv', '"P-1DT-2H"'],
  ['iv', '"P2W"', '"P14D"'],
  ['by', '""'],
  ['by', '"AP8="'],
  ['bya', '["AP8=",null,""]'],
  ['j', '{"a":[1,2.50,null]}'],
  ['j', '"x"'],
  ['jb', '{"constructor": 1}'],
  ['jb', '[]'],
  ['jb', '1e300', `1${'0'.repeat(300)}`],
  ['ia', '[]'],
  ['ia', '[1,null,3]'],
  ['ia', '[[1,2],[3,4]]'],
  ['ia', '[1.0]', '[1]'],
  ['ma', '["happy","sad"]'],
  ['dom', '"abc"'],
  ['doma', '["abc"]'],
  [
    'p',
    '{"city":"x","at":"2026-01-01T00:00:00Z","pin":"\\\\x00ff"}',
    '{"city":"x","at":"2026-01-01T00:00:00+00:00","pin":"\\\\x00ff"}',
  ],
  ['p', '{}', '{"city":null,"at":null,"pin":null}'],
  ['pa', '[{"city":"x"},null]', '[{"city":"x","at":null,"pin":null},null]'],
  ['r', '"[1,5)"'],
  ['r', '"empty"'],
  ['mr', '"{[1,3),[5,7)}"'],
  ['net', '"10.0.0.1/8"'],
  ['net', '"::1"'],
  ['ci', '"10.0.0.0/8"'],
  ['mac', '"08:00:2b:01:02:03"'],
  ['mac8', '"08:00:2b:01:02:03:04:05"'],
  ['bit4', '"1010"'],
  ['vbit', '"1"'],
  ['vbit', '""'],
  ['x', '"<a/>"'],
  ['pt', '"(1,2)"'],
  ['ts3', '"2026-01-01T00:00:00.1234Z"', '"2026-01-01T00:00:00.123+00:00"'],
  ['mo', '"$1.00"'],
  ['sv', `"'a' 'b'"`],
];

const BAD: readonly [field: string, sent: string, code: string, place?: string][] = [
  ['i2', '32768', 'out-of-range'],
  ['i2', '"1"', 'type'],
  ['i4', '1.5', 'type'],
  ['i4', '2147483648', 'out-of-range'],
  ['i4', '1e99999', 'out-of-range'],
  ['i4', 'true', 'type'],
  ['i4', '[1]', 'type'],
  ['i8', '9223372036854775808', 'out-of-range'],
  ['i8', '-9223372036854775809', 'out-of-range'],
  ['i8', '1e19', 'out-of-range'],
  ['f4', '3.5e38', 'out-of-range'],
  ['f4', '1e-50', 'out-of-range'],
  ['f8', '1e309', 'out-of-range'],
  ['f8', '1e-400', 'out-of-range'],
  ['f8', '"1"', 'type'],
  ['n', '1e200000', 'out-of-range'],
  ['n', '1e-20000', 'out-of-range'],
  ['n52', '1000', 'out-of-range'],
  ['n52', '1.234', 'out-of-range'],
  ['n52', '"Infinity"', 'out-of-range'],
  ['n52', '1e-3', 'out-of-range'],
  ['nneg', '150', 'out-of-range'],
  ['nneg', '100000', 'out-of-range'],
  ['b', '"true"', 'type'],
  ['b', '1', 'type'],
  ['t', '1', 'type'],
  ['t', '{}', 'type'],
  ['v5', '"123456"', 'too-long'],
  ['v5', '"12345 "', 'too-long'],
  ['c3', '"abcd"', 'too-long'],
  ['ch', '"é"', 'too-long'],
  ['nm', `"${'x'.repeat(64)}"`, 'too-long'],
  ['u', '"x"', 'format'],
  ['m', '"hapy"', 'enum'],
  ['d', '"2023-02-29"', 'format'],
  ['d', '"2024-1-1"', 'format'],
  ['d', '"0000-01-01"', 'format'],
  ['d', '"today"', 'format'],
  ['d', '"2024-01-01T00:00:00Z"', 'format'],
  ['ti', '"25:00"', 'format'],
  ['ti', '"24:00:01"', 'format'],
  ['tz', '"12:00:00"', 'format'],
  ['ts', '"now"', 'format'],
  ['ts', '"2026-13-01T00:00:00"', 'format'],
  ['tstz', '"2026-03-01T12:30:00"', 'format'],
  ['tstz', '"2026-03-01"', 'format'],
  ['tstz', '"2026-03-01T12:30:00+16:00"', 'format'],
  ['tstz', '1740000000', 'type'],
  ['iv', '"1 day"', 'format'],
  ['iv', '"P"', 'format'],
  ['iv', '"PT"', 'format'],
  ['iv', '"P1DT"', 'format'],
  ['by', '"x"', 'format'],
  ['by', '"A\\nP8="', 'format'],
  ['by', '"AP_="', 'format'],
  ['bya', '[["AP8="]]', 'type', '/bya/0'],
  ['jb', '{"a":{"__proto__":1}}', 'forbidden-key', '/jb/a/__proto__'],
  ['jb', '1e200000', 'out-of-range'],
  ['ia', '1', 'type'],
  ['ia', '[1,"x"]', 'type', '/ia/1'],
  ['ia', '[[1],[2,3]]', 'type', '/ia/1'],
  ['ia', '[1,[2]]', 'type', '/ia/1'],
  ['ia', '[[]]', 'type', '/ia/0'],
  ['ia', '[[[[[[[1]]]]]]]', 'type', '/ia/0/0/0/0/0/0'],
  ['ma', '["happy","glad"]', 'enum', '/ma/1'],
  ['doma', '[null]', 'not-null', '/doma/0'],
  ['doma', '["abcd"]', 'too-long', '/doma/0'],
  ['p', '{"town":"x"}', 'unknown-field', '/p/town'],
  ['p', '{"at":"x"}', 'format', '/p/at'],
  ['p', '"x"', 'type'],
  ['p', '{"__proto__":{}}', 'unknown-field', '/p/__proto__'],
  ['pa', '[{"city":1}]', 'type', '/pa/0/city'],
  ['r', '"1-5"', 'format'],
  ['mr', '"[1,2)"', 'format'],
  ['net', '"10.0.0.256"', 'format'],
  ['net', '"10.0.0.1/33"', 'format'],
  ['mac', '"08:00"', 'format'],
  ['bit4', '"101"', 'too-short'],
  ['bit4', '"10101"', 'too-long'],
  ['vbit', '"2"', 'format'],
  ['id', '1', 'read-only'],
];

describe('validating values', () => {
  it.for(GOOD)('takes %s = %s', async ([field, sent, answered], { skip }) => {
    skip(isMissing(field), 'PostgreSQL has negative scales since 15');
    const text = `{"dom":"x","${field}":${sent}}`.replace('"dom":"x","dom"', '"dom"');
    const query = world.writes.create(world.context('types'), parseJsonBody(text), [['fields', field]]);
    const result = await world.run(query);
    // Compared as text, so that no number is rounded on the way.
    expect(result.data).toBe(`{"${field}":${answered ?? sent}}`);
  });

  it.for(BAD)('refuses %s = %s as %s', ([field, sent, code, place], { skip }) => {
    skip(isMissing(field), 'PostgreSQL has negative scales since 15');
    expect(refused(field, sent)).toEqual([[place ?? `/${field}`, code]]);
  });

  it('suggests a near label of an enum', () => {
    const [problem] = problems(() =>
      world.writes.create(world.context('types'), body({ dom: 'x', m: 'hapy' }), []),
    );
    expect(problem?.message).toContain('did you mean "happy"');
  });
});

describe('validating records', () => {
  const needs = (value: unknown, rules?: AccessTexts): string[][] =>
    short(
      problems(() => world.writes.create(world.context('needs', rules && { needs: rules }), body(value), [])),
    );

  it('demands what has no default', () => {
    expect(needs({})).toEqual([['/name', 'required']]);
    expect(needs([{ name: 'x' }, {}, { name: null }])).toEqual([
      ['/1/name', 'required'],
      ['/2/name', 'not-null'],
    ]);
    expect(needs({}, { create: [{ fields: ['name', 'note'], presets: { name: { value: 'x' } } }] })).toEqual(
      [],
    );
  });

  it('gives one answer for what does not exist and what may not be written', () => {
    const rules = { read: [{}], create: [{ fields: ['name', 'note', 'doubled'] }] };
    const found = problems(() =>
      world.writes.create(
        world.context('needs', { needs: rules }),
        body({ name: 'x', made: 'x', nothing: 1, nam: 1 }),
        [],
      ),
    );
    expect(found).toEqual([
      { pointer: '/made', code: 'unknown-field', message: 'is not a field that can be set' },
      { pointer: '/nothing', code: 'unknown-field', message: 'is not a field that can be set' },
      {
        pointer: '/nam',
        code: 'unknown-field',
        message: 'is not a field that can be set; did you mean "name"?',
      },
    ]);
    expect(needs({ name: 'x', doubled: 1 }, rules)).toEqual([['/doubled', 'read-only']]);
  });

  // REGRESSIONS 10: mass assignment.
  it('refuses every column that the database sets', () => {
    expect(needs({ name: 'x', id: 1, doubled: 1 })).toEqual([
      ['/id', 'read-only'],
      ['/doubled', 'read-only'],
    ]);
    const view = world.context('names');
    expect(short(problems(() => world.writes.create(view, body({ name: 'x', shout: 'X' }), [])))).toEqual([
      ['/shout', 'read-only'],
    ]);
  });

  // REGRESSIONS 9 and 10: names that reach for a prototype or for the system.
  it('knows no system columns', () => {
    const system = {
      ctid: 1,
      xmin: 1,
      oid: 1,
      tableoid: 1,
      constructor: 1,
      toString: 1,
      prototype: 1,
      hasOwnProperty: 1,
    };
    expect(needs({ name: 'x', ...system })).toEqual(
      Object.keys(system).map((name) => [`/${name}`, 'unknown-field']),
    );
    const text = parseJsonBody('{"name": "x", "__proto__": {"note": "polluted"}}');
    expect(
      short(problems(() => world.writes.create(world.context('types'), text, []))).map(([at]) => at),
    ).toContain('/__proto__');
  });

  it('takes hostile names when they are real fields', async () => {
    const text = String.raw`{"name": "x", "__proto__": "a", "weird \"/~ näme": "b"}`;
    const result = await world.run(world.writes.create(world.context('needs'), parseJsonBody(text), []));
    expect(result.data).toContain('"__proto__":"a"');
    expect(result.data).toContain(String.raw`"weird \"/~ näme":"b"`);
    expect(needs({ name: 'x', 'weird "/~ näme': 1 })).toEqual([[`/weird "~1~0 näme`, 'type']]);
  });

  it('takes only records', () => {
    for (const value of [1, 'x', null, []]) {
      expect(() => world.writes.create(world.context('needs'), body(value), [])).toThrow(
        expect.objectContaining({ code: 'invalid-body' }),
      );
    }
    expect(needs([{ name: 'x' }, 1, [{}]])).toEqual([
      ['/1', 'type'],
      ['/2', 'type'],
    ]);
    const context = world.context('needs');
    expect(() => world.writes.patch(context, '1', body([{ name: 'x' }]), [])).toThrow(/object, not an array/);
  });

  it('collects every fault, and stops at a hundred', () => {
    expect(needs([{ name: 1 }, { note: 2 }])).toEqual([
      ['/0/name', 'type'],
      ['/1/note', 'type'],
      ['/1/name', 'required'],
    ]);
    expect(needs(Array.from({ length: 500 }, () => ({})))).toHaveLength(100);
    const records: object[] = Array.from({ length: 1000 }, () => ({ name: 'x' }));
    records[731] = { name: 731 };
    expect(needs(records)).toEqual([['/731/name', 'type']]);
  });

  it('creates records of nothing but defaults', async () => {
    await world.database.query(
      `CREATE TABLE empties (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at int DEFAULT 3)`,
    );
    await world.refresh();
    const one = await world.run(world.writes.create(world.context('empties'), body({}), []));
    expect(data(one)).toEqual({ id: 1, at: 3 });
    const many = await world.run(
      world.writes.create(world.context('empties'), body([{}, { at: null }, {}]), []),
    );
    expect(many.written).toBe(3);
    expect(JSON.parse(many.data ?? '').map(({ at }: { at: number | null }) => at)).toEqual([3, null, 3]);
  });
});
