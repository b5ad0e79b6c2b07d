import type { Catalog, Collection } from '@plinth/schema';

/**
 * A name in the letters that component keys and operation ids may have (`A-Z a-z 0-9 _`). Every other character is
 * written as its code point in hexadecimal between hyphens, so that two names never become one: `größe` is
 * `gr-f6--df-e`. A hyphen is thus never followed by anything but hexadecimal digits, which leaves `-create` and its
 * like free for the kinds of schemas that a collection has.
 */
export function encodeName(name: string): string {
  // Tools keep components in plain objects, where this key would set the prototype.
  if (name === '__proto__') return '-5f-_proto__';
  return name.replaceAll(
    /[^A-Za-z0-9_]/gu,
    (character) => `-${(character.codePointAt(0) ?? 0).toString(16)}-`,
  );
}

/** `posts` in the first exposed schema, `billing.invoices` elsewhere; each part encoded. */
export function encodeQualified(catalog: Pick<Catalog, 'schemas'>, schema: string, name: string): string {
  return schema === catalog.schemas[0] ? encodeName(name) : `${encodeName(schema)}.${encodeName(name)}`;
}

export type SchemaKind = 'selection' | 'create' | 'upsert' | 'patch' | 'replace' | 'aggregate';

/** Names of the schemas of one collection; `reserved` are those of schemas that belong to no collection. */
export class CollectionNames {
  readonly base: string;

  constructor(catalog: Pick<Catalog, 'schemas'>, collection: Collection, reserved: ReadonlySet<string>) {
    const name = encodeQualified(catalog, collection.schema, collection.table);
    this.base = reserved.has(name) ? `${name}-table` : name;
  }

  /** The record itself, with all fields. */
  get record(): string {
    return this.base;
  }

  of(kind: SchemaKind | 'fields' | 'filter' | 'sort' | 'relations'): string {
    return `${this.base}-${kind}`;
  }

  /** For `list`, `get`, ...: words that hold a letter past `f`, so that they are no encoded character. */
  operation(
    verb:
      'list' | 'get' | 'create' | 'update' | 'replace' | 'delete' | 'updateMany' | 'deleteMany' | 'aggregate',
  ): string {
    return `${this.base}-${verb}`;
  }
}
