import type {
  CatalogRows,
  CheckRow,
  CollectionRow,
  FieldRow,
  ForeignKeyRow,
  IndexRow,
  TypeUse,
} from './catalog-rows.js';
import { freezeDeep } from './freeze-deep.js';
import type {
  Catalog,
  Collection,
  CollectionKind,
  DataType,
  Field,
  ForeignKey,
  Index,
  ReferentialAction,
  UniqueKey,
} from './model.js';
import { nameCollection } from './name-collection.js';
import { nameRelations, type RelatedTable } from './name-relations.js';
import { createTypeResolver } from './resolve-types.js';

const KINDS: Readonly<Record<string, CollectionKind>> = {
  r: 'table',
  p: 'partitioned-table',
  v: 'view',
  m: 'materialized-view',
  f: 'foreign-table',
};

const ACTIONS: Readonly<Record<string, ReferentialAction>> = {
  a: 'no action',
  r: 'restrict',
  c: 'cascade',
  n: 'set null',
  d: 'set default',
};

/** Bits of `pg_relation_is_updatable`: 1 << CmdType. */
const EVENT = { update: 1 << 2, insert: 1 << 3, delete: 1 << 4 } as const;
const ALL_EVENTS = EVENT.update | EVENT.insert | EVENT.delete;

/** `tgtype` bits of a trigger on INSERT or UPDATE. */
const INSERT_OR_UPDATE_TRIGGER = (1 << 2) | (1 << 4);

/** Everything about one table, before the relations between tables are known. */
type Table = Omit<Collection, 'relations'>;

/** Rows of one kind by the collection that they belong to. */
type Grouped<T> = ReadonlyMap<number, readonly T[]>;

/**
 * Makes collections of the rows, and the relations between them.
 *
 * What could not be read of a busy table is taken from `previous`, as far as it is there. A table is nearly always held
 * for a change that has not happened yet, so what was known is still so; once it has happened, another reading follows.
 */
export function buildCollections(
  content: CatalogRows,
  schemas: readonly string[],
  previous: Pick<Catalog, 'collections'> | null,
): Pick<Catalog, 'collections' | 'isProvisional'> {
  const rows = content.collections ?? [];
  const names = new Map(rows.map(({ oid, schema, table }) => [oid, nameCollection(schema, table, schemas)]));
  const resolveType = createTypeResolver(content.types ?? []);
  const fields = groupByCollection(content.fields);
  const indexes = groupByCollection(content.indexes);
  const checks = groupByCollection(content.checks);
  const foreignKeys = groupByCollection(content.foreignKeys);

  const before = indexBusy(rows, previous);
  const tables = rows.map((row) =>
    buildTable(row, { names, fields, indexes, checks, foreignKeys, resolveType, before }),
  );
  const isProvisional =
    rows.some((row) => row.isBusy && isLookedThrough(row)) ||
    [...(content.indexes ?? []), ...(content.checks ?? [])].some(({ definition }) => definition === null);
  const relations = nameRelations(
    tables.map((table) => toRelatedTable(table, foreignKeys.get(table.oid) ?? [])),
    schemas,
  );
  const collections = new Map<string, Collection>();
  for (const table of tables) {
    collections.set(table.name, freezeDeep({ ...table, relations: relations.get(table.name) ?? new Map() }));
  }
  return isProvisional ? { collections, isProvisional } : { collections };
}

/** What was known before of tables that are busy now, by object id. */
function indexBusy(
  rows: readonly CollectionRow[],
  previous: Pick<Catalog, 'collections'> | null,
): ReadonlyMap<number, Collection> {
  const busy = new Set(rows.filter(({ isBusy }) => isBusy).map(({ oid }) => oid));
  if (busy.size === 0 || previous === null) return new Map();
  return new Map(
    [...previous.collections.values()].filter(({ oid }) => busy.has(oid)).map((known) => [known.oid, known]),
  );
}

interface TableParts {
  readonly names: ReadonlyMap<number, string>;
  readonly fields: Grouped<FieldRow>;
  readonly indexes: Grouped<IndexRow>;
  readonly checks: Grouped<CheckRow>;
  readonly foreignKeys: Grouped<ForeignKeyRow>;
  readonly resolveType: (use: TypeUse) => DataType;
  readonly before: ReadonlyMap<number, Collection>;
}

function buildTable(row: CollectionRow, parts: TableParts): Table {
  const fields = parts.fields.get(row.oid) ?? [];
  const indexes = parts.indexes.get(row.oid) ?? [];
  const nameAt = new Map(fields.map(({ position, name }) => [position, name]));
  const namesAt = (positions: readonly number[]): string[] =>
    positions.flatMap((position) => nameAt.get(position) ?? []);
  const uniqueKeys = indexes
    .filter(isUniqueKey)
    .map((index) => buildUniqueKey(index, namesAt(index.positions.slice(0, index.keyCount))));
  const before = parts.before.get(row.oid);
  return {
    name: parts.names.get(row.oid) ?? row.table,
    schema: row.schema,
    table: row.table,
    oid: row.oid,
    kind: kindOf(row),
    comment: row.comment,
    fields: new Map(
      fields.map((field) => [field.name, buildField(field, row, parts.resolveType(field), before)]),
    ),
    primaryKey: uniqueKeys.find(({ isPrimary }) => isPrimary)?.fields ?? [],
    uniqueKeys,
    checks: (parts.checks.get(row.oid) ?? []).map(({ name, positions, definition }) => ({
      name,
      fields: namesAt(positions ?? []),
      definition: definition ?? before?.checks.find((known) => known.name === name)?.definition ?? '',
    })),
    foreignKeys: (parts.foreignKeys.get(row.oid) ?? []).map((key) =>
      buildForeignKey(key, namesAt(key.positions), parts.names),
    ),
    indexes: indexes.map((index) => buildIndex(index, nameAt, before)),
    ...abilitiesOf(row, before),
    // Of a partitioned table an INSERT cannot return them.
    hasRowVersion: row.kind === 'r',
    divertsWrites: row.divertsWrites,
    privileges: privilegesOf(row),
  };
}

/** Columns of a `PERIOD` key are not equal on both sides, so no relation can be followed along it. */
function toRelatedTable(table: Table, rows: readonly ForeignKeyRow[]): RelatedTable {
  const foreignKeys = rows.flatMap((row, index) => {
    const key = table.foreignKeys[index];
    return key === undefined || row.isTemporal ? [] : [Object.assign({ isProven: row.isProven }, key)];
  });
  return { ...table, foreignKeys };
}

function groupByCollection<T extends { readonly collection: number }>(
  rows: readonly T[] | null,
): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const row of rows ?? []) {
    const group = groups.get(row.collection);
    if (group) group.push(row);
    else groups.set(row.collection, [row]);
  }
  return groups;
}

function kindOf(row: CollectionRow): CollectionKind {
  const kind = KINDS[row.kind];
  if (kind === undefined)
    throw new Error(`Relation kind "${row.kind}" of ${row.schema}.${row.table} is not known.`);
  return kind;
}

function buildField(
  row: FieldRow,
  collection: CollectionRow,
  type: DataType,
  before: Collection | undefined,
): Field {
  const identity = row.identity === 'a' ? 'always' : row.identity === 'd' ? 'by-default' : null;
  const generated = row.generated === 's' ? 'stored' : row.generated === 'v' ? 'virtual' : null;
  return {
    name: row.name,
    position: row.position,
    type: row.isNondeterministic ? asNondeterministic(type) : type,
    // A view can give null for a domain that is not null: through an outer join, for one.
    nullable: !row.notNull && !(type.kind === 'domain' && type.notNull && isStored(collection)),
    default: row.default,
    identity,
    generated,
    comment: row.comment,
    writable: isWritable(row, collection, before) && generated === null && identity !== 'always',
  };
}

/** The collation is the column's, so the type is this column's too. Arrays and the like are compared element by element. */
function asNondeterministic(type: DataType): DataType {
  if (type.kind === 'domain') return { ...type, base: asNondeterministic(type.base) };
  if (type.kind === 'array') return { ...type, element: asNondeterministic(type.element) };
  return type.kind === 'scalar' ? { ...type, isNondeterministic: true } : type;
}

const isStored = ({ kind }: CollectionRow): boolean => kind === 'r' || kind === 'p';

/** Of these PostgreSQL is asked what they can do; of tables it is known. */
const isLookedThrough = ({ kind }: CollectionRow): boolean => kind === 'v' || kind === 'f';

function isWritable(
  field: FieldRow,
  { kind, triggerEvents, isBusy, isReadOnly }: CollectionRow,
  before: Collection | undefined,
): boolean {
  if (kind === 'm' || isReadOnly) return false;
  if (kind !== 'v') return true;
  if (isBusy && before !== undefined) return before.fields.get(field.name)?.writable ?? false;
  return field.updatable === true || ((triggerEvents ?? 0) & INSERT_OR_UPDATE_TRIGGER) !== 0;
}

/** Uniqueness that holds for every row by plain equality. */
function isUniqueKey(index: IndexRow): boolean {
  return (
    index.isUnique &&
    !index.isPartial &&
    !index.positions.slice(0, index.keyCount).includes(0) &&
    (index.isPrimary || !index.isTemporal)
  );
}

function buildUniqueKey(index: IndexRow, fields: readonly string[]): UniqueKey {
  const { name, isPrimary, nullsNotDistinct } = index;
  return { name, fields, isPrimary, nullsNotDistinct, ...(index.isDeferrable && { isDeferrable: true }) };
}

function buildIndex(
  index: IndexRow,
  nameAt: ReadonlyMap<number, string>,
  before: Collection | undefined,
): Index {
  const known =
    index.definition === null ? before?.indexes.find(({ name }) => name === index.name) : undefined;
  return {
    name: index.name,
    fields: index.positions.slice(0, index.keyCount).map((position) => nameAt.get(position) ?? null),
    isUnique: index.isUnique,
    method: index.method,
    predicate: index.predicate ?? known?.predicate ?? null,
    definition: index.definition ?? known?.definition ?? '',
  };
}

function buildForeignKey(
  row: ForeignKeyRow,
  fields: readonly string[],
  names: ReadonlyMap<number, string>,
): ForeignKey {
  return {
    name: row.name,
    fields,
    targetSchema: row.targetSchema,
    targetTable: row.targetTable,
    target: names.get(row.target) ?? null,
    targetFields: row.targetFields,
    onDelete: ACTIONS[row.onDelete] ?? 'no action',
    onUpdate: ACTIONS[row.onUpdate] ?? 'no action',
  };
}

function abilitiesOf(
  row: CollectionRow,
  before: Collection | undefined,
): Pick<Collection, 'insertable' | 'updatable' | 'deletable'> {
  if (row.isBusy && isLookedThrough(row) && before !== undefined) {
    const { insertable, updatable, deletable } = before;
    return { insertable, updatable, deletable };
  }
  const events = row.isReadOnly || row.kind === 'm' ? 0 : isStored(row) ? ALL_EVENTS : (row.events ?? 0);
  return {
    insertable: (events & EVENT.insert) !== 0,
    updatable: (events & EVENT.update) !== 0,
    deletable: (events & EVENT.delete) !== 0,
  };
}

function privilegesOf(row: CollectionRow): Collection['privileges'] {
  const has = (privilege: boolean | null): boolean => row.hasUsage === true && privilege === true;
  return {
    select: has(row.select),
    insert: has(row.insert),
    update: has(row.update),
    delete: has(row.delete),
  };
}
