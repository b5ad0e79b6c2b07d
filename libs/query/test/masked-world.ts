import type { Catalog, Relation } from '@plinth/schema';

export type Row = Readonly<Record<string, unknown>>;

/** A read rule twice over: in CEL for the compiler, and in TypeScript for this second implementation. */
export interface DoubleRule {
  readonly condition: DoubleCondition | null;
  readonly fields: readonly string[] | '*';
}

export interface DoubleCondition {
  readonly cel: string;
  readonly holds: (row: RowView) => boolean;
}

/**
 * What a caller sees of a database, worked out row by row in memory: a second implementation of the access rules, to
 * hold the compiled statements against. It is slow and plain on purpose.
 */
export class MaskedWorld {
  constructor(
    readonly catalog: Catalog,
    private readonly tables: Readonly<Record<string, readonly Row[]>>,
    /** Null for the world as it is stored. */
    private readonly rules: Readonly<Record<string, readonly DoubleRule[]>> | null,
  ) {}

  rulesOf(collection: string): readonly DoubleRule[] {
    return this.rules ? (this.rules[collection] ?? []) : [{ condition: null, fields: '*' }];
  }

  hasField(collection: string, field: string): boolean {
    const isKnown = this.catalog.collections.get(collection)?.fields.has(field) === true;
    return isKnown && this.rulesOf(collection).some(({ fields }) => fields === '*' || fields.includes(field));
  }

  relation(collection: string, name: string): Relation | undefined {
    const relation = this.catalog.collections.get(collection)?.relations.get(name);
    if (!relation) return undefined;
    const middle = relation.through?.collection ?? relation.target;
    const isThere = [
      ...relation.columns.flatMap((pair) => [
        this.hasField(collection, pair.source),
        this.hasField(middle, pair.target),
      ]),
      ...(relation.through?.columns.flatMap((pair) => [
        this.hasField(middle, pair.source),
        this.hasField(relation.target, pair.target),
      ]) ?? []),
    ].every(Boolean);
    return isThere ? relation : undefined;
  }

  rows(collection: string): readonly RowView[] {
    return (this.tables[collection] ?? [])
      .map((row) => new RowView(this, collection, row))
      .filter((view) => view.matching.length > 0);
  }

  /** The same world without rules: what the conditions of rules speak of. */
  get raw(): MaskedWorld {
    return this.rules ? new MaskedWorld(this.catalog, this.tables, null) : this;
  }
}

export class RowView {
  /** The rules that show the row. */
  readonly matching: readonly DoubleRule[];

  constructor(
    private readonly world: MaskedWorld,
    readonly collection: string,
    readonly stored: Row,
  ) {
    this.matching = world.rulesOf(collection).filter(({ condition }) => {
      return condition === null || condition.holds(new RowView(world.raw, collection, stored));
    });
  }

  /** The field's value, null where it is hidden on this row. */
  get(field: string): unknown {
    const isVisible = this.matching.some(({ fields }) => fields === '*' || fields.includes(field));
    return isVisible ? (this.stored[field] ?? null) : null;
  }

  many(name: string): readonly RowView[] {
    const relation = this.world.relation(this.collection, name);
    if (!relation) throw new Error(`no relation ${name}`);
    const { through } = relation;
    if (!through) return linked(this, this.world.rows(relation.target), relation.columns);
    const middle = linked(this, this.world.rows(through.collection), relation.columns);
    return middle.flatMap((view) => linked(view, this.world.rows(relation.target), through.columns));
  }

  one(name: string): RowView | null {
    return this.many(name)[0] ?? null;
  }
}

const linked = (near: RowView, far: readonly RowView[], pairs: Relation['columns']): readonly RowView[] =>
  far.filter((view) =>
    pairs.every((pair) => near.get(pair.source) !== null && near.get(pair.source) === view.get(pair.target)),
  );
