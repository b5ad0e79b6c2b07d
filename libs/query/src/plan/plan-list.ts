import type { Collection, Field } from '@plinth/schema';
import { visibleFields } from '../access.js';
import { QueryError } from '../errors.js';
import { ALL_FIELDS, parseFields } from '../parse/fields.js';
import type { Parameters } from '../parse/parameters.js';
import { parseSort } from '../parse/sort.js';
import { isText } from '../types.js';
import { planLimit } from './limit.js';
import type { ListPlan, RecordPlan } from './list-plan.js';
import { planFilter, type PlanContext } from './plan-context.js';
import { listEmbeds, planSelection } from './plan-selection.js';
import { planSort, type SortPlan } from './plan-sort.js';
import type { FilterPlan, SelectionPlan } from './selection-plan.js';

/** Plans a list, but for where its page begins. Throws `QueryError`. */
export function planList(
  parameters: Parameters,
  collection: Collection,
  context: PlanContext,
): Omit<ListPlan, 'start'> {
  return {
    kind: 'list',
    collection,
    selection: planFields(parameters, collection, context),
    ...planRestriction(parameters, collection, context),
    sort: planRootSort(parameters, collection, context),
    limit: planLimit(parameters, 'limit', context.limits),
    count: planCount(parameters.get('count')),
  };
}

/** Plans one record. Throws `QueryError`. */
export function planRecord(parameters: Parameters, collection: Collection, context: PlanContext): RecordPlan {
  const selection = planFields(parameters, collection, context);
  const isRowVersionSufficient = collection.hasRowVersion && !dependsOnMore(selection, context);
  return { kind: 'record', collection, selection, isRowVersionSufficient };
}

export function planRestriction(
  parameters: Parameters,
  collection: Collection,
  context: PlanContext,
): { readonly filter: FilterPlan | null; readonly search: readonly Field[] | null } {
  const filter = parameters.get('filter');
  return {
    filter: filter === undefined ? null : planFilter(filter, 'filter', collection, context),
    search: planSearch(parameters.get('search'), collection, context),
  };
}

/** Plans what of a record is in an answer, by `fields` and the parameters of embedded relations. */
export function planFields(
  parameters: Parameters,
  collection: Collection,
  context: PlanContext,
): SelectionPlan {
  const text = parameters.get('fields');
  const fields = text === undefined ? ALL_FIELDS : parseFields(text, context.limits);
  return planSelection(fields, parameters, collection, context);
}

function planRootSort(parameters: Parameters, collection: Collection, context: PlanContext): SortPlan {
  const text = parameters.get('sort');
  const nodes = text === undefined ? [] : parseSort(text, context.limits);
  return planSort(nodes, 'sort', collection, context);
}

/** Blank words restrict nothing, so that a search box can be sent as it is. */
export const isSearching = (text: string | undefined): text is string =>
  text !== undefined && text.trim() !== '';

function planSearch(
  text: string | undefined,
  collection: Collection,
  context: PlanContext,
): readonly Field[] | null {
  if (!isSearching(text)) return null;
  const rules = context.access.collection(collection.name);
  const names = rules ? visibleFields(rules, collection) : [];
  return names
    .map((name) => collection.fields.get(name))
    .filter((field): field is Field => field !== undefined && isText(field.type));
}

function planCount(text: string | undefined): ListPlan['count'] {
  if (text === undefined || text === 'exact' || text === 'estimated') return text ?? null;
  throw new QueryError('invalid-count', 'count must be exact or estimated', { parameter: 'count' });
}

/** Whether a selection shows anything that can change while the row itself does not. */
function dependsOnMore(selection: SelectionPlan, { access }: PlanContext): boolean {
  for (const _ of listEmbeds(selection)) return true;
  const rules = access.collection(selection.collection.name)?.read ?? [];
  return rules.some(({ condition }) => condition && (condition.usesNow || condition.relations.size > 0));
}
