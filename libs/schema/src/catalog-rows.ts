/** What the catalog statement gives, before it becomes the model: object ids and column numbers instead of names. */
export interface CatalogRows {
  readonly collections: readonly CollectionRow[] | null;
  readonly fields: readonly FieldRow[] | null;
  readonly types: readonly TypeRow[] | null;
  readonly indexes: readonly IndexRow[] | null;
  readonly checks: readonly CheckRow[] | null;
  readonly foreignKeys: readonly ForeignKeyRow[] | null;
}

export interface CollectionRow {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
  /** `relkind`. */
  readonly kind: string;
  readonly comment: string | null;
  /** One of Plinth's own tables, which records never change. */
  readonly isReadOnly: boolean;
  /** Somebody holds it exclusively, so that what would lock it was not read. */
  readonly isBusy: boolean;
  /** Views and foreign tables: bits of `pg_relation_is_updatable`. */
  readonly events: number | null;
  /** Views: `tgtype` bits of all INSTEAD OF triggers together. */
  readonly triggerEvents: number | null;
  readonly divertsWrites: boolean;
  readonly hasUsage: boolean | null;
  readonly select: boolean | null;
  readonly insert: boolean | null;
  readonly update: boolean | null;
  readonly delete: boolean | null;
}

/** A type as a column, a domain or a composite uses it. */
export interface TypeUse {
  readonly type: number;
  /** `atttypmod`; -1 for none. */
  readonly modifier: number;
  /** `format_type` with the modifier, null where there is none. */
  readonly formatted: string | null;
}

export interface FieldRow extends TypeUse {
  readonly collection: number;
  readonly position: number;
  readonly name: string;
  readonly notNull: boolean;
  readonly default: string | null;
  /** `attidentity`. */
  readonly identity: string;
  /** `attgenerated`. */
  readonly generated: string;
  readonly comment: string | null;
  /** Whether the column's collation takes different texts for equal. */
  readonly isNondeterministic: boolean;
  /** Views: whether update and delete reach through this column. */
  readonly updatable: boolean | null;
}

export interface TypeRow {
  readonly oid: number;
  /** `typtype`. */
  readonly kind: string;
  readonly schema: string;
  readonly name: string;
  /** Quoted where needed, always with its schema. */
  readonly qualified: string;
  /** `format_type` without a modifier. */
  readonly formatted: string;
  readonly notNull: boolean;
  readonly base: number;
  readonly baseModifier: number;
  readonly baseFormatted: string | null;
  /** The element type of an array, else 0. */
  readonly element: number;
  readonly labels: readonly string[] | null;
  readonly checks: readonly string[] | null;
  readonly attributes: readonly (TypeUse & { readonly name: string })[] | null;
  readonly subtype: number | null;
}

export interface IndexRow {
  readonly collection: number;
  readonly name: string;
  /** Column numbers, 0 for an expression; the first `keyCount` are the key, the rest are `INCLUDE`d. */
  readonly positions: readonly number[];
  readonly keyCount: number;
  readonly isUnique: boolean;
  readonly isPrimary: boolean;
  /** `WITHOUT OVERLAPS`. */
  readonly isTemporal: boolean;
  readonly isDeferrable: boolean;
  readonly isPartial: boolean;
  readonly nullsNotDistinct: boolean;
  readonly method: string;
  readonly predicate: string | null;
  readonly definition: string | null;
}

export interface CheckRow {
  readonly collection: number;
  readonly name: string;
  readonly positions: readonly number[] | null;
  readonly definition: string | null;
}

export interface ForeignKeyRow {
  readonly collection: number;
  readonly name: string;
  readonly positions: readonly number[];
  readonly target: number;
  readonly targetSchema: string;
  readonly targetTable: string;
  readonly targetFields: readonly string[];
  /** `confdeltype`, `confupdtype`. */
  readonly onDelete: string;
  readonly onUpdate: string;
  /** False where rows may break the key: `NOT VALID`, `NOT ENFORCED`. */
  readonly isProven: boolean;
  /** A `PERIOD` key: its last column matches by containment, not by equality. */
  readonly isTemporal: boolean;
}
