import { suggestName } from '@plinth/expression';
import type { Collection } from '@plinth/schema';
import { QueryError } from '../errors.js';
import type { FieldNode } from '../parse/fields.js';
import { printName, type NameNode } from '../parse/name-reader.js';
import { readRelationParameters, type Parameters, type RelationParameters } from '../parse/parameters.js';
import { parseSort } from '../parse/sort.js';
import { planLimit, readLimit } from './limit.js';
import { NameFinder, planFilter, type PlanContext } from './plan-context.js';
import { planSort } from './plan-sort.js';
import type { SelectedColumn, SelectedRelation, SelectionPlan } from './selection-plan.js';

/**
 * Plans what of a record is answered: `fields`, with the `comments.limit`, `.sort` and `.filter` of what it embeds.
 * Throws `QueryError` for unknown and repeated names, and for parameters of what is not embedded.
 */
export function planSelection(
  fields: readonly FieldNode[],
  parameters: Parameters,
  collection: Collection,
  context: PlanContext,
): SelectionPlan {
  const relations = new Map(readRelationParameters(parameters));
  const planner = new SelectionPlanner(relations, parameters, context);
  const selection = planner.plan(fields, collection, '');
  const left = relations.values().next().value;
  const name = left && (left.limit ?? left.sort ?? left.filter);
  if (name !== undefined) {
    const path = name.slice(0, name.lastIndexOf('.'));
    throw new QueryError(
      'unknown-parameter',
      `the parameter ${JSON.stringify(name)} is not known: fields does not embed ${path}(...)`,
      { parameter: name, name, suggestion: suggestName(path, planner.embedded) },
    );
  }
  return selection;
}

/** PostgreSQL cuts longer column labels, and the answer's keys are those. */
const MAX_LABEL_BYTES = 63;

class SelectionPlanner {
  readonly embedded: string[] = [];

  constructor(
    /** Taken out one by one as their relation is found. */
    private readonly relations: Map<string, RelationParameters>,
    private readonly parameters: Parameters,
    private readonly context: PlanContext,
  ) {}

  plan(nodes: readonly FieldNode[], collection: Collection, prefix: string): SelectionPlan {
    const names = new NameFinder(this.context, collection, 'fields');
    const columns = new Map<string, SelectedColumn>();
    const named = new Set<string>();
    const relationNames = new Set(nodes.flatMap((node) => (node.kind === 'relation' ? [node.name] : [])));
    for (const node of nodes) {
      if (node.kind === 'all') {
        for (const [name, field] of collection.fields) {
          if (names.schema.field(name) && !relationNames.has(name) && !columns.has(name)) {
            columns.set(name, { kind: 'field', name, field });
          }
        }
        continue;
      }
      if (named.has(node.name)) {
        throw names.error(node, `"${node.name}" is asked for twice`, 'invalid-fields');
      }
      named.add(node.name);
      if (node.kind === 'relation') columns.set(node.name, this.planEmbed(node, names, collection, prefix));
      else columns.set(node.name, { kind: 'field', name: node.name, field: names.field(node) });
    }
    return { collection, columns: [...columns.values()] };
  }

  private planEmbed(
    node: NameNode & { readonly fields: readonly FieldNode[] },
    names: NameFinder,
    collection: Collection,
    prefix: string,
  ): SelectedRelation {
    const { target, isList } = names.relation(node);
    const relation = collection.relations.get(node.name);
    if (!relation) throw new Error(`the relation ${node.name} was found and is not there`);
    if (Buffer.byteLength(node.name) > MAX_LABEL_BYTES) {
      const message = `${JSON.stringify(node.name)} cannot be embedded: its name has more than ${MAX_LABEL_BYTES} bytes`;
      throw names.error(node, message, 'invalid-fields');
    }
    const path = `${prefix}${printName(node.name)}`;
    this.embedded.push(path);
    const given = this.relations.get(path) ?? {};
    this.relations.delete(path);
    const selection = this.plan(node.fields, target, `${path}.`);
    const filter =
      given.filter === undefined
        ? null
        : planFilter(this.text(given.filter), given.filter, target, this.context);
    const embed = { kind: 'relation', name: node.name, relation, path, selection, filter } as const;
    if (isList) return { ...embed, list: this.planList(given, path, target) };
    const misplaced = given.limit ?? given.sort;
    if (misplaced !== undefined) {
      throw new QueryError(
        'invalid-parameter',
        `${misplaced} does not apply: ${path} is one record, not a list`,
        {
          parameter: misplaced,
        },
      );
    }
    return { ...embed, list: null };
  }

  private planList(
    given: RelationParameters,
    path: string,
    target: Collection,
  ): NonNullable<SelectedRelation['list']> {
    const { limits } = this.context;
    const nodes = given.sort === undefined ? [] : parseSort(this.text(given.sort), limits, given.sort);
    return {
      sort: planSort(nodes, given.sort ?? 'sort', target, this.context).keys,
      limit: planLimit(this.parameters, given.limit ?? `${path}.limit`, limits),
    };
  }

  private text(parameter: string): string {
    return this.parameters.get(parameter) ?? '';
  }
}

/** Every embedded relation of a selection, outer ones first. */
export function* listEmbeds(selection: SelectionPlan): Iterable<SelectedRelation> {
  for (const column of selection.columns) {
    if (column.kind !== 'relation') continue;
    yield column;
    yield* listEmbeds(column.selection);
  }
}

/**
 * Refuses an answer that could have too many rows: each page or list is counted with as many rows as its limit allows,
 * times those around it. Throws `QueryError` (`query-too-complex`).
 */
export function checkRowBound(
  selection: SelectionPlan,
  rows: number,
  parameters: Parameters,
  context: Pick<PlanContext, 'limits'>,
): void {
  const { limits } = context;
  const rowsPerRecord = (plan: SelectionPlan): number =>
    plan.columns.reduce((sum, column) => {
      if (column.kind === 'field') return sum;
      const count = column.list ? boundRows(column.list.limit, parameters, context) : 1;
      return sum + count * rowsPerRecord(column.selection);
    }, 1);
  const total = rows * rowsPerRecord(selection);
  if (total <= limits.maxRows) return;
  const lists = [...listEmbeds(selection)].filter(({ list }) => list).map(({ path }) => `${path}.limit`);
  throw new QueryError(
    'query-too-complex',
    `the answer could have ${total} rows, more than ${limits.maxRows}: lower ${['limit', ...lists].join(' or ')}`,
    { parameter: 'fields' },
  );
}

function boundRows(
  limit: NonNullable<SelectedRelation['list']>['limit'],
  parameters: Parameters,
  { limits }: Pick<PlanContext, 'limits'>,
): number {
  return limit.kind === 'inline' ? limit.rows : readLimit(parameters, limit.input, limits);
}
