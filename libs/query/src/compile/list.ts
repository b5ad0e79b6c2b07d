import { joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import type { AccessView } from '../access.js';
import type { Catalog } from '@plinth/schema';
import type { ListPlan } from '../plan/list-plan.js';
import type { SelectionPlan, SortKeyPlan } from '../plan/selection-plan.js';
import { AliasSource, createScope, type RowScope } from '../scope.js';
import { quotedColumn } from '../sql-text.js';
import { baseType } from '../types.js';
import { compileEstimate } from './estimate.js';
import { keysetSegments } from './keyset.js';
import { compileSortKeys, orderBy, type SortKey } from './order.js';
import { splitByHiddenKey, type PagePart } from './hidden-key-parts.js';
import { hasRecordsOfOneLine } from './page-text.js';
import { compileWhere, whereClause } from './where.js';
import { inputParameter } from './input-parameter.js';
import { asJsonInput, compileLimit, compileSelection } from './selection.js';

/** What statements are compiled against. */
export interface CompileContext {
  readonly catalog: Catalog;
  readonly access: AccessView;
}

export const OFFSET_INPUT = 'offset';

/**
 * One statement for a page, with one row: `data` (a JSON array), `next` (a JSON array of the last record's sort keys as
 * text, or null where no page follows) and, when asked for, `total`.
 *
 * The subselect reads one row more than the page has, to tell whether there is another page. The extra record is cut off
 * the text where that can be done (`cutLastRecord`), else the array is cut before it becomes JSON. JSON is made outside of
 * the subselect, because PostgreSQL would else make it for every row that it sorts.
 */
export function compileList(plan: ListPlan, context: CompileContext): Sql {
  const { rows, record, lateral, keys, limit, total } = compilePage(plan, context);
  const data = hasRecordsOfOneLine(plan.selection)
    ? sql`coalesce(json_agg(${record})::text, '[]') AS data`
    : sql`coalesce(array_to_json((array_agg(${record}))[1:${limit}])::text, '[]') AS data`;
  const last = keys.map((key) => sql`(array_agg(${key}))[${limit}]::text`);
  const next = sql`CASE WHEN count(*) > ${limit} THEN json_build_array(${joinSql(last, ', ')})::text END AS next`;
  return sql`SELECT ${joinSql(total ? [data, next, total] : [data, next], ', ')} FROM (${rows}) p${lateral}`;
}

/**
 * The same, row by row: `record` (JSON), `next` (in the page's last row only) and, when asked for, `total`. One row more
 * than the page has tells that another page follows.
 */
export function compileListRows(plan: ListPlan, context: CompileContext): Sql {
  const { rows, record, lateral, keys, limit, total } = compilePage(plan, context);
  const texts = keys.map((key) => sql`${key}::text`);
  const next = sql`CASE WHEN row_number() OVER () = ${limit} THEN json_build_array(${joinSql(texts, ', ')})::text END AS next`;
  const columns = [sql`row_to_json(${record})::text AS record`, next, ...(total ? [total] : [])];
  return sql`SELECT ${joinSql(columns, ', ')} FROM (${rows}) p${lateral}`;
}

/** The parts of a page's statement. */
interface PageParts {
  /** The subselect of the page's rows and one more. */
  readonly rows: Sql;
  /** The selected columns of one of its rows, as a whole-row expression, over `lateral`. */
  readonly record: Sql;
  readonly lateral: Sql;
  /** The sort keys of a row. */
  readonly keys: readonly Sql[];
  readonly limit: Sql;
  readonly total: Sql | null;
}

function compilePage(plan: ListPlan, context: CompileContext): PageParts {
  const aliases = new AliasSource();
  const openScope = (): RowScope =>
    createScope({ ...context, collection: plan.collection, alias: aliases.next(), aliases, masked: true });
  const scope = openScope();
  const selected = compileSelection(plan.selection, scope);
  const keys = compileSortKeys(plan.sort.keys, scope);
  const page = pageColumns(plan, keys);
  const columns = page.extra.length === 0 ? selected : joinSql([selected, ...page.extra], ', ');
  const limit = compileLimit(plan.limit);
  const limitAndOne = plan.limit.kind === 'inline' ? rawSql(String(plan.limit.rows + 1)) : sql`${limit} + 1`;
  const where = compileWhere(plan, scope);
  const source = scope.source();
  const offset =
    plan.start.kind === 'offset' ? sql` OFFSET ${inputParameter(OFFSET_INPUT, 'int8')}` : rawSql('');
  const pageParts = splitByHiddenKey(plan, keys, scope) ?? partsAfter(plan, keys);
  const parts = pageParts.map(({ condition, order }) => {
    const conditions = condition ? [...where, condition] : where;
    return sql`SELECT ${columns} FROM ${source}${whereClause(conditions)}${order} LIMIT ${limitAndOne}${offset}`;
  });
  const rows = unionInOrder(parts, limitAndOne);
  const [record, lateral] =
    page.extra.length === 0
      ? [rawSql('p.*'), rawSql('')]
      : [rawSql('r.*'), sql` CROSS JOIN LATERAL (SELECT ${page.outer}) r`];
  return { rows, record, lateral, keys: page.keys, limit, total: compileTotal(plan, openScope) };
}

function partsAfter({ start }: ListPlan, keys: readonly SortKey[]): readonly PagePart[] {
  const order = orderBy(keys);
  if (start.kind !== 'after') return [{ condition: null, order }];
  return keysetSegments(keys, start.nullValues).map((condition) => ({ condition, order }));
}

/**
 * `UNION ALL` gives the rows of its parts one after the other, and stops at the limit: a part whose turn does not come
 * is never run. PostgreSQL does not run parts with a limit of their own in parallel.
 */
function unionInOrder(parts: readonly Sql[], limit: Sql): Sql {
  if (parts.length === 1) return joinSql(parts, '');
  const union = joinSql(
    parts.map((part) => sql`(${part})`),
    ' UNION ALL ',
  );
  return sql`SELECT * FROM (${union}) u LIMIT ${limit}`;
}

interface PageColumns {
  /** Sort keys that the selection does not hold, as further columns of the subselect. */
  readonly extra: readonly Sql[];
  /** The selected columns again, without the extra ones. */
  readonly outer: Sql;
  /** Every sort key, outside of the subselect. */
  readonly keys: readonly Sql[];
}

const column = (name: string): Sql => rawSql(`p.${quotedColumn(name)}`);

function pageColumns(plan: ListPlan, keys: readonly SortKey[]): PageColumns {
  const { selection } = plan;
  if (!plan.sort.isTotal) return { extra: [], outer: rawSql(''), keys: [] };
  const taken = new Set(selection.columns.map((column) => column.name));
  const extra: Sql[] = [];
  const outside = plan.sort.keys.map((keyPlan, index) => {
    const key = keys[index];
    if (!key) throw new Error('a sort key was not compiled');
    if (isSelected(keyPlan, selection)) return column(keyPlan.field.name);
    let label = `k${index}`;
    while (taken.has(label)) label = `${label}_`;
    taken.add(label);
    extra.push(sql`${hasOwnArray(keyPlan) ? sql`(${key.sql})::text` : key.sql} AS ${rawSql(label)}`);
    return column(label);
  });
  const outer = joinSql(
    selection.columns.map((selected) => column(selected.name)),
    ', ',
  );
  return { extra, outer, keys: outside };
}

/** An array of arrays would flatten or fail in `array_agg`. */
const hasOwnArray = (key: SortKeyPlan): boolean =>
  key.kind === 'field' && baseType(key.field.type).kind === 'array';

/** Whether the key's very value is among the selected columns, and not encoded there. */
function isSelected(
  key: SortKeyPlan,
  selection: SelectionPlan,
): key is Extract<SortKeyPlan, { kind: 'field' }> {
  if (key.kind !== 'field' || key.path.length > 0 || hasOwnArray(key)) return false;
  const untouched = rawSql('');
  return selection.columns.some(
    (column) =>
      column.kind === 'field' &&
      column.field === key.field &&
      asJsonInput(untouched, key.field.type) === untouched,
  );
}

function compileTotal(plan: ListPlan, openScope: () => RowScope): Sql | null {
  if (plan.count === null) return null;
  if (plan.count === 'estimated') return sql`${compileEstimate(plan, openScope)} AS total`;
  const scope = openScope();
  const where = compileWhere(plan, scope);
  return sql`(SELECT count(*) FROM ${scope.source()}${whereClause(where)}) AS total`;
}
