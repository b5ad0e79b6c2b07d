import type { CollectionView, WritableFields } from './caller-view.js';
import type { Components } from './components.js';
import { aggregateSchema } from './aggregate-schema.js';
import { RecordAnswers } from './answers.js';
import { BATCH_PATH } from './batch-path.js';
import { exampleRecord } from './examples.js';
import { asMarkdown } from './markdown.js';
import type { Operation, Parameter, PathItem, Reference, RequestBody, Schema, Tag } from './openapi-types.js';
import type { RequestParameters } from './parameters.js';
import { problemResponses, type ProblemStatus } from './problem-responses.js';
import type { RecordSchemas } from './record-schemas.js';

const EVERY_READ: readonly ProblemStatus[] = [400, 401, 404, 414, 422, 429, 431, 500, 501, 503];
const EVERY_WRITE: readonly ProblemStatus[] = [
  400, 401, 403, 404, 409, 413, 414, 415, 422, 429, 431, 500, 501, 503,
];
const CONDITIONAL_WRITE: readonly ProblemStatus[] = [...EVERY_WRITE, 412];
const JSON_TYPE = 'application/json';
const MERGE_PATCH_TYPE = 'application/merge-patch+json';

/** The paths of one collection: what the caller can do with it, and nothing else. */
export class CollectionPaths {
  private readonly answers: RecordAnswers;

  constructor(
    private readonly components: Components,
    private readonly schemas: RecordSchemas,
    private readonly parameters: RequestParameters,
    private readonly tagOf: (view: CollectionView) => Tag,
  ) {
    this.answers = new RecordAnswers(components, schemas);
  }

  build(view: CollectionView): [path: string, item: PathItem][] {
    const base = `/api/${encodeURIComponent(view.collection.name)}`;
    const entries: [string, PathItem][] = [
      // What is posted there is a batch; a collection of this name is reached by its other methods.
      [base, this.manyRecords(base === BATCH_PATH ? { ...view, create: null, upsert: null } : view)],
      [`${base}/aggregate`, view.canRead ? { get: this.aggregate(view) } : {}],
      [
        `${base}/{id}`,
        view.key ? { parameters: [this.parameters.key(view.key)], ...this.oneRecord(view) } : {},
      ],
    ];
    return entries.filter(([, item]) => Object.keys(item).some((key) => key !== 'parameters'));
  }

  private manyRecords(view: CollectionView): PathItem {
    return {
      ...(view.canRead ? { get: this.list(view) } : {}),
      ...(view.create || view.upsert ? { post: this.create(view) } : {}),
      ...(view.canRead && view.update ? { patch: this.updateMany(view, view.update) } : {}),
      ...(view.canRead && view.canDelete ? { delete: this.deleteMany(view) } : {}),
    };
  }

  private oneRecord(view: CollectionView): PathItem {
    return {
      get: this.get(view),
      ...(view.update ? { patch: this.update(view, view.update) } : {}),
      ...(view.replace ? { put: this.replace(view, view.replace) } : {}),
      ...(view.canDelete ? { delete: this.delete(view) } : {}),
    };
  }

  private list(view: CollectionView): Operation {
    return this.operation(view, 'list', {
      summary: `List ${asMarkdown(view.collection.name)}`,
      description: 'Records, page by page, in the order of `sort` and then of the key.',
      parameters: [
        ...this.shape(view),
        this.parameters.filter(view, this.schemas.namesOf(view)),
        this.parameters.sort(view, this.schemas.namesOf(view)),
        this.parameters.limit(),
        this.parameters.cursor(),
        this.parameters.offset(),
        this.parameters.count(),
        this.parameters.search(),
        ...this.parameters.position(),
      ],
      responses: { 200: this.answers.page(view), ...this.problems(EVERY_READ) },
    });
  }

  private get(view: CollectionView): Operation {
    return this.operation(view, 'get', {
      summary: `Get a record of ${asMarkdown(view.collection.name)}`,
      description: 'One record by its key.',
      parameters: [...this.shape(view), this.parameters.ifNoneMatch(), ...this.parameters.position()],
      responses: {
        200: this.answers.record(view, 'The record.'),
        304: this.answers.notModified(),
        ...this.problems(EVERY_READ),
      },
    });
  }

  private aggregate(view: CollectionView): Operation {
    const names = this.schemas.namesOf(view);
    const sort: Parameter = {
      name: 'sort',
      in: 'query',
      description: 'Keys of the rows of the answer to sort by, such as `-count`; the groups come last.',
      schema: { type: 'string' },
    };
    const measures: Parameter = {
      name: 'measures',
      in: 'query',
      description:
        'Figures over each group: `count`, and `count`, `countDistinct`, `sum`, `avg`, `min`, `max` of a field in ' +
        'parentheses, such as `count,avg(views)`; `avg(author.age)` is of a field of a related record.',
      schema: { type: 'string', default: 'count' },
    };
    const groupBy: Parameter = {
      name: 'groupBy',
      in: 'query',
      description:
        'Fields to group by, such as `status,author.country`; a time may have a unit behind it: `published_at:month` ' +
        '(`year`, `quarter`, `month`, `week`, `day`, `hour`, `minute`). Without it, one row over all records.',
      schema: { type: 'string' },
    };
    return this.operation(view, 'aggregate', {
      summary: `Aggregate ${asMarkdown(view.collection.name)}`,
      description:
        'Figures over records, in groups. The keys of a row are those of its groups (`status`, `author_country`, ' +
        '`published_at_month`) and measures (`count`, `avg_views`, `count_distinct_author_country`).',
      parameters: [
        measures,
        groupBy,
        this.parameters.filter(view, names),
        this.parameters.search(),
        sort,
        this.parameters.groupLimit(),
        this.parameters.offset(),
        ...this.parameters.position(),
      ],
      responses: {
        200: this.answers.json(
          'One row for each group.',
          this.components.schema(names.of('aggregate'), () => aggregateSchema(view, this.schemas.types)),
        ),
        ...this.problems(EVERY_READ),
      },
    });
  }

  private create(view: CollectionView): Operation {
    const inputs = [
      ...(view.create ? [this.schemas.createInput(view, view.create)] : []),
      ...(view.upsert ? [this.schemas.upsertInput(view, view.upsert)] : []),
    ];
    const options = inputs.flatMap((one): Schema[] => [one, { type: 'array', items: one, minItems: 1 }]);
    return this.operation(view, 'create', {
      summary: `Create records of ${asMarkdown(view.collection.name)}`,
      description:
        'One record from an object, or many from an array: all of them, in one transaction and in the order of the ' +
        'array, or none.',
      parameters: [...this.shape(view), ...this.parameters.upsertOn(view), ...this.writeHeaders()],
      requestBody: body(JSON_TYPE, { anyOf: options }, view.create && exampleRecord(view.create)),
      responses: { ...this.answers.created(view), ...this.problems(EVERY_WRITE) },
    });
  }

  private update(view: CollectionView, writable: WritableFields): Operation {
    return this.operation(view, 'update', {
      summary: `Change a record of ${asMarkdown(view.collection.name)}`,
      description: 'Changes the fields that are sent and leaves the others (merge patch, RFC 7396).',
      parameters: [...this.shape(view), this.parameters.ifMatch(), ...this.writeHeaders()],
      requestBody: this.patchBody(view, writable),
      responses: {
        ...this.answers.changed(view),
        ...this.problems(CONDITIONAL_WRITE),
      },
    });
  }

  private updateMany(view: CollectionView, writable: WritableFields): Operation {
    return this.operation(view, 'updateMany', {
      summary: `Change many records of ${asMarkdown(view.collection.name)}`,
      description: 'Makes the same change to every record that the filter matches and the caller may change.',
      parameters: [...this.shape(view), this.requiredFilter(view), ...this.writeHeaders()],
      requestBody: this.patchBody(view, writable),
      responses: { ...this.answers.changedMany(view), ...this.problems(EVERY_WRITE) },
    });
  }

  private replace(view: CollectionView, writable: WritableFields): Operation {
    return this.operation(view, 'replace', {
      summary: `Create or replace a record of ${asMarkdown(view.collection.name)}`,
      description: 'Creates the record under this key, or replaces the one that is there.',
      parameters: [
        ...this.shape(view),
        this.parameters.ifMatch(),
        this.parameters.ifNoneMatchAny(),
        ...this.writeHeaders(),
      ],
      requestBody: body(JSON_TYPE, this.schemas.replaceInput(view, writable)),
      responses: { ...this.answers.replaced(view), ...this.problems(CONDITIONAL_WRITE) },
    });
  }

  private delete(view: CollectionView): Operation {
    return this.operation(view, 'delete', {
      summary: `Delete a record of ${asMarkdown(view.collection.name)}`,
      description: 'Deletes one record by its key.',
      parameters: [...this.shape(view), this.parameters.ifMatch(), ...this.writeHeaders()],
      responses: { ...this.answers.deleted(view), ...this.problems(CONDITIONAL_WRITE) },
    });
  }

  private deleteMany(view: CollectionView): Operation {
    return this.operation(view, 'deleteMany', {
      summary: `Delete many records of ${asMarkdown(view.collection.name)}`,
      description: 'Deletes every record that the filter matches and the caller may delete.',
      parameters: [...this.shape(view), this.requiredFilter(view), ...this.writeHeaders()],
      responses: { ...this.answers.deletedMany(view), ...this.problems(EVERY_WRITE) },
    });
  }

  private operation(
    view: CollectionView,
    verb: Parameters<ReturnType<RecordSchemas['namesOf']>['operation']>[0],
    operation: Omit<Operation, 'operationId' | 'tags'>,
  ): Operation {
    return {
      operationId: this.schemas.namesOf(view).operation(verb),
      tags: [this.tagOf(view).name],
      ...operation,
    };
  }

  /** What shapes records in an answer. Where nothing can be read, there is nothing to shape. */
  private shape(view: CollectionView): Reference[] {
    const names = this.schemas.namesOf(view);
    return view.canRead
      ? [this.parameters.fields(view, names), ...this.parameters.relations(view, names)]
      : [];
  }

  private writeHeaders(): Reference[] {
    return [this.parameters.prefer(), this.parameters.idempotencyKey()];
  }

  private requiredFilter(view: CollectionView): Parameter {
    return { ...this.parameters.filterOf(view), required: true };
  }

  private patchBody(view: CollectionView, writable: WritableFields): RequestBody {
    const schema = this.schemas.patchInput(view, writable);
    return { required: true, content: { [MERGE_PATCH_TYPE]: { schema }, [JSON_TYPE]: { schema } } };
  }

  private problems(statuses: readonly ProblemStatus[]): Record<string, Reference> {
    return problemResponses(this.components, statuses);
  }
}

const body = (type: string, schema: Schema, example: unknown = null): RequestBody => ({
  required: true,
  content: { [type]: example === null ? { schema } : { schema, example } },
});
