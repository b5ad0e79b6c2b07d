import type { DataType } from '@plinth/schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/kit/database.js';
import {
  bindParameter,
  checkExpression,
  compileExpression,
  evaluateExpression,
  identifier,
  parseExpression,
  renderSql,
  sql,
  type RecordSchema,
  type SqlScope,
} from '../src/index.js';

const type: DataType = {
  kind: 'scalar',
  name: 'text',
  sql: 'text',
  castSql: 'text',
  isNondeterministic: true,
};
const plain: DataType = { kind: 'scalar', name: 'text', sql: 'text', castSql: 'text' };
const types: Readonly<Record<string, DataType>> = { id: plain, folded: type, german: plain };

const schema: RecordSchema = {
  name: 'words',
  field: (name) => (Object.hasOwn(types, name) ? { type: types[name] ?? plain, nullable: false } : undefined),
  relation: () => undefined,
  names: () => Object.keys(types),
};

const scope: SqlScope = {
  field: (name) => ({ sql: identifier(name), nullable: false, type: types[name] ?? plain }),
  one: () => scope,
  many: () => {
    throw new Error('there are no relations');
  },
};

const WORDS = ['abc', 'ABC', 'Ärger', 'arger', 'a-b', 'ab', ''];

describe('text of other collations', () => {
  let database: TestDatabase;
  let hasIcu = true;

  beforeAll(async () => {
    database = await createTestDatabase();
    try {
      await database.query(
        `CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level1', deterministic = false)`,
      );
      await database.query(`CREATE COLLATION german (provider = icu, locale = 'de')`);
    } catch {
      // A server without ICU has no collations of this sort.
      hasIcu = false;
      return;
    }
    await database.query(
      'CREATE TABLE words (id text, folded text COLLATE folding, german text COLLATE german)',
    );
    await database.query('INSERT INTO words SELECT w, w, w FROM unnest($1::text[]) w', [WORDS]);
  });

  afterAll(() => database.drop());

  it.each([
    'folded == "abc"',
    'folded != "abc"',
    '!(folded == "ABC")',
    'folded in ["abc", "ab"]',
    'folded == german',
    'folded != german',
    'german == id',
    'folded < "b"',
    'german < "b"',
    'german <= folded',
    'folded.startsWith("a")',
    'folded.contains("B")',
    'folded.endsWith(german)',
    'german.startsWith(folded)',
    'folded.matches("(?i)^a")',
    '(folded + german) == "abcabc"',
    'folded in [german, "x"]',
    'folded.lowerAscii() == "abc"',
    'size(folded) == 3',
    '(folded == "ab" ? folded : german) == "abc"',
  ])('are compared by their code points: %s', async (text) => {
    if (!hasIcu) return;
    const checked = checkExpression(parseExpression(text), { record: schema });
    const predicate = compileExpression(checked, scope, { strict: true });
    const statement = renderSql(sql`SELECT id, ${predicate} AS holds FROM words`);
    const auth = { kind: 'public', id: null, roles: [], claims: {} };
    const values = statement.parameters.map((parameter) =>
      bindParameter(parameter, {
        auth,
        literals: () => {
          throw new Error('nothing was lifted');
        },
      }),
    );
    const rows = await database.query<{ id: string; holds: boolean }>(statement.text, values);
    const expected = WORDS.map((word) => {
      const record = { id: word, folded: word, german: word };
      return { id: word, holds: evaluateExpression(checked, { record, auth, now: new Date() }) };
    });
    expect(rows).toEqual(expected);
  });
});
