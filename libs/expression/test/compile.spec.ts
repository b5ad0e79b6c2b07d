import type { PoolClient } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/kit/database.js';
import {
  bindParameter,
  checkExpression,
  compileExpression,
  explainExpression,
  liftLiterals,
  parseExpression,
  renderSql,
  sql,
  type CheckEnvironment,
  type CompileOptions,
} from '../src/index.js';
import { COLLECTIONS, MOOD, schemaStatements, SESSION, TestSchema, TestScope } from './fixture.js';

const AUTH = {
  id: 'abc',
  kind: 'user',
  roles: ['editor', 'a'],
  claims: { company: 7, list: [1, 'a', 2.5, null], text: 'x"y\\z' },
};

const ENVIRONMENT: CheckEnvironment = { record: new TestSchema('items'), old: new TestSchema('items') };

interface Compiled {
  readonly where: string;
  readonly values: readonly (string | null)[];
  readonly statement: string;
}

function compile(text: string, options: CompileOptions = {}, environment = ENVIRONMENT): Compiled {
  const scope = TestScope.of('items');
  const checked = checkExpression(parseExpression(text), environment);
  const where = compileExpression(checked, scope, { oldScope: scope, ...options });
  const { literals } = liftLiterals(text);
  const bind = (parameters: ReturnType<typeof renderSql>['parameters']): (string | null)[] =>
    parameters.map((parameter) =>
      bindParameter(parameter, {
        auth: AUTH,
        literals: (_slot, index) => {
          const literal = literals[index];
          if (literal === undefined) throw new RangeError(`no literal ${index}`);
          return literal;
        },
      }),
    );
  const predicate = renderSql(where);
  const whole = renderSql(sql`SELECT ${where} FROM ${scope.source()}`);
  return { where: predicate.text, values: bind(predicate.parameters), statement: whole.text };
}

const EXPRESSIONS: readonly string[] = [
  'views > 10',
  'views == 10 && title == "abc"',
  'medium == null || has(note)',
  'note == code',
  'owner_id == auth.claims.company',
  'note == auth.id',
  'auth.kind == "user" && note == auth.id',
  'auth.kind != "key" && code != auth.kind && mood == auth.kind',
  'auth.kind == null || auth.kind in ["user", "key"] || auth.kind in tags',
  'note != "a"',
  '!(medium < 5)',
  '!active || !(flag && views < 3)',
  'flag',
  'price == 9.99 && price > 10',
  'views > 2.5',
  'approx == 0.1',
  'ratio < price',
  'mood == "ok" || mood < "Happy days"',
  'uid == "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"',
  'handle == "Abc"',
  'padded == "abc"',
  'title < "b"',
  'title.startsWith("10%_\\\\") && note.contains("x") && code.endsWith(note)',
  'title.matches("(?i)^ab?[0-9]{2,3}$")',
  'title.lowerAscii() == "abc"',
  'views in [1, 2, 3]',
  'mood in ["ok", "sad"]',
  'note in [title, "x", null]',
  '"x" in tags',
  '5 in numbers',
  'title in auth.roles',
  'views in auth.claims.list',
  'at > now - duration("24h")',
  'day == timestamp("2024-02-29")',
  'at.getFullYear() == 2024',
  'at + span > local',
  'views + 1 > 10',
  'big * 2 > 10',
  'price * 2 >= 19.98',
  'ratio / 2.0 < 1.0',
  'meta.color == "red"',
  'meta.price > 10 && meta["size"].w == 1.5',
  'size(meta.tags) == 2 && "a" in meta.tags',
  'doc.color == "red"',
  'auth.claims.text == meta.color',
  'owner == null',
  'has(owner.boss) && owner.boss.name == "a"',
  'comments.exists(c, c.approved && c.author.name.startsWith("A"))',
  'comments.all(c, c.score > 1)',
  'comments.exists_one(c, c.author == null)',
  'size(comments) > 2 && size(comments.filter(c, c.approved)) == 1',
  'tags.all(t, t != "x")',
  'size(tags) == 2 && tags[0] == "a"',
  'addresses.exists(a, a.city == "x" && a.mood == "ok")',
  'address.city == "x" && address != null',
  '5 in numbers.map(n, n + 1)',
  'items.exists(i, i.comments.exists(c, c.body == title))',
  'old.views < views',
  'record["hostile \\"name\\""] == "x"',
  'period == "[1,5)" && ip == "127.0.0.1"',
  'active ? views > 1 : medium > 1',
  '(active ? title : note) == "x"',
  'raw == b"abc"',
  'tags == ["a", "b"]',
];

describe('compileExpression', () => {
  let database: TestDatabase;
  let client: PoolClient;

  beforeAll(async () => {
    database = await createTestDatabase({ sql: schemaStatements() });
    client = await database.pool.connect();
    await client.query(SESSION);
  });

  afterAll(async () => {
    client.release();
    await database.drop();
  });

  it.each(EXPRESSIONS)('compiles %s', async (text) => {
    const { where, values, statement } = compile(text);
    expect({ where, values }).toMatchSnapshot();
    await client.query(statement, [...values]);
  });

  it.each(EXPRESSIONS)('lifts the literals of %s into the same statement', (text) => {
    const lifted = compile(text, { literals: { slot: 'filter' } });
    expect(new Set(lifted.values)).toEqual(new Set(compile(text).values));
  });

  it('never pastes a value into the statement', () => {
    const hostile = `'; DROP TABLE items; --`;
    for (const text of [
      `title == "${hostile}"`,
      `meta["${hostile}"] == 1`,
      `title.matches("${hostile}")`,
      `mood == "${hostile}"`,
    ]) {
      expect(compile(text).statement).not.toContain('DROP');
    }
  });

  it('gives a two-valued predicate where it is asked for one', async () => {
    const { statement, values } = compile('medium < 5', { strict: true });
    await client.query(`INSERT INTO items (id, active, views, title) VALUES (1, true, 1, 'a')`);
    const { rows } = await client.query<Record<string, unknown>>(statement, [...values]);
    expect(Object.values(rows[0] ?? {})).toEqual([false]);
    await client.query('DELETE FROM items');
  });

  it.each([
    ['id == 7', 'items_pkey'],
    ['id in [7, 8]', 'items_pkey'],
    ['big < 7', 'by_big'],
    ['at > now - duration("24h")', 'by_at'],
    ['day == timestamp("2024-01-01")', 'by_day'],
    ['local >= timestamp("2024-01-01T00:00:00Z")', 'by_local'],
    ['mood == "ok"', 'by_mood'],
    ['uid == "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"', 'by_uid'],
    ['title.startsWith("abc")', 'by_title'],
    ['title < "abc"', 'by_title'],
    ['padded == "abc"', 'by_padded'],
    ['handle == "abc"', 'by_handle'],
    ['note == auth.id', 'by_note'],
    ['auth.kind == "user" && note == auth.id', 'by_note'],
    ['owner_id == auth.claims.company', 'by_owner'],
    ['price > 10', 'by_price'],
    ['approx == 0.1', 'by_approx'],
    ['"x" in tags', 'by_tags'],
    ['5 in numbers', 'by_numbers'],
  ])('lets an index serve %s', async (text, index) => {
    await client.query('BEGIN');
    await client.query(`
      CREATE INDEX by_big ON items (big); CREATE INDEX by_at ON items (at); CREATE INDEX by_day ON items (day);
      CREATE INDEX by_local ON items (local); CREATE INDEX by_mood ON items (mood); CREATE INDEX by_uid ON items (uid);
      CREATE INDEX by_title ON items (title COLLATE "C"); CREATE INDEX by_padded ON items (padded);
      CREATE INDEX by_handle ON items (handle); CREATE INDEX by_note ON items (note); CREATE INDEX by_owner ON items (owner_id);
      CREATE INDEX by_price ON items (price); CREATE INDEX by_approx ON items (approx);
      CREATE INDEX by_tags ON items USING gin (tags); CREATE INDEX by_numbers ON items USING gin (numbers);
      INSERT INTO items (id, active, views, title, tags, numbers) SELECT i, true, 1, i::text, '{}', '{}' FROM generate_series(1, 2000) i;
      ANALYZE items; SET LOCAL enable_seqscan = off`);
    const { where, values } = compile(text);
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN SELECT 1 FROM items t0 WHERE ${where}`,
      [...values],
    );
    await client.query('ROLLBACK');
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain(index);
    expect(plan).toContain('Index Cond');
  });

  it.each([
    ['auth.id', 'title', 'abc'],
    ['auth.kind', 'title', 'user'],
    ['auth.kind + ":" + auth.id', 'title', 'user:abc'],
    ['auth.claims.company', 'medium', '7'],
    ['"ok"', 'mood', 'ok'],
    ['timestamp("2024-02-29T10:00:00Z")', 'day', '2024-02-29'],
    ['views + 1', 'big', '2'],
    ['null', 'note', null],
    ['title + "!"', 'note', 'a!'],
    ['["a", "b"]', 'tags', '{a,b}'],
  ])('compiles the preset %s for %s', async (text, field, expected) => {
    const type = COLLECTIONS['items']?.fields[field]?.type;
    if (type === undefined) throw new Error(field);
    const { statement, values } = compile(text, {}, { ...ENVIRONMENT, expected: type });
    await client.query(`INSERT INTO items (id, active, views, title) VALUES (1, true, 1, 'a')`);
    const { rows } = await client.query<{ v: string | null }>(`SELECT (${statement})::text AS v`, [
      ...values,
    ]);
    expect(rows[0]?.v).toBe(expected);
    await client.query('DELETE FROM items');
  });

  it('refuses a preset that its column cannot take', () => {
    const refusal = (text: string, expected: CheckEnvironment['expected']): unknown => {
      try {
        checkExpression(parseExpression(text), { ...ENVIRONMENT, expected });
        return null;
      } catch (error) {
        return error;
      }
    };
    expect(refusal('"good"', MOOD)).toMatchObject({ code: 'type', position: { start: 0, end: 6 } });
    expect(refusal('5', MOOD)).toMatchObject({ code: 'type' });
  });

  it('tells the conditions within an expression, each of which compiles on its own', () => {
    const text = 'active && (views > 10 || !(title == "a")) && comments.exists(c, c.approved)';
    const parts = explainExpression(checkExpression(parseExpression(text), ENVIRONMENT));
    expect(parts.map((part) => part.text)).toEqual([
      text,
      'active',
      'views > 10 || !(title == "a")',
      'views > 10',
      '!(title == "a")',
      'title == "a"',
      'comments.exists(c, c.approved)',
    ]);
    for (const part of parts)
      expect(() => compileExpression(part.checked, TestScope.of('items'))).not.toThrow();
  });
});
