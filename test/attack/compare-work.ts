import type { TestDatabase } from '../kit/database.js';
import type { SeenStatement } from '../kit/statement-counter.js';

interface PlanNode {
  readonly [property: string]: unknown;
  readonly Plans?: readonly PlanNode[];
}

/** What a step of a plan did; how long it took is left to the clock. */
const WORK = [
  'Node Type',
  'Actual Rows',
  'Actual Loops',
  'Rows Removed by Filter',
  'Rows Removed by Join Filter',
];

/**
 * What a statement makes PostgreSQL do on a database: every step of its plan, with how many rows came out of it, how
 * often it ran and how many rows it threw away. The statement is run once more for that, and rolled back.
 */
export async function readWork(database: TestDatabase, statement: SeenStatement): Promise<string> {
  const client = await database.pool.connect();
  try {
    await client.query(
      "BEGIN; SET LOCAL jit = off; SET LOCAL timezone = 'UTC'; SET LOCAL intervalstyle = 'iso_8601'",
    );
    const { rows } = await client.query<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }>(
      `EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, SUMMARY OFF, BUFFERS OFF, FORMAT JSON) ${statement.text}`,
      [...statement.values],
    );
    return JSON.stringify(rows[0]?.['QUERY PLAN'].map(({ Plan }) => summarise(Plan)));
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
}

const summarise = (node: PlanNode): unknown => [
  ...WORK.map((name) => node[name] ?? null),
  ...(node.Plans ?? []).map(summarise),
];
