import type { Catalog, Field, Relation } from '@plinth/schema';
import { CollectionNames } from './component-names.js';
import type { CollectionView, WritableFields } from './caller-view.js';
import type { Components } from './components.js';
import { findDefault } from './default-value.js';
import { asMarkdown } from './markdown.js';
import { objectProperties, required } from './object-properties.js';
import type { Reference, Schema } from './openapi-types.js';
import { isNotNullType, nullable, TypeSchemas } from './type-schema.js';

/** The schemas of records: as they are answered and as they may be sent. */
export class RecordSchemas {
  readonly types: TypeSchemas;
  private readonly views: ReadonlyMap<string, CollectionView>;
  private readonly names = new Map<string, CollectionNames>();

  constructor(
    private readonly catalog: Catalog,
    views: readonly CollectionView[],
    private readonly components: Components,
    private readonly reservedNames: ReadonlySet<string>,
  ) {
    this.types = new TypeSchemas(catalog, components);
    this.views = new Map(views.map((view) => [view.collection.name, view]));
  }

  namesOf({ collection }: CollectionView): CollectionNames {
    let names = this.names.get(collection.name);
    if (!names) {
      names = new CollectionNames(this.catalog, collection, this.reservedNames);
      this.names.set(collection.name, names);
    }
    return names;
  }

  /**
   * A record in an answer. Without `fields` (and under `*`) it is the first of the two, with it the second; a client
   * that knows what it asked for can take the one that applies.
   */
  answer(view: CollectionView): Schema {
    return { anyOf: [this.record(view), this.selection(view)] };
  }

  /** All fields that the caller may read. */
  record(view: CollectionView): Reference {
    return this.components.schema(this.namesOf(view).record, () => ({
      description: `${describeCollection(view)} With all its fields, as it is answered unless \`fields\` says otherwise.`,
      allOf: [this.selection(view)],
      type: 'object',
      ...required(view.fields.map(({ field }) => field.name)),
    }));
  }

  /** Any part of the fields, and embedded relations. */
  selection(view: CollectionView): Reference {
    return this.components.schema(this.namesOf(view).of('selection'), () => ({
      description: `${describeCollection(view)} What \`fields\` asks for.`,
      type: 'object',
      ...objectProperties(this.selectionProperties(view)),
      additionalProperties: false,
    }));
  }

  createInput(view: CollectionView, writable: WritableFields): Reference {
    return this.components.schema(this.namesOf(view).of('create'), () => ({
      description: `A new record of ${asMarkdown(view.collection.name)}. What is left out gets its default.`,
      ...this.input(writable, true),
    }));
  }

  upsertInput(view: CollectionView, writable: WritableFields): Reference {
    return this.components.schema(this.namesOf(view).of('upsert'), () => ({
      description:
        `With \`upsertOn\`: a record of ${asMarkdown(view.collection.name)}, new or not. The fields of the unique key ` +
        'must be there. What is left out stays as it is, or gets its default in a new record.',
      ...this.input(writable, false),
    }));
  }

  patchInput(view: CollectionView, writable: WritableFields): Reference {
    return this.components.schema(this.namesOf(view).of('patch'), () => ({
      description:
        `Changes to a record of ${asMarkdown(view.collection.name)}, as a merge patch (RFC 7396): what is left out ` +
        'stays, null empties a field, an object changes the members that it names of a JSON field.',
      ...this.input(writable, false),
    }));
  }

  replaceInput(view: CollectionView, writable: WritableFields): Reference {
    return this.components.schema(this.namesOf(view).of('replace'), () => ({
      description:
        `The whole record of ${asMarkdown(view.collection.name)}. What is left out gets its default. The key is that ` +
        'of the path; it may be repeated here.',
      ...this.input(writable, true),
    }));
  }

  private selectionProperties(view: CollectionView): ReadonlyMap<string, Schema> {
    const writable = new Set([...(view.create?.fields ?? []), ...(view.update?.fields ?? [])]);
    const properties = new Map<string, Schema>();
    for (const { field, isNullable } of view.fields) {
      const schema = describe(this.types.column(field.type, isNullable, 'read'), field);
      properties.set(field.name, writable.has(field) ? schema : { ...schema, readOnly: true });
    }
    for (const relation of view.relations) {
      const embedded = this.embedded(relation);
      if (!embedded) continue;
      const field = properties.get(relation.name);
      properties.set(relation.name, field ? alternative(field, embedded) : embedded);
    }
    return properties;
  }

  /** Another record, or a list of them, where `fields` embeds it. */
  private embedded(relation: Relation): Schema | null {
    const target = this.views.get(relation.target);
    if (!target) return null;
    const name = asMarkdown(relation.target);
    if (relation.isList) {
      return {
        description: `Records of ${name}, where \`fields\` embeds them.`,
        readOnly: true,
        type: 'array',
        items: this.answer(target),
      };
    }
    return {
      description: `The record of ${name}, where \`fields\` embeds it. Null where there is none to be seen.`,
      readOnly: true,
      ...nullable(this.answer(target)),
    };
  }

  private input({ fields, required: needed }: WritableFields, hasDefaults: boolean): Schema {
    return {
      type: 'object',
      ...objectProperties(
        fields.map((field): [string, Schema] => {
          const schema = describe(
            this.types.column(field.type, field.nullable && !isNotNullType(field.type), 'write'),
            field,
          );
          const value = hasDefaults ? findDefault(field) : undefined;
          return [field.name, value === undefined ? schema : { ...schema, default: value }];
        }),
      ),
      ...required(needed),
      additionalProperties: false,
    };
  }
}

export function describeCollection({ collection }: CollectionView): string {
  const comment = collection.comment?.trim();
  return comment ? sentence(comment) : `A record of ${asMarkdown(collection.name)}.`;
}

/** Text of a comment as a sentence that others can follow. */
function sentence(comment: string): string {
  const text = asMarkdown(comment);
  return /[.!?:]$/.test(text) ? text : `${text}.`;
}

function describe(schema: Schema, field: Field): Schema {
  return field.comment ? { ...schema, description: asMarkdown(field.comment) } : schema;
}

/** A relation that is named like its column: the key of the answer holds the one that was asked for. */
function alternative(field: Schema, embedded: Schema): Schema {
  const { description, readOnly: _readOnly, ...plain } = field;
  const { description: _description, readOnly: _embeddedReadOnly, ...far } = embedded;
  const options = [...(plain.anyOf ?? [plain]), ...(far.anyOf ?? [far])];
  // Null is in both; once is enough.
  const distinct = options.filter(
    (option, index) => option.type !== 'null' || options.findIndex(({ type }) => type === 'null') === index,
  );
  return {
    description: `${description ? `${sentence(description)} ` : ''}The field, or the record where \`fields\` embeds it.`,
    anyOf: distinct,
  };
}
