import { identifier, joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import type { Catalog, Collection } from '@plinth/schema';
import type { AccessView } from '../../access.js';
import { AliasSource, createScope, type RowScope } from '../../scope.js';
import { quotedColumn } from '../../sql-text.js';

/** What statements are compiled against. */
export interface WriteContext {
  readonly catalog: Catalog;
  readonly access: AccessView;
}

/** Compiles the rows of one collection in one statement: its table, and the common table expressions like it. */
export class RowSources {
  private readonly aliases = new AliasSource();

  constructor(
    private readonly context: WriteContext,
    readonly collection: Collection,
  ) {}

  /** A masked scope over the table or over rows with the same columns; policies take its `raw` view. */
  scope(alias = this.aliases.next()): RowScope {
    const { collection, aliases } = this;
    return createScope({ ...this.context, collection, alias, aliases, masked: true });
  }

  alias(): Sql {
    return rawSql(this.aliases.next());
  }

  get table(): Sql {
    return identifier(this.collection.schema, this.collection.table);
  }

  column(alias: Sql, name: string): Sql {
    return sql`${alias}.${rawSql(quotedColumn(name))}`;
  }

  /** Every column, and what tells the row's version: names of system columns, which no user's column can have. */
  storedColumns(alias: Sql): Sql {
    const columns = [...this.collection.fields.keys()].map((name) => this.column(alias, name));
    if (this.collection.hasRowVersion) columns.push(sql`${alias}.xmin`, sql`${alias}.ctid`);
    return joinSql(columns, ', ');
  }

  /** The fields that tell a row for ever: the primary key, or a unique key without nulls; none in some tables. */
  get identity(): readonly string[] {
    const { primaryKey, uniqueKeys, fields } = this.collection;
    if (primaryKey.length > 0) return primaryKey;
    const isComplete = (name: string): boolean => fields.get(name)?.nullable === false;
    return uniqueKeys.find((key) => key.fields.every(isComplete))?.fields ?? [];
  }

  /**
   * Whether two aliases stand for the same stored row. By its identity and not by place where there is one, because a
   * row that was locked after someone else's update has a place that the statement's snapshot does not show.
   */
  isSameRow(near: Sql, far: Sql): Sql {
    if (this.identity.length === 0) return sql`${near}.ctid = ${far}.ctid`;
    const equalities = this.identity.map(
      (name) => sql`${this.column(near, name)} = ${this.column(far, name)}`,
    );
    return joinSql(equalities, ' AND ');
  }

  keyColumns(alias: Sql): Sql {
    return joinSql(
      this.identity.map((name) => this.column(alias, name)),
      ', ',
    );
  }

  /** A name for a further column beside the collection's own. */
  freshName(preferred: string): Sql {
    let name = preferred;
    while (this.collection.fields.has(name)) name += '_';
    return rawSql(name);
  }
}

/** `WHERE` with all of the conditions, or nothing. */
export function where(conditions: readonly (Sql | null)[]): Sql {
  const present = conditions.filter((condition) => condition !== null);
  return present.length === 0 ? rawSql('') : sql` WHERE ${joinSql(present, ' AND ')}`;
}

/** All of the conditions as a value, true where there is none. */
export function allOf(conditions: readonly Sql[]): Sql {
  return conditions.length === 0 ? rawSql('true') : joinSql(conditions, ' AND ');
}

/** `WITH` over named statements, in order. */
export const withClause = (parts: readonly Sql[]): Sql => sql`WITH ${joinSql(parts, ',\n')}\n`;
