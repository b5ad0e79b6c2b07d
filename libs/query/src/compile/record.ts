import { joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import type { RecordPlan } from '../plan/list-plan.js';
import { AliasSource, createScope } from '../scope.js';
import { keyPredicate } from './key.js';
import type { CompileContext } from './list.js';
import { compileSelection } from './selection.js';

/** One statement for one record, with one row or none: `data` (a JSON object) and `version` (of the row, or null). */
export function compileRecord(plan: RecordPlan, context: CompileContext): Sql {
  const aliases = new AliasSource();
  const { collection } = plan;
  const scope = createScope({ ...context, collection, alias: aliases.next(), aliases, masked: true });
  const columns = compileSelection(plan.selection, scope);
  const version = collection.hasRowVersion ? scope.version() : rawSql('NULL::text');
  const conditions = [keyPredicate(scope), scope.rowPredicate()].filter((condition) => condition !== null);
  const where = joinSql(conditions, ' AND ');
  return sql`SELECT row_to_json(r.*)::text AS data, ${version} AS version FROM ${scope.source()} CROSS JOIN LATERAL (SELECT ${columns}) r WHERE ${where}`;
}
