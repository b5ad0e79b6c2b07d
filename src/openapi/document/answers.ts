import type { CollectionView } from './caller-view.js';
import type { Components } from './components.js';
import type { Header, Reference, Response, Schema } from './openapi-types.js';
import { commonHeaders } from './problem-responses.js';
import type { RecordSchemas } from './record-schemas.js';

const JSON_TYPE = 'application/json';

const HEADERS = {
  ETag: {
    description: 'The version of the record and the shape of the answer, for If-Match and If-None-Match.',
    schema: { type: 'string' },
  },
  Location: {
    description: 'The address of the record.',
    schema: { type: 'string', format: 'uri-reference' },
  },
  Link: {
    description: 'The address of the next page, with `rel="next"` (RFC 8288), where there is one.',
    schema: { type: 'string' },
  },
  'Preference-Applied': {
    description: 'What of `Prefer` was heeded (RFC 7240).',
    schema: { type: 'string' },
  },
  'Idempotency-Replayed': {
    description: '`true` where this is the kept answer to an earlier request with the same Idempotency-Key.',
    schema: { type: 'string', enum: ['true'] },
  },
  'Plinth-Position': {
    description: 'Where the database was after the write; a read that sends it sees the write.',
    schema: { type: 'string' },
  },
} as const satisfies Record<string, Header>;

type HeaderName = keyof typeof HEADERS;

const EMPTY =
  'There is no body with `Prefer: return=minimal`, and where the caller may not read what it created.';

/** Answers that records come in. */
export class RecordAnswers {
  constructor(
    private readonly components: Components,
    private readonly schemas: RecordSchemas,
  ) {}

  json(description: string, schema: Schema, headers: readonly HeaderName[] = []): Response {
    return { ...this.empty(description, headers), content: { [JSON_TYPE]: { schema } } };
  }

  page(view: CollectionView): Response {
    const page = this.components.schema('Page', () => pageSchema);
    const schema: Schema = {
      type: 'object',
      properties: { data: { type: 'array', items: this.schemas.answer(view) }, page },
      required: ['data', 'page'],
      additionalProperties: false,
    };
    return this.json('A page of records.', schema, ['Link']);
  }

  record(view: CollectionView, description: string, headers: readonly HeaderName[] = []): Response {
    return this.json(description, this.schemas.answer(view), ['ETag', ...headers]);
  }

  /** An answer has no content of its own when nothing changed since. */
  notModified(): Reference {
    return this.components.response('NotModified', () =>
      this.empty('The record is the one that the client has.', ['ETag']),
    );
  }

  /** To one record or many, new or (with `upsertOn`) not. */
  created(view: CollectionView): Record<string, Response | Reference> {
    const many = view.canRead ? [this.listOf(view)] : [];
    const one = view.canRead ? (this.schemas.answer(view).anyOf ?? []) : [];
    const created = this.written(
      `The new record, or the records in the order in which they were sent. ${EMPTY}`,
      [...one, ...many],
      ['ETag', 'Location'],
    );
    if (!view.upsert) return { 201: created };
    const updated = this.written('The records, none of which was new.', [...one, ...many], ['ETag']);
    return { 200: updated, 201: created, 204: this.done() };
  }

  changed(view: CollectionView): Record<string, Response | Reference> {
    return { 200: this.written('The record as it is now.', this.one(view), ['ETag']), 204: this.done() };
  }

  replaced(view: CollectionView): Record<string, Response | Reference> {
    return {
      ...this.changed(view),
      201: this.written(`The new record. ${EMPTY}`, this.one(view), ['ETag', 'Location']),
    };
  }

  changedMany(view: CollectionView): Record<string, Response | Reference> {
    return { 200: this.written('The records as they are now.', [this.listOf(view)]), 204: this.done() };
  }

  deleted(view: CollectionView): Record<string, Response | Reference> {
    return { 200: this.written('The record as it was.', this.one(view)), 204: this.gone() };
  }

  deletedMany(view: CollectionView): Record<string, Response | Reference> {
    return { 200: this.written('The records as they were.', [this.listOf(view)]), 204: this.gone() };
  }

  private writeHeaders(): readonly HeaderName[] {
    return ['Preference-Applied', 'Idempotency-Replayed', ...this.positionHeader()];
  }

  /** Of every write that is done. */
  positionHeader(): readonly HeaderName[] {
    return this.components.hasReplicas ? ['Plinth-Position'] : [];
  }

  private written(
    description: string,
    options: readonly Schema[],
    headers: readonly HeaderName[] = [],
  ): Response {
    const all: readonly HeaderName[] = [...headers, ...this.writeHeaders()];
    const [only, ...others] = options;
    if (!only) return this.empty(description, all);
    return this.json(description, others.length === 0 ? only : { anyOf: options }, all);
  }

  private one(view: CollectionView): readonly Schema[] {
    return this.schemas.answer(view).anyOf ?? [];
  }

  private listOf(view: CollectionView): Schema {
    return {
      type: 'object',
      properties: { data: { type: 'array', items: this.schemas.answer(view) } },
      required: ['data'],
      additionalProperties: false,
    };
  }

  private done(): Reference {
    return this.components.response('Done', () =>
      this.empty('It is done, and there is nothing to answer.', ['ETag', ...this.writeHeaders()]),
    );
  }

  /** What is gone has no version. */
  private gone(): Reference {
    return this.components.response('Gone', () => this.empty('It is gone.', this.writeHeaders()));
  }

  private empty(description: string, headers: readonly HeaderName[]): Response {
    return {
      description,
      headers: {
        ...commonHeaders(this.components),
        ...Object.fromEntries(
          headers.map((name) => [name, this.components.header(name, () => HEADERS[name])]),
        ),
      },
    };
  }
}

const pageSchema: Schema = {
  type: 'object',
  description: 'Where the page stands.',
  properties: {
    next: {
      type: ['string', 'null'],
      description: 'The `cursor` of the next page; null on the last one.',
    },
    total: { type: 'integer', minimum: 0, description: 'Records in all, where `count` asks for it.' },
  },
  required: ['next'],
  additionalProperties: false,
};

/** Component names that are taken whatever the database holds. */
export const ANSWER_SCHEMAS: readonly string[] = ['Page'];
