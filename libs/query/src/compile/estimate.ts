import { identifier, quoteIdentifier, rawSql, sql, textLiteral, type Sql } from '@plinth/expression';
import type { ListPlan } from '../plan/list-plan.js';
import type { RowScope } from '../scope.js';
import { compileWhere, whereClause } from './where.js';

/** Up to here an estimate is a count. */
const COUNTED_ROWS = 10_000;
/** How much of a table a sample reads: 8 kB each. */
const SAMPLED_PAGES = 1000;

/**
 * About how many rows a list has, in the list's own statement: up to 10,000 they are counted; beyond that, a table
 * without conditions has as many as its statistics say, and with conditions as many as a sample of its pages says. A
 * view has neither statistics nor pages and is counted to the end.
 */
export function compileEstimate(plan: ListPlan, openScope: () => RowScope): Sql {
  const { kind } = plan.collection;
  const scope = openScope();
  const where = compileWhere(plan, scope);
  const rows = sql`FROM ${scope.source()}${whereClause(where)}`;
  if (kind === 'view' || kind === 'foreign-table') return sql`(SELECT count(*) ${rows})`;
  const counted = sql`SELECT count(*) AS n FROM (SELECT ${rows} LIMIT ${rawSql(String(COUNTED_ROWS + 1))}) c`;
  const estimate = where.length === 0 ? statisticsOf(plan) : sampleOf(plan, openScope());
  return sql`(SELECT CASE WHEN c.n <= ${rawSql(String(COUNTED_ROWS))} THEN c.n ELSE greatest(c.n, ${estimate}) END FROM (${counted}) c)`;
}

function tableLiteral(plan: ListPlan): Sql {
  const { schema, table } = plan.collection;
  return sql`${textLiteral(`${quoteIdentifier(schema)}.${quoteIdentifier(table)}`)}::regclass`;
}

const statisticsOf = (plan: ListPlan): Sql =>
  sql`(SELECT s.reltuples::int8 FROM pg_class s WHERE s.oid = ${tableLiteral(plan)})`;

function sampleOf(plan: ListPlan, scope: RowScope): Sql {
  const { schema, table, kind } = plan.collection;
  const sizeBytes =
    kind === 'partitioned-table'
      ? sql`(SELECT sum(pg_relation_size(s.relid)) FROM pg_partition_tree(${tableLiteral(plan)}) s)`
      : sql`pg_relation_size(${tableLiteral(plan)})`;
  const pages = rawSql(String(SAMPLED_PAGES * 100));
  const percent = sql`least(100, ${pages} * 8192.0 / greatest(${sizeBytes}, 1))`;
  const where = compileWhere(plan, scope);
  const source = sql`${identifier(schema, table)} ${rawSql(scope.alias)} TABLESAMPLE SYSTEM (${percent})${scope.joins()}`;
  return sql`(SELECT (count(*) * 100 / ${percent})::int8 FROM ${source}${whereClause(where)})`;
}
