import { printKeyNames, printName } from '@plinth/query';
import type { Field } from '@plinth/schema';
import type { CollectionView } from './caller-view.js';
import type { CollectionNames } from './component-names.js';
import type { Components } from './components.js';
import { describeRelations, exampleFilter } from './examples.js';
import { asCode, listNames } from './markdown.js';
import type { Parameter, Reference, Schema } from './openapi-types.js';
import type { TypeSchemas } from './type-schema.js';

/** Bounds of requests that the document tells. */
export interface DocumentLimits {
  readonly defaultLimit: number;
  readonly maxLimit: number;
  readonly maxOffset: number;
  readonly defaultGroups: number;
  readonly maxGroups: number;
  readonly maxSearchLength: number;
  readonly maxBatchOperations: number;
  /** Whether requests are counted. */
  readonly hasRateLimits: boolean;
  /** Whether records are read from standbys. */
  readonly hasReplicas: boolean;
}

/** The parameters of operations: those of one collection, and those that all share. */
export class RequestParameters {
  constructor(
    private readonly components: Components,
    private readonly types: TypeSchemas,
    private readonly limits: DocumentLimits,
  ) {}

  fields(view: CollectionView, names: CollectionNames): Reference {
    return this.query(names.of('fields'), 'fields', () => ({
      description: [
        'What of a record is answered: fields, `*` for all of them, and related records with what of them in ' +
          'parentheses, such as `id,author(name)`. Without it, all fields.',
        `Fields: ${listNames(view.fields.map(({ field }) => field.name))}.`,
        ...describeRelations(view),
      ].join('\n\n'),
      schema: { type: 'string' },
    }));
  }

  filter(view: CollectionView, names: CollectionNames): Reference {
    return this.components.parameter(names.of('filter'), () => this.filterOf(view));
  }

  filterOf(view: CollectionView): Parameter {
    const example = exampleFilter(view);
    return {
      name: 'filter',
      in: 'query',
      description: [
        'A CEL expression over the fields of a record and of those related to it; records for which it is true are taken.',
        ...(example === null ? [] : [`For instance ${asCode(example)}.`]),
      ].join(' '),
      schema: { type: 'string' },
    };
  }

  sort(view: CollectionView, names: CollectionNames): Reference {
    return this.query(names.of('sort'), 'sort', () => ({
      description:
        'Fields to sort by, separated by commas, each with `-` before it to sort downwards; `author.name` sorts by a ' +
        `field of a related record. Fields: ${listNames(view.fields.map(({ field }) => field.name))}.`,
      schema: { type: 'string' },
    }));
  }

  /** `comments.limit` and its like, as one exploded object: each property is a parameter of its own. */
  relations(view: CollectionView, names: CollectionNames): Reference[] {
    if (view.relations.length === 0) return [];
    const limit = this.limitSchema(this.limits.defaultLimit, this.limits.maxLimit);
    const text: Schema = { type: 'string' };
    const parameter = this.components.parameter(names.of('relations'), () => ({
      name: 'relations',
      in: 'query',
      description:
        'Bounds for the records that `fields` embeds: each property is a query parameter of its own, such as ' +
        '`comments.limit=5`. Relations inside of others are named by their path: `comments.author.filter`.',
      style: 'form',
      explode: true,
      example: {},
      schema: {
        type: 'object',
        properties: Object.fromEntries(
          view.relations.flatMap(({ name, isList }): [string, Schema][] => {
            const path = printName(name);
            const filter: [string, Schema] = [`${path}.filter`, text];
            return isList ? [[`${path}.limit`, limit], [`${path}.sort`, text], filter] : [filter];
          }),
        ),
        patternProperties: {
          [String.raw`.\.[\s\S]+\.limit$`]: { type: 'integer', minimum: 1, maximum: this.limits.maxLimit },
          [String.raw`.\.[\s\S]+\.(sort|filter)$`]: text,
        },
        additionalProperties: false,
      },
    }));
    return [parameter];
  }

  upsertOn({ upsert, create }: CollectionView): Parameter[] {
    if (!upsert) return [];
    return [
      {
        name: 'upsertOn',
        in: 'query',
        required: create === null,
        description:
          'The fields of a unique key, separated by commas. A record that has the same values of them already is ' +
          'updated instead: what is sent is changed, the rest stays.',
        schema: { type: 'string', enum: upsert.keys.map((key) => printKeyNames(key)) },
      },
    ];
  }

  /** The record's key in the path; several fields are separated by commas. */
  key(key: readonly Field[]): Parameter {
    const schemas = key.map(({ type }) => keySchema(this.types.column(type, false, 'write')));
    const [first, ...others] = schemas;
    const name = key.map((field) => asCode(field.name)).join(', ');
    if (first && others.length === 0) {
      return {
        name: 'id',
        in: 'path',
        required: true,
        description: `The key of the record: ${name}.`,
        schema: first,
      };
    }
    return {
      name: 'id',
      in: 'path',
      required: true,
      description: `The key of the record: ${name}, separated by commas, each percent-encoded.`,
      style: 'simple',
      explode: false,
      schema: {
        type: 'array',
        prefixItems: schemas,
        items: { type: ['string', 'integer', 'number', 'boolean'] },
        minItems: schemas.length,
        maxItems: schemas.length,
      },
    };
  }

  limit(): Reference {
    return this.query('limit', 'limit', () => ({
      description: 'How many records, at most, are answered.',
      schema: this.limitSchema(this.limits.defaultLimit, this.limits.maxLimit),
    }));
  }

  groupLimit(): Parameter {
    return {
      name: 'limit',
      in: 'query',
      description: 'How many groups, at most, are answered.',
      schema: this.limitSchema(this.limits.defaultGroups, this.limits.maxGroups),
    };
  }

  cursor(): Reference {
    return this.query('cursor', 'cursor', () => ({
      description:
        'Where the page begins: `page.next` of the page before. Filter, sort and search must be the same as there.',
      schema: { type: 'string' },
    }));
  }

  offset(): Reference {
    return this.query('offset', 'offset', () => ({
      description: 'How many records to leave out at the front; for small jumps. Excludes `cursor`.',
      schema: { type: 'integer', minimum: 0, maximum: this.limits.maxOffset, default: 0 },
    }));
  }

  count(): Reference {
    return this.query('count', 'count', () => ({
      description:
        'Adds `page.total`: counted exactly, or as estimated by the database, which is always fast.',
      schema: { type: 'string', enum: ['exact', 'estimated'] },
    }));
  }

  search(): Reference {
    return this.query('search', 'search', () => ({
      description:
        'Words that are looked for in the text fields that the caller may read, as a search engine does it.',
      schema: { type: 'string', maxLength: this.limits.maxSearchLength },
    }));
  }

  ifMatch(): Reference {
    return this.header(
      'If-Match',
      'The change is made only if the record still has one of these entity tags (`*`: any).',
    );
  }

  ifNoneMatch(): Reference {
    return this.header(
      'If-None-Match',
      'If the record still has one of these entity tags, the answer is 304 without it.',
    );
  }

  ifNoneMatchAny(): Parameter {
    return {
      name: 'If-None-Match',
      in: 'header',
      description: 'With `*`, the record is created and an existing one is not replaced.',
      schema: { type: 'string', enum: ['*'] },
    };
  }

  /** What a read must see, where that is not always everything. */
  position(): Reference[] {
    if (!this.limits.hasReplicas) return [];
    const description =
      'What the answer to a write said in this header: the records are read as they were after that write, or later.';
    return [this.header('Plinth-Position', description)];
  }

  prefer(): Reference {
    return this.header(
      'Prefer',
      '`return=minimal` leaves the records out of the answer, `return=representation` puts those in that were deleted (RFC 7240).',
    );
  }

  idempotencyKey(): Reference {
    return this.components.parameter('Idempotency-Key', () => ({
      name: 'Idempotency-Key',
      in: 'header',
      description:
        'Makes a retry safe: a second request with the same key gets the answer to the first and changes nothing. A ' +
        'UUID is a good one.',
      schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
    }));
  }

  private header(name: string, description: string): Reference {
    return this.components.parameter(name, () => ({
      name,
      in: 'header',
      description,
      schema: { type: 'string' },
    }));
  }

  private query(
    component: string,
    name: string,
    build: () => Pick<Parameter, 'description' | 'schema'>,
  ): Reference {
    return this.components.parameter(component, () => ({ name, in: 'query', ...build() }));
  }

  private limitSchema(usual: number, maximum: number): Schema {
    return { type: 'integer', minimum: 1, maximum, default: Math.min(usual, maximum) };
  }
}

/** A part of a path is text: what is no number, truth value or restricted text is any text that is not empty. */
function keySchema(schema: Schema): Schema {
  if (schema.type === 'string') return { minLength: 1, ...schema };
  const isPlain = schema.$ref !== undefined || schema.anyOf !== undefined || typeof schema.type === 'string';
  return isPlain && schema.type !== 'array' && schema.type !== 'object'
    ? schema
    : { type: 'string', minLength: 1 };
}
