import { suggestName } from '@plinth/expression';
import type { Collection } from '@plinth/schema';
import { QueryError } from '../errors.js';
import { parseGroups, parseMeasures, type GroupNode, type MeasureNode } from '../parse/aggregate.js';
import type { NameNode } from '../parse/name-reader.js';
import type { Parameters } from '../parse/parameters.js';
import { parseSort, printPath } from '../parse/sort.js';
import { hasExtremes, isDate, isOrdered, isSummable, isTime } from '../types.js';
import type { AggregatePlan, GroupPlan, MeasurePlan } from './aggregate-plan.js';
import { planFieldPath, type PlanContext } from './plan-context.js';
import { planRestriction } from './plan-list.js';

const MEASURE_NAMES = {
  count: 'count',
  countDistinct: 'count_distinct',
  sum: 'sum',
  avg: 'avg',
  min: 'min',
  max: 'max',
} as const;

/**
 * Plans an aggregate. The keys of its rows are: for a group, its path with `_` for dots and the unit behind it
 * (`status`, `author_country`, `published_at_month`); for a measure, its name and path (`count`, `avg_views`,
 * `count_distinct_author_country`). `sort` takes these keys. Throws `QueryError`.
 */
export function planAggregate(
  parameters: Parameters,
  collection: Collection,
  context: PlanContext,
): AggregatePlan {
  const groupText = parameters.get('groupBy');
  const groupNodes = groupText === undefined ? [] : parseGroups(groupText, context.limits);
  const measureNodes = parseMeasures(parameters.get('measures') ?? 'count', context.limits);
  const groups = groupNodes.map((node) => planGroup(node, collection, context));
  const measures = measureNodes.map((node) => planMeasure(node, collection, context));
  const names = [...groups, ...measures].map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    const parameter = groups.some(({ name }) => name === repeated) ? 'groupBy' : 'measures';
    const message = `two columns of the result would be called ${repeated}`;
    throw new QueryError(parameter === 'groupBy' ? 'invalid-group' : 'invalid-measure', message, {
      parameter,
      name: repeated,
    });
  }
  return {
    kind: 'aggregate',
    collection,
    groups,
    measures,
    ...planRestriction(parameters, collection, context),
    sort: planAggregateSort(parameters.get('sort'), names, groups.length, context),
  };
}

/** PostgreSQL cuts longer names, and two of them could then be the same. */
const MAX_NAME_BYTES = 63;

function columnName(parts: readonly string[], parameter: string): string {
  const name = parts.join('_');
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const message = `the column ${name} of the result would have a name of more than ${MAX_NAME_BYTES} bytes`;
  throw new QueryError(parameter === 'groupBy' ? 'invalid-group' : 'invalid-measure', message, {
    parameter,
    name,
  });
}

const rangeOf = (nodes: readonly NameNode[]): { readonly start: number; readonly end: number } => ({
  start: nodes[0]?.start ?? 0,
  end: nodes.at(-1)?.end ?? 0,
});

function planGroup(node: GroupNode, collection: Collection, context: PlanContext): GroupPlan {
  const options = { parameter: 'groupBy', code: 'invalid-group' } as const;
  const { path, field } = planFieldPath(node.path, collection, context, options);
  const text = printPath(node.path);
  const quoted = JSON.stringify(text);
  const refuse = (message: string): QueryError =>
    new QueryError(options.code, message, { parameter: 'groupBy', name: text, position: rangeOf(node.path) });
  if (!isOrdered(field.type))
    throw refuse(`${quoted} cannot be grouped by: ${field.type.sql} has no equality`);
  if (node.unit !== null) {
    if (!isTime(field.type)) throw refuse(`${quoted} is not a date or time: it has no ${node.unit}`);
    if (isDate(field.type) && (node.unit === 'hour' || node.unit === 'minute')) {
      throw refuse(`${quoted} is a date: it has no ${node.unit}`);
    }
  }
  const parts = [...path, field.name, ...(node.unit === null ? [] : [node.unit])];
  return { name: columnName(parts, 'groupBy'), path, field, unit: node.unit };
}

function planMeasure(node: MeasureNode, collection: Collection, context: PlanContext): MeasurePlan {
  if (node.path === null) return { name: 'count', function: 'count', operand: null };
  const options = { parameter: 'measures', code: 'invalid-measure' } as const;
  const { path, field } = planFieldPath(node.path, collection, context, options);
  const text = printPath(node.path);
  const isTyped = {
    count: () => true,
    countDistinct: () => isOrdered(field.type),
    sum: () => isSummable(field.type),
    avg: () => isSummable(field.type),
    min: () => hasExtremes(field.type),
    max: () => hasExtremes(field.type),
  };
  if (!isTyped[node.function]()) {
    throw new QueryError(
      'invalid-measure',
      `${node.function} does not apply to ${text}: it is ${field.type.sql}`,
      {
        parameter: 'measures',
        name: text,
        position: rangeOf(node.path),
      },
    );
  }
  const name = columnName([MEASURE_NAMES[node.function], ...path, field.name], 'measures');
  return { name, function: node.function, operand: { path, field } };
}

function planAggregateSort(
  text: string | undefined,
  names: readonly string[],
  groupCount: number,
  context: PlanContext,
): AggregatePlan['sort'] {
  const sort: { column: number; descending: boolean }[] = [];
  for (const { path, descending } of text === undefined ? [] : parseSort(text, context.limits)) {
    const name = path.map((node) => node.name).join('.');
    const column = names.indexOf(name);
    const detail = { parameter: 'sort', name, position: rangeOf(path) };
    if (column < 0) {
      const message = `${JSON.stringify(name)} is not a column of the result, which has ${names.join(', ')}`;
      throw new QueryError('invalid-sort', message, { ...detail, suggestion: suggestName(name, names) });
    }
    if (sort.some((key) => key.column === column)) {
      throw new QueryError('invalid-sort', `${JSON.stringify(name)} is a sort key twice`, detail);
    }
    sort.push({ column, descending });
  }
  for (let column = 0; column < groupCount; column++) {
    if (!sort.some((key) => key.column === column)) sort.push({ column, descending: false });
  }
  return sort;
}
