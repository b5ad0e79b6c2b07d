import type { DataType } from '@plinth/schema';
import type { Sql } from './sql.js';

/**
 * What names mean in an expression: the fields and relations of one kind of record, as far as the writer of the
 * expression may know of them. A name that is not here does not exist.
 */
export interface RecordSchema {
  /** The collection's name, for messages. */
  readonly name: string;
  field(name: string): FieldSchema | undefined;
  relation(name: string): RelationSchema | undefined;
  /** Every field and relation name, for near-match suggestions. */
  names(): Iterable<string>;
}

export interface FieldSchema {
  readonly type: DataType;
  readonly nullable: boolean;
}

export interface RelationSchema {
  readonly target: RecordSchema;
  readonly isList: boolean;
}

/** Where an expression stands when it becomes SQL: the row it speaks of, and the ways to other rows. */
export interface SqlScope {
  /**
   * Something that is null exactly where this row is missing: a not-null column of the far side under its raw name, say,
   * whatever the caller may see of it. Needed for `author == null` and `has(author)` only. Without it the compiler takes
   * the first field that is not nullable.
   */
  readonly presence?: Sql;
  field(name: string): SqlField;
  /**
   * The far side of a to-one relation. It is joined once (`LEFT JOIN`), however often it is asked for, by whoever owns
   * the scope; all its fields are null where there is no far row or the caller may not see it.
   */
  one(relation: string): SqlScope;
  /** A subquery over the far side of a list relation, under a fresh alias at each call. */
  many(relation: string): SqlSubquery;
}

export interface SqlField {
  readonly sql: Sql;
  readonly nullable: boolean;
  readonly type: DataType;
}

export interface SqlSubquery {
  /** The far row, inside the subquery. */
  readonly scope: SqlScope;
  /**
   * `SELECT {columns} FROM far ... WHERE {joined to the near row, visible to the caller} [AND {predicate}]`, with the
   * joins that were asked of `scope` meanwhile; without parentheses around it.
   */
  select(columns: Sql, predicate?: Sql): Sql;
}
