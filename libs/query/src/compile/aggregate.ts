import { joinSql, rawSql, sql, textLiteral, type Sql, type SqlField } from '@plinth/expression';
import type { AggregatePlan, GroupPlan, MeasurePlan } from '../plan/aggregate-plan.js';
import { AliasSource, createScope, type RowScope } from '../scope.js';
import { asLabel } from '../sql-text.js';
import { baseType, isDate } from '../types.js';
import { OFFSET_INPUT, type CompileContext } from './list.js';
import { inputParameter } from './input-parameter.js';
import { asJsonInput } from './selection.js';
import { compileWhere, whereClause } from './where.js';

/** One statement for an aggregate, with one row: `data`, a JSON array of its rows. */
export function compileAggregate(plan: AggregatePlan, context: CompileContext): Sql {
  const aliases = new AliasSource();
  const { collection } = plan;
  const scope = createScope({ ...context, collection, alias: aliases.next(), aliases, masked: true });
  const columns = [
    ...plan.groups.map((group) => sql`${compileGroup(group, scope)}${asLabel(group.name)}`),
    ...plan.measures.map((measure) => sql`${compileMeasure(measure, scope)}${asLabel(measure.name)}`),
  ];
  const where = compileWhere(plan, scope);
  // Columns are referred to by number, since an expression with parameters in it might not be recognised as the same.
  const groupBy = plan.groups.map((_, index) => rawSql(String(index + 1)));
  const grouped = groupBy.length === 0 ? rawSql('') : sql` GROUP BY ${joinSql(groupBy, ', ')}`;
  const terms = plan.sort.map(({ column, descending }) =>
    rawSql(`${column + 1}${descending ? ' DESC' : ''}`),
  );
  const order = terms.length === 0 ? rawSql('') : sql` ORDER BY ${joinSql(terms, ', ')}`;
  const bounds = sql` LIMIT ${inputParameter('limit', 'int8')} OFFSET ${inputParameter(OFFSET_INPUT, 'int8')}`;
  const rows = sql`SELECT ${joinSql(columns, ', ')} FROM ${scope.source()}${whereClause(where)}${grouped}${order}${bounds}`;
  return sql`SELECT coalesce(json_agg(row_to_json(r.*)), '[]')::text AS data FROM (${rows}) r`;
}

const follow = (scope: RowScope, path: readonly string[], field: string): SqlField =>
  path.reduce((near, relation) => near.one(relation), scope).field(field);

function compileGroup({ path, field, unit }: GroupPlan, scope: RowScope): Sql {
  const value = follow(scope, path, field.name);
  if (unit === null) return asJsonInput(value.sql, field.type);
  const truncated = sql`date_trunc(${textLiteral(unit)}, ${value.sql})`;
  return isDate(field.type) ? sql`${truncated}::date` : truncated;
}

function compileMeasure({ function: name, operand }: MeasurePlan, scope: RowScope): Sql {
  if (!operand) return rawSql('count(*)');
  const value = follow(scope, operand.path, operand.field.name);
  if (name === 'countDistinct') return sql`count(DISTINCT ${value.sql})`;
  const type = baseType(operand.field.type);
  // `name` and `citext` have no `min` that is found without their schema in the search path.
  const isText = type.kind === 'scalar' && (type.name === 'name' || type.name === 'citext');
  const argument = isText && name !== 'count' ? sql`(${value.sql})::text` : value.sql;
  return sql`${rawSql(name)}(${argument})`;
}
