import type { Collection, Field } from '@plinth/schema';
import { fieldVisibility, type FieldVisibility } from '../access.js';
import { QueryError } from '../errors.js';
import { printPath, type SortNode } from '../parse/sort.js';
import { isOrdered } from '../types.js';
import { planFieldPath, type PlanContext } from './plan-context.js';
import type { SortFieldPlan, SortKeyPlan } from './selection-plan.js';

/** An order of rows, and whether it tells every two rows apart. */
export interface SortPlan {
  readonly keys: readonly SortKeyPlan[];
  /** False where a collection has neither key nor row places (a view): then a page is found by counting rows. */
  readonly isTotal: boolean;
}

const MAX_FALLBACK_KEYS = 16;

/**
 * Plans an order: the keys that are asked for, then the tie-breakers. These follow the direction of the last key, so
 * that one index over both serves the whole order, forwards or backwards.
 */
export function planSort(
  nodes: readonly SortNode[],
  parameter: string,
  collection: Collection,
  context: PlanContext,
): SortPlan {
  const keys: SortFieldPlan[] = [];
  const seen = new Set<string>();
  for (const node of nodes) {
    const text = printPath(node.path);
    const { path, field } = planFieldPath(node.path, collection, context, {
      parameter,
      code: 'invalid-sort',
    });
    const position = { start: node.path[0]?.start ?? 0, end: node.path.at(-1)?.end ?? 0 };
    if (seen.has(text)) {
      throw new QueryError('invalid-sort', `${JSON.stringify(text)} is a sort key twice`, {
        parameter,
        name: text,
        position,
      });
    }
    if (!isOrdered(field.type)) {
      const message = `${JSON.stringify(text)} cannot be sorted by: ${field.type.sql} has no order`;
      throw new QueryError('invalid-sort', message, { parameter, name: text, position });
    }
    seen.add(text);
    keys.push({ kind: 'field', path, field, descending: node.descending });
  }
  const descending = keys.at(-1)?.descending ?? false;
  return completeSort(keys, descending, collection, context);
}

function completeSort(
  keys: readonly SortFieldPlan[],
  descending: boolean,
  collection: Collection,
  context: PlanContext,
): SortPlan {
  const identity = findIdentity(collection);
  if (identity) {
    const ties = identity
      .filter((field) => visibilityOf(field, collection, context) !== undefined)
      .filter((field) => !keys.some((key) => isKeyOf(key, field)))
      .map((field): SortKeyPlan => ({ kind: 'field', path: [], field, descending }));
    const hidden = identity.filter((field) => visibilityOf(field, collection, context) !== 'always');
    const digest: SortKeyPlan = { kind: 'digest', fields: hidden, descending };
    return { keys: [...keys, ...ties, ...(hidden.length > 0 ? [digest] : [])], isTotal: true };
  }
  if (collection.hasRowVersion) {
    const columns =
      collection.kind === 'partitioned-table' ? (['tableoid', 'ctid'] as const) : (['ctid'] as const);
    const places = columns.map((column): SortKeyPlan => ({ kind: 'place', column, descending }));
    return { keys: [...keys, ...places], isTotal: true };
  }
  const rest = [...collection.fields.values()]
    .filter((field) => visibilityOf(field, collection, context) !== undefined && isOrdered(field.type))
    .filter((field) => !keys.some((key) => isKeyOf(key, field)))
    .slice(0, MAX_FALLBACK_KEYS)
    .map((field): SortFieldPlan => ({ kind: 'field', path: [], field, descending }));
  return { keys: [...keys, ...rest], isTotal: false };
}

/** The fields that tell rows apart: the primary key, or else a unique key without nulls. */
function findIdentity(collection: Collection): readonly Field[] | null {
  const candidates = [
    collection.primaryKey,
    ...collection.uniqueKeys.filter((key) => !key.isPrimary).map((key) => key.fields),
  ];
  for (const names of candidates) {
    const fields = names.map((name) => collection.fields.get(name)).filter((field) => field !== undefined);
    const isKey = fields.length > 0 && fields.length === names.length;
    if (isKey && fields.every((field) => !field.nullable && isOrdered(field.type))) return fields;
  }
  return null;
}

/** Whether a requested key orders by the field already. */
const isKeyOf = (key: SortFieldPlan, field: Field): boolean => key.path.length === 0 && key.field === field;

function visibilityOf(field: Field, collection: Collection, context: PlanContext): FieldVisibility {
  const rules = context.access.collection(collection.name);
  return rules && fieldVisibility(rules, field.name);
}
