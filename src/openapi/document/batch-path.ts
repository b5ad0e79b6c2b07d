import { RecordAnswers } from './answers.js';
import type { Components } from './components.js';
import type { PathItem, Schema } from './openapi-types.js';
import type { DocumentLimits, RequestParameters } from './parameters.js';
import { problemResponses } from './problem-responses.js';
import type { RecordSchemas } from './record-schemas.js';

export const BATCH_PATH = '/api/batch';
export const BATCH_TAG = 'batch';

/** Component names that are taken whatever the database holds. */
export const BATCH_SCHEMAS: readonly string[] = ['BatchOperation', 'BatchResult'];

/** A plain value, or a field of the result of an earlier operation. */
const keyPart: Schema = {
  anyOf: [
    { type: ['string', 'number', 'boolean'] },
    {
      type: 'object',
      description: '`{"$ref": "post.id"}`, a field of an earlier result.',
      // As a pattern, because tools would take a property of this name for a reference of the document.
      patternProperties: { [String.raw`^\$ref$`]: { type: 'string' } },
      minProperties: 1,
      additionalProperties: false,
    },
  ],
};

const operationSchema: Schema = {
  type: 'object',
  description: 'One request of a batch.',
  properties: {
    label: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_-]{0,63}$',
      description: 'What later operations and the answer call it by.',
    },
    method: { type: 'string', enum: ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'] },
    path: {
      type: 'string',
      pattern: String.raw`^(/[^/?#\s]+)+$`,
      description: 'As of a request of its own, without `/api`: `/posts/42`.',
    },
    id: {
      description: 'The key of the record, where it is not in the path; a list where it has several parts.',
      anyOf: [...(keyPart.anyOf ?? []), { type: 'array', items: keyPart, minItems: 1 }],
    },
    query: {
      type: 'object',
      description: 'Query parameters by name, such as `fields`.',
      additionalProperties: keyPart,
    },
    body: {
      description:
        'As of a request of its own. Any value in it may be `{"$ref": "label.field"}`, a field of the result of an ' +
        'earlier operation.',
    },
    ifMatch: { type: 'string', description: 'An entity tag, as in the header `If-Match`.' },
  },
  required: ['method', 'path'],
  additionalProperties: false,
};

const resultSchema: Schema = {
  type: 'object',
  description: 'The answer to one operation.',
  properties: {
    label: { type: 'string' },
    status: { type: 'integer', minimum: 200, maximum: 299 },
    body: { description: 'As of a request of its own; absent where there is none.' },
  },
  required: ['status'],
  additionalProperties: false,
};

/** Several requests in one transaction. */
export function batchPath(
  components: Components,
  schemas: RecordSchemas,
  parameters: RequestParameters,
  limits: DocumentLimits,
): PathItem {
  const operation = components.schema('BatchOperation', () => operationSchema);
  const result = components.schema('BatchResult', () => resultSchema);
  const answers = new RecordAnswers(components, schemas);
  const answer = answers.json(
    'All operations are done; one result for each, in their order.',
    {
      type: 'object',
      properties: { results: { type: 'array', items: result } },
      required: ['results'],
      additionalProperties: false,
    },
    ['Idempotency-Replayed', ...answers.positionHeader()],
  );
  return {
    post: {
      operationId: 'batch-run',
      tags: [BATCH_TAG],
      summary: 'Run several operations in one transaction',
      description:
        'Runs the operations in their order, on any collections. All of them are done, or none: the answer to a ' +
        'failure is the problem of the operation that failed, with pointers into the batch.',
      parameters: [parameters.idempotencyKey()],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: {
                operations: {
                  type: 'array',
                  items: operation,
                  minItems: 1,
                  maxItems: limits.maxBatchOperations,
                },
              },
              required: ['operations'],
              additionalProperties: false,
            },
          },
        },
      },
      responses: {
        200: answer,
        ...problemResponses(
          components,
          [400, 401, 403, 404, 405, 409, 412, 413, 414, 415, 422, 429, 431, 500, 501, 503],
        ),
      },
    },
  };
}
