import { escapeLiteral, type ClientBase } from 'pg';

/** A node of EXPLAIN's output in JSON, as far as it is looked at. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Scan Direction'?: string;
  readonly 'Index Name'?: string;
  readonly 'Relation Name'?: string;
  readonly 'Shared Hit Blocks'?: number;
  readonly 'Shared Read Blocks'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly Plans?: readonly PlanNode[];
}

export interface Explained {
  readonly text: string;
  readonly values: readonly (string | null)[];
}

/** PostgreSQL plans a prepared statement for the values of the first runs, and later once for all where that is as good. */
export type PlanMode = 'force_custom_plan' | 'force_generic_plan' | 'auto';

/** After so many runs PostgreSQL has made up its mind. */
const RUNS = 7;

/** The plan of a statement as a prepared one. */
export async function explain(
  client: ClientBase,
  { text, values }: Explained,
  { mode = 'force_custom_plan', analyze = false }: { mode?: PlanMode; analyze?: boolean } = {},
): Promise<PlanNode> {
  await client.query(`SET plan_cache_mode = ${mode}`);
  await client.query(`PREPARE explained AS ${text}`);
  try {
    const literals = values.map((value) => (value === null ? 'NULL' : escapeLiteral(value)));
    const parameters = literals.length === 0 ? '' : `(${literals.join(', ')})`;
    const options = analyze ? 'FORMAT JSON, ANALYZE, BUFFERS, TIMING OFF' : 'FORMAT JSON';
    const planOnce = async (): Promise<PlanNode> => {
      const { rows } = await client.query<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }>(
        `EXPLAIN (${options}) EXECUTE explained${parameters}`,
      );
      const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
      if (plan === undefined) throw new Error('EXPLAIN gave no plan');
      return plan;
    };
    const runs = mode === 'auto' ? RUNS : 1;
    for (let run = 1; run < runs; run += 1) await planOnce();
    return await planOnce();
  } finally {
    await client.query('DEALLOCATE explained');
  }
}

/** A node and all below it. */
export function* nodesOf(node: PlanNode): Generator<PlanNode> {
  yield node;
  for (const child of node.Plans ?? []) yield* nodesOf(child);
}

/** How tables are read and what is sorted, without the nodes in which JSON is built: `Index Scan posts_pkey`, `Sort`. */
export function accessPaths(plan: PlanNode): readonly string[] {
  return [...nodesOf(plan)]
    .flatMap((node) => {
      const type = node['Node Type'];
      if (type.endsWith('Sort')) return [type];
      const target = node['Index Name'] ?? node['Relation Name'];
      if (target === undefined || !type.endsWith('Scan')) return [];
      const direction = node['Scan Direction'] === 'Backward' ? ' Backward' : '';
      return [`${type}${direction} ${target}`];
    })
    .toSorted();
}
