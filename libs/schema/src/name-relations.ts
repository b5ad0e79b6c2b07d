import type { ColumnPair, Relation } from './model.js';

/** What relations are made of: a table, as far as keys go. */
export interface RelatedTable {
  /** The collection's name. */
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  /** In column order. */
  readonly fields: ReadonlyMap<string, { readonly nullable: boolean }>;
  readonly primaryKey: readonly string[];
  readonly uniqueKeys: readonly { readonly fields: readonly string[] }[];
  /** Those that match by equality. */
  readonly foreignKeys: readonly RelatedForeignKey[];
}

export interface RelatedForeignKey {
  readonly name: string;
  readonly fields: readonly string[];
  /** The target collection's name, or null where it is not exposed. */
  readonly target: string | null;
  readonly targetFields: readonly string[];
  /** False where rows may break the key, because it was added `NOT VALID` or is `NOT ENFORCED`. */
  readonly isProven: boolean;
}

/** A relation before it has a name; `names` are those that it would take, the best first. */
interface Candidate {
  readonly names: readonly string[];
  /** Fields that it may share its name with: the columns of the key itself. */
  readonly ownFields: readonly string[];
  readonly relation: Omit<Relation, 'name'>;
}

/** A foreign key whose target is exposed, with the forward name that its table gave it. */
interface Link {
  readonly source: RelatedTable;
  readonly key: RelatedForeignKey;
  readonly target: RelatedTable;
  readonly forwardName: string;
  /** All links of the same table, this one included. */
  readonly siblings: readonly Link[];
}

/**
 * Relations of every table, by collection and relation name. The rules, in the order in which names are given:
 *
 * 1. Forward, many-to-one. One column: its name without `_id` (`author_id`, `author` give `author`), or the column's
 *    whole name where a different column is called so. Several columns: the last one's without `_id` if it ends so,
 *    else the target table's name. Keys of one column go first.
 * 2. Reverse, one-to-many, or one-to-one where the key is unique: the child table's name; `comments_by_author` (after
 *    the forward name) where two keys of that table lead here or the name is taken; `billing_invoices_by_customer`
 *    where that is taken too.
 * 3. Many-to-many, through a table whose primary key is two foreign keys: the far table's name. Where two ways lead to
 *    the far table or the name is taken: `tags_by_post_tags` (after the join table), and for a table that is joined to
 *    itself `users_by_follower` (after the near key: the users found where I am the follower).
 * 4. Where all of these are taken: the foreign key's own name, then that with `_2`, `_3`, ...
 *
 * A relation never takes the name of a field, except a forward relation that of its key's own column: there the bare
 * name is the field, and the relation is what is asked for something behind it (`author(name)`, `author.name`).
 */
export function nameRelations(
  tables: readonly RelatedTable[],
  schemas: readonly string[],
): Map<string, ReadonlyMap<string, Relation>> {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const named = new Map(tables.map((table) => [table.name, new Map<string, Relation>()]));
  const claim = (table: RelatedTable, candidate: Candidate): string =>
    claimName(table, named.get(table.name) ?? new Map(), candidate);

  const links: Link[] = [];
  for (const source of inOrder(tables, schemas)) {
    const siblings: Link[] = [];
    for (const key of forwardOrder(source)) {
      const target = key.target === null ? undefined : byName.get(key.target);
      if (target === undefined) continue;
      const forwardName = claim(source, forwardCandidate(source, key, target));
      siblings.push({ source, key, target, forwardName, siblings });
    }
    links.push(...siblings);
  }
  for (const link of links) claim(link.target, reverseCandidate(link));
  const paths = links.flatMap((near) => joinsThrough(near).map((far) => ({ near, far })));
  for (const path of paths) claim(path.near.target, manyToManyCandidate(path, paths));
  return named;
}

/** Tables of earlier schemas get the better names, Plinth's own the last ones; within a schema the alphabet decides. */
function inOrder(tables: readonly RelatedTable[], schemas: readonly string[]): RelatedTable[] {
  const rank = ({ schema }: RelatedTable): number =>
    schemas.includes(schema) ? schemas.indexOf(schema) : schemas.length;
  return [...tables].sort((a, b) => rank(a) - rank(b) || compareText(a.table, b.table));
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function forwardOrder(table: RelatedTable): RelatedForeignKey[] {
  const columns = [...table.fields.keys()];
  const place = ({ fields }: RelatedForeignKey): number => columns.indexOf(fields.at(-1) ?? '');
  return [...table.foreignKeys].sort(
    (a, b) => a.fields.length - b.fields.length || place(a) - place(b) || compareText(a.name, b.name),
  );
}

function claimName(table: RelatedTable, taken: Map<string, Relation>, candidate: Candidate): string {
  const isFree = (name: string): boolean =>
    !taken.has(name) && (!table.fields.has(name) || candidate.ownFields.includes(name));
  const lastResort = candidate.relation.foreignKey;
  let name = [...candidate.names, lastResort].find(isFree);
  for (let number = 2; name === undefined; number += 1) {
    name = [`${lastResort}_${number}`].find(isFree);
  }
  taken.set(name, { name, ...candidate.relation });
  return name;
}

const withoutId = (column: string): string => (/._id$/s.test(column) ? column.slice(0, -3) : column);

const pairs = (sources: readonly string[], targets: readonly string[]): ColumnPair[] =>
  sources.map((source, index) => ({ source, target: targets[index] ?? source }));

function forwardCandidate(source: RelatedTable, key: RelatedForeignKey, target: RelatedTable): Candidate {
  const last = key.fields.at(-1) ?? '';
  const isComposite = key.fields.length > 1;
  return {
    names: isComposite
      ? [...(withoutId(last) === last ? [] : [withoutId(last)]), target.table]
      : [withoutId(last), last],
    ownFields: key.fields,
    relation: {
      kind: 'many-to-one',
      isList: false,
      target: target.name,
      columns: pairs(key.fields, key.targetFields),
      nullable: !key.isProven || key.fields.some((field) => source.fields.get(field)?.nullable ?? true),
      foreignKey: key.name,
    },
  };
}

function reverseCandidate(link: Link): Candidate {
  const { source, key, target, forwardName, siblings } = link;
  const isOnly = siblings.filter((other) => other.target === target).length === 1;
  const isUnique = source.uniqueKeys.some(({ fields }) =>
    fields.every((field) => key.fields.includes(field)),
  );
  const name = `${source.table}_by_${forwardName}`;
  return {
    names: [...(isOnly ? [source.table] : []), name, `${source.schema}_${name}`],
    ownFields: [],
    relation: {
      kind: isUnique ? 'one-to-one' : 'one-to-many',
      isList: !isUnique,
      target: source.name,
      columns: pairs(key.targetFields, key.fields),
      nullable: true,
      foreignKey: key.name,
    },
  };
}

/** A way from one table through a join table to another, or back to itself. */
interface JoinPath {
  readonly near: Link;
  readonly far: Link;
}

/** The other key of a join table, if `near` is one of the two that its primary key is made of. */
function joinsThrough(near: Link): Link[] {
  const { primaryKey } = near.source;
  const inKey = near.siblings.filter(({ key }) => key.fields.every((field) => primaryKey.includes(field)));
  // A key that is only part of another one, such as the tenant's, does not make the table more than a join.
  const ends = inKey.filter((link) => !inKey.some((other) => isPartOf(link.key, other.key)));
  const covered = new Set(ends.flatMap(({ key }) => key.fields));
  const isJoinTable = ends.length === 2 && covered.size === primaryKey.length;
  return isJoinTable && ends.includes(near) ? ends.filter((end) => end !== near) : [];
}

const isPartOf = (part: RelatedForeignKey, whole: RelatedForeignKey): boolean =>
  part.fields.length < whole.fields.length && part.fields.every((field) => whole.fields.includes(field));

function manyToManyCandidate(path: JoinPath, paths: readonly JoinPath[]): Candidate {
  const { near, far } = path;
  const join = near.source;
  const ways = paths.filter((other) => other.near.target === near.target && other.far.target === far.target);
  const name = far.target.table;
  const isSelf = near.target === far.target;
  return {
    names: [
      ...(ways.length === 1 ? [name] : []),
      isSelf ? `${name}_by_${near.forwardName}` : `${name}_by_${join.table}`,
      `${name}_by_${join.table}_${near.forwardName}`,
    ],
    ownFields: [],
    relation: {
      kind: 'many-to-many',
      isList: true,
      target: far.target.name,
      columns: pairs(near.key.targetFields, near.key.fields),
      nullable: true,
      foreignKey: near.key.name,
      through: { collection: join.name, columns: pairs(far.key.fields, far.key.targetFields) },
    },
  };
}
