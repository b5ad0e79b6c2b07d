import { rawSql, sql, type Sql } from '@plinth/expression';
import type { ListPlan } from '../plan/list-plan.js';
import type { RowScope } from '../scope.js';
import { inputParameter } from './input-parameter.js';
import { cursorInput } from './keyset.js';
import { leadsIndex, orderBy, type SortKey } from './order.js';

/** Rows of a page that come one after the other, before those of the next part. */
export interface PagePart {
  readonly condition: Sql | null;
  readonly order: Sql;
}

/**
 * A page in the order of a key that is hidden on some rows, in two parts: those on which it is seen, which an index gives
 * in its order, and the others, which come after them (before, when descending) in the order of a digest. As one, every
 * row would have to be sorted for every page. Null where the page is in another order.
 */
export function splitByHiddenKey(
  { sort, start }: ListPlan,
  keys: readonly SortKey[],
  scope: RowScope,
): readonly PagePart[] | null {
  const [keyPlan, digestPlan] = sort.keys;
  const [key, digest] = keys;
  if (keyPlan?.kind !== 'field' || digestPlan?.kind !== 'digest' || !key || !digest) return null;
  const { field, path } = keyPlan;
  // A digest of this key alone: so the key by itself is unique.
  const isOnlyKey = digestPlan.fields.length === 1 && digestPlan.fields[0] === field;
  const mask = path.length === 0 ? scope.visibleWhere(field.name) : null;
  if (mask === null || !isOnlyKey || field.nullable || start.kind === 'offset') return null;
  if (!leadsIndex(field.name, scope.collection)) return null;
  const stored = { ...key, sql: scope.raw.field(field.name).sql };
  const seen = { key: stored, condition: sql`(${mask})`, input: cursorInput(0) };
  const hidden = { key: digest, condition: sql`(${mask}) IS NOT TRUE`, input: cursorInput(1) };
  const parts = key.descending ? [hidden, seen] : [seen, hidden];
  if (start.kind === 'front') return parts.map((part) => toPart(part, false));
  const current = start.nullValues[0] === true ? hidden : seen;
  return parts.slice(parts.indexOf(current)).map((part) => toPart(part, part === current));
}

function toPart(
  { key, condition, input }: { readonly key: SortKey; readonly condition: Sql; readonly input: string },
  isAfterCursor: boolean,
): PagePart {
  const order = orderBy([key]);
  if (!isAfterCursor) return { condition, order };
  const operator = rawSql(key.descending ? '<' : '>');
  return {
    condition: sql`${condition} AND ${key.sql} ${operator} ${inputParameter(input, key.castSql)}`,
    order,
  };
}
