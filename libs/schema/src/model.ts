/**
 * The catalog: what a PostgreSQL database holds, as plain immutable data.
 *
 * Everything Plinth knows about structure is in one `Catalog` object. It is read from the system catalogs
 * (`readCatalog`), never edited; a change of the schema gives a new object.
 */

/** A type of PostgreSQL, resolved as deep as it goes. */
export type DataType = ScalarType | EnumType | DomainType | ArrayType | CompositeType | RangeType;

interface TypeSpelling {
  /** The type with its modifiers, quoted and schema-qualified as needed: `character varying(160)`. */
  readonly sql: string;
  /**
   * The same without modifiers, for casts that must not truncate or round: `character varying`. For a domain that of
   * its base, so that a value which breaks the domain's checks can be compared without an error.
   */
  readonly castSql: string;
}

/** A base type, by its name in `pg_type`: `int4`, `text`, `varchar`, `timestamptz`, `jsonb`, `uuid`, `inet`, ... */
export interface ScalarType extends TypeSpelling {
  readonly kind: 'scalar';
  readonly name: string;
  /** Characters, for `varchar(n)` and `char(n)`; bits, for `bit(n)` and `varbit(n)`. */
  readonly maxLength?: number;
  /** Digits in all, for `numeric(p, s)`. */
  readonly precision?: number;
  /** Digits after the point, for `numeric(p, s)`; may be negative. */
  readonly scale?: number;
  /** True where a text's collation is nondeterministic: `=` holds for texts that are not the same. */
  readonly isNondeterministic?: boolean;
}

export interface EnumType extends TypeSpelling {
  readonly kind: 'enum';
  readonly schema: string;
  readonly name: string;
  /** Labels in sort order. */
  readonly values: readonly string[];
}

export interface DomainType extends TypeSpelling {
  readonly kind: 'domain';
  readonly schema: string;
  readonly name: string;
  readonly base: DataType;
  readonly notNull: boolean;
  /** The text of each check constraint, as PostgreSQL prints it. */
  readonly checks: readonly string[];
}

/** An array of any number of dimensions; PostgreSQL does not fix them. */
export interface ArrayType extends TypeSpelling {
  readonly kind: 'array';
  readonly element: DataType;
}

export interface CompositeType extends TypeSpelling {
  readonly kind: 'composite';
  readonly schema: string;
  readonly name: string;
  readonly fields: readonly { readonly name: string; readonly type: DataType }[];
}

export interface RangeType extends TypeSpelling {
  readonly kind: 'range' | 'multirange';
  readonly schema: string;
  readonly name: string;
  readonly subtype: DataType;
}

/** A column. */
export interface Field {
  readonly name: string;
  /** `attnum`: 1-based, with gaps where columns were dropped. */
  readonly position: number;
  readonly type: DataType;
  readonly nullable: boolean;
  /** The default's SQL text (that of the domain where the column has none), or null. Null for generated columns. */
  readonly default: string | null;
  readonly identity: 'always' | 'by-default' | null;
  readonly generated: 'stored' | 'virtual' | null;
  readonly comment: string | null;
  /** False where no statement may set it: generated, identity always, a computed column of a view. */
  readonly writable: boolean;
}

export interface UniqueKey {
  readonly name: string;
  readonly fields: readonly string[];
  readonly isPrimary: boolean;
  readonly nullsNotDistinct: boolean;
  /** True where uniqueness may wait for the end of the transaction; such a key is of no use to `ON CONFLICT`. */
  readonly isDeferrable?: boolean;
}

export interface CheckConstraint {
  readonly name: string;
  readonly fields: readonly string[];
  /** `CHECK (...)` as PostgreSQL prints it. */
  readonly definition: string;
}

export type ReferentialAction = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';

export interface ForeignKey {
  readonly name: string;
  readonly fields: readonly string[];
  readonly targetSchema: string;
  readonly targetTable: string;
  /** The target collection's name, or null where its schema is not exposed. */
  readonly target: string | null;
  readonly targetFields: readonly string[];
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
}

export interface Index {
  readonly name: string;
  /** Key columns in order; null where the key is an expression. */
  readonly fields: readonly (string | null)[];
  readonly isUnique: boolean;
  /** `btree`, `gin`, ... */
  readonly method: string;
  /** The predicate of a partial index, or null. */
  readonly predicate: string | null;
  /** `CREATE INDEX ...` as PostgreSQL prints it. */
  readonly definition: string;
}

/**
 * A foreign key as it is seen from one of its sides, or two of them through a join table.
 *
 * How relations get their names is told at `nameRelations`. A forward relation may have the name of its key's own column
 * (column `author` gives relation `author`): the bare name is then the field, and the relation is meant where something
 * is asked behind it (`author(name)`, `author.name`). Otherwise no relation has the name of a field.
 */
export interface Relation {
  readonly name: string;
  /** The forward side is always `many-to-one`; `one-to-one` is the reverse side of a unique key. */
  readonly kind: 'many-to-one' | 'one-to-one' | 'one-to-many' | 'many-to-many';
  /** True where the far side is a list. */
  readonly isList: boolean;
  /** The far collection's name. */
  readonly target: string;
  /**
   * Pairs of columns that must be equal. For `many-to-many` these join this collection to the join table; the second
   * half of the way is in `through`.
   */
  readonly columns: readonly ColumnPair[];
  /**
   * True where the far side may be missing: always for a reverse side; forward where a column may be null, or where
   * rows may break the key because it is `NOT VALID` or `NOT ENFORCED`.
   */
  readonly nullable: boolean;
  /** The foreign key's name, of this table for `many-to-one`, of the other one for a reverse side. */
  readonly foreignKey: string;
  readonly through?: {
    /** The join table's collection name. */
    readonly collection: string;
    /** Pairs of columns from the join table (`source`) to the far collection (`target`). */
    readonly columns: readonly ColumnPair[];
  };
}

export interface ColumnPair {
  readonly source: string;
  readonly target: string;
}

export type CollectionKind = 'table' | 'partitioned-table' | 'view' | 'materialized-view' | 'foreign-table';

/** A table, view, materialised view or foreign table in an exposed schema. */
export interface Collection {
  /** The name in the API: `posts` in the first exposed schema, `billing.invoices` elsewhere. See `nameCollection`. */
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  readonly oid: number;
  readonly kind: CollectionKind;
  readonly comment: string | null;
  readonly fields: ReadonlyMap<string, Field>;
  /** Field names of the primary key in key order; empty where there is none. */
  readonly primaryKey: readonly string[];
  readonly uniqueKeys: readonly UniqueKey[];
  readonly checks: readonly CheckConstraint[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly indexes: readonly Index[];
  readonly relations: ReadonlyMap<string, Relation>;
  /** What PostgreSQL can do with it at all (a view may not be updatable). */
  readonly insertable: boolean;
  readonly updatable: boolean;
  readonly deletable: boolean;
  /**
   * True where rows have `xmin` and `ctid` in every statement, so that a version of a row can be told: tables, not
   * views, and not partitioned tables, where an INSERT cannot return them.
   */
  readonly hasRowVersion: boolean;
  /**
   * Whether a write may do something else than it says: there are triggers that run before it, or rules, or child tables
   * with triggers and rules of their own.
   */
  readonly divertsWrites: boolean;
  /** What the connected database role has been granted on the whole table, with USAGE on its schema. */
  readonly privileges: {
    readonly select: boolean;
    readonly insert: boolean;
    readonly update: boolean;
    readonly delete: boolean;
  };
}

export interface Catalog {
  /** A digest of all that is below: equal catalogs have equal versions. 16 hex digits. */
  readonly version: string;
  /** Exposed schemas in order; collections of the first have no prefix. */
  readonly schemas: readonly string[];
  /** By name in the API. */
  readonly collections: ReadonlyMap<string, Collection>;
  /**
   * True where somebody holds a table exclusively, so that the definitions of its checks and indexes, or what a view can
   * do, could not be read. They are those of the catalog before, or missing: an empty text, not writable. Read again
   * soon. Not part of the version.
   */
  readonly isProvisional?: boolean;
}
