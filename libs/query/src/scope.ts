import {
  compileExpression,
  identifier,
  joinSql,
  rawSql,
  sql,
  type CheckedExpression,
  type Sql,
  type SqlField,
  type SqlScope,
  type SqlSubquery,
} from '@plinth/expression';
import type { Catalog, Collection, ColumnPair, Relation } from '@plinth/schema';
import { type AccessView, fieldVisibility, rowConditions } from './access.js';
import { quotedColumn } from './sql-text.js';

/** Gives `t0`, `t1`, ... so that a table can stand in one statement any number of times. */
export class AliasSource {
  private count = 0;

  next(): string {
    return `t${this.count++}`;
  }
}

export interface ScopeOptions {
  readonly catalog: Catalog;
  readonly access: AccessView;
  readonly collection: Collection;
  /** What the row is called in the statement: a fresh alias, or the name of a CTE with the same columns. */
  readonly alias: string;
  readonly aliases: AliasSource;
  /** True for what a request says (fields, filter, sort), false for the conditions of policies. */
  readonly masked: boolean;
}

type ScopeContext = Pick<ScopeOptions, 'catalog' | 'access' | 'aliases'>;

/**
 * The scope of a row that the caller puts into `FROM`: with `joins()` after it, and `rowPredicate()` in `WHERE`. Both
 * are asked last, when every expression of the statement has been compiled and has asked for what it needs.
 */
export const createScope = (options: ScopeOptions): RowScope =>
  new RowScope(options, new SourceRow(options.alias, options.collection), options.masked);

/** One row source of a statement: a table under an alias, with the far rows that were asked of it. */
class SourceRow {
  readonly joined = new Map<string, { readonly row: SourceRow; readonly on: Sql }>();
  readonly conditions = new Map<CheckedExpression, Sql>();

  constructor(
    readonly alias: string,
    readonly collection: Collection,
    /** The first column that the row is joined by, where it is joined at all. */
    readonly linkColumn?: string,
  ) {}

  column(field: string): Sql {
    return rawSql(`${this.alias}.${quotedColumn(field)}`);
  }

  joins(): Sql {
    const joins = [...this.joined.values()].map(({ row, on }) => sql` LEFT JOIN ${row.group()} ON ${on}`);
    return joinSql(joins, '');
  }

  /** The source as one operand of a join. */
  group(): Sql {
    return this.joined.size === 0 ? this.source() : sql`(${this.source()})`;
  }

  source(): Sql {
    return sql`${identifier(this.collection.schema, this.collection.table)} ${rawSql(this.alias)}${this.joins()}`;
  }
}

/**
 * A row as an expression sees it. Masked, a field that only some rules list is null on the rows that none of them
 * matches, and far rows are those the caller may read; raw, everything is as it is stored. Both views of one row share
 * its alias, so that a policy's condition and a request's filter join the same far row once.
 */
export class RowScope implements SqlScope {
  constructor(
    private readonly context: ScopeContext,
    private readonly row: SourceRow,
    private readonly masked: boolean,
    private readonly optional = false,
  ) {}

  get alias(): string {
    return this.row.alias;
  }

  get collection(): Collection {
    return this.row.collection;
  }

  /** Of a far row that may be missing: a column that links to it, null exactly where it is missing. */
  get presence(): Sql | undefined {
    return this.row.linkColumn === undefined ? undefined : this.row.column(this.row.linkColumn);
  }

  /** The same row without policies. */
  get raw(): RowScope {
    return this.masked ? new RowScope(this.context, this.row, false, this.optional) : this;
  }

  field(name: string): SqlField {
    const field = this.row.collection.fields.get(name);
    if (!field) throw new Error(`no field ${name} in ${this.row.collection.name}`);
    const column = this.row.column(name);
    const mask = this.visibleWhere(name);
    return mask === null
      ? { sql: column, nullable: field.nullable || this.optional, type: field.type }
      : { sql: sql`CASE WHEN ${mask} THEN ${column} END`, nullable: true, type: field.type };
  }

  /** A predicate that holds where the field has the value: not hidden from the caller, and equal. An index can serve it. */
  equals(name: string, value: Sql): Sql {
    const mask = this.visibleWhere(name);
    const equality = sql`${this.row.column(name)} = ${value}`;
    return mask === null ? equality : sql`${equality} AND (${mask})`;
  }

  /** The condition under which a field may be seen; null where that is on every row. */
  visibleWhere(name: string): Sql | null {
    const visibility = this.masked ? this.visibility(name) : 'always';
    if (visibility === 'always') return null;
    return joinSql(
      visibility.flatMap((rule) => (rule.condition ? [this.condition(rule.condition)] : [])),
      ' OR ',
    );
  }

  /** Whether a field is hidden on some of the rows that the caller can read. */
  isMasked(name: string): boolean {
    return this.masked && this.visibility(name) !== 'always';
  }

  one(name: string): RowScope {
    const relation = this.relation(name);
    const target = this.target(relation.target);
    const isMasking = this.masked && this.isMaskedOver(relation);
    const key = `${isMasking ? 'masked' : 'raw'}:${name}`;
    const known = this.row.joined.get(key);
    if (known) return new RowScope(this.context, known.row, this.masked, true);
    const row = new SourceRow(this.context.aliases.next(), target, relation.columns[0]?.target);
    const far = new RowScope(this.context, row, this.masked, true);
    const linked = linkPredicate(this, far, relation.columns);
    // Where conditions of policies are part of it, they may themselves join further rows to either side: so this join
    // is put down only now, after those that it rests on.
    const visible = isMasking ? far.rowPredicate() : null;
    this.row.joined.set(key, { row, on: visible ? sql`${linked} AND ${visible}` : linked });
    return far;
  }

  /** Also of a to-one relation, for embedding it. */
  many(name: string): RowSubquery {
    const relation = this.relation(name);
    const farScope = (collection: string): RowScope =>
      new RowScope(
        this.context,
        new SourceRow(this.context.aliases.next(), this.target(collection)),
        this.masked,
      );
    if (!relation.through) {
      const far = farScope(relation.target);
      return new RowSubquery(far, linkPredicate(this, far, relation.columns));
    }
    const middle = farScope(relation.through.collection);
    const far = farScope(relation.target);
    return new RowSubquery(far, linkPredicate(this, middle, relation.columns), {
      scope: middle,
      on: linkPredicate(middle, far, relation.through.columns),
    });
  }

  /** `"public"."posts" t0 LEFT JOIN ...`: what belongs into `FROM`. */
  source(): Sql {
    return this.row.source();
  }

  /** The same as one operand of a join. */
  group(): Sql {
    return this.row.group();
  }

  /**
   * A text that changes whenever the row is written (`hasRowVersion` collections only): the writing transaction and the
   * row's place, since one transaction may write a row twice.
   */
  version(): Sql {
    return rawSql(`${this.alias}.xmin::text || '-' || ${this.alias}.ctid::text`);
  }

  /** Whether far rows were asked for, so that there are `joins()`. */
  get hasJoins(): boolean {
    return this.row.joined.size > 0;
  }

  /** ` LEFT JOIN ...` for every far row that was asked for, or nothing. */
  joins(): Sql {
    return this.row.joins();
  }

  /** Which rows the caller may read at all; null where that is every row (always so for the raw view). */
  rowPredicate(): Sql | null {
    const access = this.masked ? this.context.access.collection(this.row.collection.name) : undefined;
    if (!access) return this.masked ? rawSql('false') : null;
    const conditions = rowConditions(access);
    if (conditions === null) return null;
    if (conditions.length === 0) return rawSql('false');
    const compiled = conditions.map((condition) => this.condition(condition));
    return compiled.length === 1 ? joinSql(compiled, '') : sql`(${joinSql(compiled, ' OR ')})`;
  }

  private relation(name: string): Relation {
    const relation = this.row.collection.relations.get(name);
    if (!relation) throw new Error(`no relation ${name} in ${this.row.collection.name}`);
    return relation;
  }

  private target(name: string): Collection {
    const target = this.context.catalog.collections.get(name);
    if (!target) throw new Error(`no collection ${name}`);
    return target;
  }

  private visibility(field: string): Exclude<ReturnType<typeof fieldVisibility>, undefined> {
    const access = this.context.access.collection(this.row.collection.name);
    const visibility = access && fieldVisibility(access, field);
    if (visibility === undefined) throw new Error(`field ${field} is not visible and must not be compiled`);
    return visibility;
  }

  /** Whether the masked way over a relation differs from the raw one. */
  private isMaskedOver(relation: Relation): boolean {
    const access = this.context.access.collection(relation.target);
    return (
      access === undefined ||
      rowConditions(access) !== null ||
      relation.columns.some(
        (pair) => this.isMasked(pair.source) || fieldVisibility(access, pair.target) !== 'always',
      )
    );
  }

  private condition(expression: CheckedExpression): Sql {
    const known = this.row.conditions.get(expression);
    if (known) return known;
    const compiled = compileExpression(expression, this.raw);
    this.row.conditions.set(expression, compiled);
    return compiled;
  }
}

/** The far side of a relation, as the source of a correlated subquery. */
export class RowSubquery implements SqlSubquery {
  constructor(
    readonly scope: RowScope,
    private readonly linked: Sql,
    private readonly middle?: { readonly scope: RowScope; readonly on: Sql },
  ) {}

  select(columns: Sql, predicate?: Sql, tail?: Sql): Sql {
    const conditions = [
      this.linked,
      this.middle?.scope.rowPredicate() ?? null,
      this.scope.rowPredicate(),
      predicate ?? null,
    ].filter((condition) => condition !== null);
    // Asked after every condition, because a condition may have joined something.
    const source = this.middle
      ? sql`${this.middle.scope.source()} JOIN ${this.scope.group()} ON ${this.middle.on}`
      : this.scope.source();
    const where = joinSql(conditions, ' AND ');
    return sql`SELECT ${columns} FROM ${source} WHERE ${where}${tail ?? rawSql('')}`;
  }
}

function linkPredicate(near: RowScope, far: RowScope, pairs: readonly ColumnPair[]): Sql {
  const equalities = pairs.map((pair) => far.equals(pair.target, near.field(pair.source).sql));
  return joinSql(equalities, ' AND ');
}
