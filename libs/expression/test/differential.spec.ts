import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pool, PoolClient } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../../test/kit/database.js';
import {
  bindParameter,
  checkExpression,
  compileExpression,
  evaluateExpression,
  ExpressionError,
  joinSql,
  liftLiterals,
  parseExpression,
  rawSql,
  renderSql,
  sql,
  type AuthValues,
  type CheckedExpression,
  type Literal,
  type Sql,
} from '../src/index.js';
import { readRecords, schemaStatements, SESSION, TestSchema, TestScope, type TestRow } from './fixture.js';
import { ExpressionWriter } from './random-expressions.js';
import { randomRows } from './random-rows.js';
import { Random } from '../../../test/kit/random.js';

const SEED = Number(process.env['PLINTH_EXPRESSION_SEED'] ?? Date.now() % 1_000_000);
const COUNT = Number(process.env['PLINTH_EXPRESSION_COUNT'] ?? 10_000);
const ROWS = 40;
const BATCH = 50;

const AUTH: AuthValues = {
  // Any text, to the engine; this one is also in the rows.
  kind: 'ok',
  id: 'abc',
  roles: ['a', 'editor', 'abc'],
  claims: {
    number: 10,
    fraction: 0.1,
    text: 'abc',
    uid: 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
    nothing: null,
    flag: true,
    at: '2024-02-29T12:34:56.789Z',
    list: ['abc', 5, null, 'ok', true, 1.5, '\u{1f600}'],
  },
};

interface Candidate {
  readonly text: string;
  readonly checked: CheckedExpression;
  readonly literals: readonly Literal[];
}

async function openSession(pool: Pool): Promise<PoolClient> {
  const client = await pool.connect();
  await client.query(SESSION);
  return client;
}

function compileCandidate({ checked }: Candidate, index: number, scope: TestScope): Sql {
  // In turn: with its literals lifted or as constants, two-valued or as a WHERE clause takes it.
  const literals = index % 2 === 0 ? { slot: String(index) } : undefined;
  const strict = index % 3 === 0;
  const predicate = compileExpression(checked, scope, { literals, strict });
  return strict ? predicate : sql`(${predicate}) IS TRUE`;
}

/** Truth of each candidate on each row, by the database. */
async function askDatabase(
  client: PoolClient,
  candidates: readonly Candidate[],
): Promise<(boolean | null)[][]> {
  const scope = TestScope.of('items');
  const columns = candidates.map(
    (candidate, index) => sql`(${compileCandidate(candidate, index, scope)}) AS ${rawSql(`p${index}`)}`,
  );
  const statement = renderSql(sql`SELECT ${joinSql(columns, ', ')} FROM ${scope.source()} ORDER BY t0.id`);
  const values = statement.parameters.map((parameter) =>
    bindParameter(parameter, {
      auth: AUTH,
      literals: (slot, index) => {
        const literal = candidates[Number(slot)]?.literals[index];
        if (literal === undefined) throw new Error(`no literal ${index} in slot ${slot}`);
        return literal;
      },
    }),
  );
  const { rows } = await client.query<(boolean | null)[]>({ text: statement.text, values, rowMode: 'array' });
  return candidates.map((_, column) => rows.map((row) => row[column] ?? null));
}

function writeCandidates(
  writer: ExpressionWriter,
  count: number,
): { candidates: Candidate[]; refused: string[] } {
  const candidates: Candidate[] = [];
  const refused: string[] = [];
  while (candidates.length < count) {
    const text = writer.write();
    try {
      const checked = checkExpression(parseExpression(text), { record: new TestSchema('items') });
      candidates.push({ text, checked, literals: liftLiterals(text).literals });
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw new Error(`${text} broke the checker`, { cause: error });
      refused.push(`${error.code}: ${error.message} ${text}`);
    }
  }
  return { candidates, refused };
}

describe(`random expressions, PLINTH_EXPRESSION_SEED=${SEED}`, () => {
  let database: TestDatabase;
  let client: PoolClient;
  let items: readonly TestRow[];
  let now: Date;

  beforeAll(async () => {
    const random = new Random(SEED);
    database = await createTestDatabase({ sql: schemaStatements() });
    client = await openSession(database.pool);
    await client.query(randomRows(random, ROWS));
    items = (await readInSession(database.pool))['items'] ?? [];
    // One transaction, so that now() is the same for every statement and for memory.
    await client.query('BEGIN');
    const { rows } = await client.query<{ now: Date }>("SELECT set_config('jit', 'off', false), now()");
    now = rows[0]?.now ?? new Date();
  });

  afterAll(async () => {
    client.release();
    await database.drop();
  });

  async function readInSession(pool: Pool): Promise<Record<string, readonly TestRow[]>> {
    const session = await openSession(pool);
    session.release();
    return readRecords(pool);
  }

  it(
    `says the same of ${COUNT} expressions in memory as PostgreSQL does`,
    { timeout: 3_600_000 },
    async () => {
      const writer = new ExpressionWriter(new Random(SEED + 1));
      const disagreements: string[] = [];
      const refusals: string[] = [];
      let truths = 0;
      for (let done = 0; done < COUNT && disagreements.length < 20; done += BATCH) {
        const { candidates, refused } = writeCandidates(writer, BATCH);
        refusals.push(...refused);
        const answers = await askInSavepoint(client, candidates, disagreements);
        candidates.forEach(({ text, checked }, index) => {
          items.forEach((record, row) => {
            const remembered = evaluateExpression(checked, { record, auth: AUTH, now });
            const answered = answers[index]?.[row];
            if (answered === true) truths += 1;
            if (answers.length > 0 && remembered !== answered) {
              disagreements.push(
                `${text}\n  row ${row + 1}: memory ${JSON.stringify(remembered)}, SQL ${String(answered)}`,
              );
            }
          });
        });
      }
      expect(disagreements.slice(0, 12)).toEqual([]);
      expect(refusals.length).toBeLessThan(COUNT / 10 + 50);
      // The expressions are worth something only if they are neither always true nor always false.
      expect(truths).toBeGreaterThan(COUNT * ROWS * 0.1);
      expect(truths).toBeLessThan(COUNT * ROWS * 0.9);
    },
  );

  it.each([
    '(timestamp("1970-01-01T00:00:00Z") - (timestamp("2024-02-29T12:34:56.789001Z") - timestamp("2024-02-29T12:34:56.789Z"))).getSeconds() == 59',
    // As far as a step may go: 500,000 days, and hours beside them.
    'timestamp("0001-01-01T00:00:00Z") + (timestamp("1369-12-15T23:00:00Z") - timestamp("0001-01-01T00:00:00Z")) == timestamp("1369-12-15T23:00:00Z")',
  ])('says in memory and in PostgreSQL that %s', async (text) => {
    const checked = checkExpression(parseExpression(text), { record: new TestSchema('items') });
    const candidate = { text, checked, literals: liftLiterals(text).literals };
    const [answers] = await askDatabase(client, [candidate]);
    expect(new Set(answers)).toEqual(new Set([true]));
    expect(evaluateExpression(checked, { record: items[0] ?? {}, auth: AUTH, now })).toBe(true);
  });

  /** Asks for a whole batch; where that raises an error, finds the expressions that do, one by one. */
  async function askInSavepoint(
    session: PoolClient,
    candidates: readonly Candidate[],
    failures: string[],
  ): Promise<(boolean | null)[][]> {
    await session.query('SAVEPOINT batch');
    try {
      return await askDatabase(session, candidates);
    } catch (error) {
      await session.query('ROLLBACK TO SAVEPOINT batch');
      if (candidates.length === 1) failures.push(`${candidates[0]?.text}\n  ${String(error)}`);
      else for (const candidate of candidates) await askInSavepoint(session, [candidate], failures);
      return [];
    }
  }
});
