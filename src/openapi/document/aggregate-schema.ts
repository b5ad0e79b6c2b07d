import type { CollectionView } from './caller-view.js';
import { objectProperties } from './object-properties.js';
import type { Schema } from './openapi-types.js';
import type { TypeSchemas } from './type-schema.js';

const MEASURES = [
  { prefix: 'count_', schema: { type: 'integer', minimum: 0 } },
  // Averages of intervals, and numbers that JSON has no words for, are strings.
  { prefix: 'sum_', schema: { type: ['number', 'string', 'null'] } },
  { prefix: 'avg_', schema: { type: ['number', 'string', 'null'] } },
] as const satisfies readonly { prefix: string; schema: Schema }[];

/** The rows of an aggregate. Their keys follow from the request; what is known of each beforehand is said. */
export function aggregateSchema(view: CollectionView, types: TypeSchemas): Schema {
  const names = [...view.fields.map(({ field }) => field.name), ...view.relations.map(({ name }) => name)];
  // A group's key begins with a field or relation, which may be called like a measure.
  const measures = MEASURES.filter(({ prefix }) => !names.some((name) => `${name}_`.startsWith(prefix)));
  const groups = view.fields
    .filter(({ field }) => !isAmbiguous(field.name, names))
    .map(({ field }): [string, Schema] => [field.name, types.column(field.type, true, 'read')]);
  const count: Schema = { type: 'integer', minimum: 0, description: 'How many records are in the group.' };
  const known = objectProperties(names.includes('count') ? groups : [...groups, ['count', count]]);
  const row: Schema = {
    type: 'object',
    ...known,
    patternProperties: {
      ...known.patternProperties,
      ...Object.fromEntries(measures.map(({ prefix, schema }) => [`^${prefix}`, schema])),
    },
    additionalProperties: true,
  };
  return {
    type: 'object',
    properties: { data: { type: 'array', items: row } },
    required: ['data'],
    additionalProperties: false,
  };
}

/** Whether a key of a row may be something else than this field: a measure, a unit of a time, a field of a relation. */
const isAmbiguous = (name: string, names: readonly string[]): boolean =>
  /^(count$|count_|sum_|avg_|min_|max_)/.test(name) ||
  names.some((other) => other !== name && name.startsWith(`${other}_`));
