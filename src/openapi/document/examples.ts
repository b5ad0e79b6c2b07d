import { printName } from '@plinth/query';
import type { DataType } from '@plinth/schema';
import type { CollectionView, WritableFields } from './caller-view.js';
import { listNames } from './markdown.js';

/** A filter that works on this collection, or null where no field lends itself to one. */
export function exampleFilter(view: CollectionView): string | null {
  const filters = view.fields.flatMap(({ field }) => {
    const condition = exampleCondition(field.type);
    return condition === null
      ? []
      : [{ rank: condition.rank, text: `${celName(field.name)}${condition.text}` }];
  });
  return filters.toSorted((a, b) => a.rank - b.rank)[0]?.text ?? null;
}

/** CEL's own words cannot stand for a field; it is then reached through `record`. */
const WORDS = new Set(
  (
    'true false null in as break const continue else for function if import let loop package ' +
    'namespace return var void while auth now old record'
  ).split(' '),
);

const celName = (name: string): string =>
  /^[A-Za-z_]\w*$/.test(name) && !WORDS.has(name) ? name : `record[${JSON.stringify(name)}]`;

function exampleCondition(type: DataType): { readonly rank: number; readonly text: string } | null {
  if (type.kind === 'enum' && type.values[0] !== undefined) {
    return { rank: 0, text: ` == ${JSON.stringify(type.values[0])}` };
  }
  if (type.kind !== 'scalar') return null;
  switch (type.name) {
    case 'text':
    case 'varchar':
      return { rank: 1, text: '.startsWith("A")' };
    case 'timestamptz':
      return { rank: 2, text: ' > timestamp("2026-01-01T00:00:00Z")' };
    case 'numeric':
    case 'int4':
    case 'int8':
      return { rank: 3, text: ' > 10' };
    default:
      return null;
  }
}

/** A line about what can be embedded, for the description of `fields`. */
export function describeRelations(view: CollectionView): string[] {
  const names = view.relations.map(({ name }) => printName(name));
  return names.length === 0 ? [] : [`Related records: ${listNames(names)}.`];
}

const EXAMPLES: Readonly<Record<string, unknown>> = {
  bool: true,
  int2: 1,
  int4: 1,
  int8: 1,
  float4: 0.5,
  float8: 0.5,
  numeric: 0,
  uuid: '00000000-0000-4000-8000-000000000000',
  date: '2026-01-31',
  timestamptz: '2026-01-31T12:00:00Z',
  jsonb: {},
};

/** A record with just what must be sent, to begin with; null where there is no simple one. */
export function exampleRecord({
  fields,
  required,
}: WritableFields): Readonly<Record<string, unknown>> | null {
  // Validators that look into a plain object find its prototype's `constructor`, and take it for the field.
  if (fields.some(({ name }) => name in Object.prototype)) return null;
  const needed = fields.filter(({ name }) => required.includes(name));
  const values = needed.map(({ name, type }): [string, unknown] => [name, exampleValue(type)]);
  return values.some(([, value]) => value === undefined) ? null : Object.fromEntries(values);
}

function exampleValue(type: DataType): unknown {
  if (type.kind === 'enum') return type.values[0];
  if (type.kind !== 'scalar') return undefined;
  if (type.name === 'text' || type.name === 'varchar') return 'text'.slice(0, type.maxLength);
  return EXAMPLES[type.name];
}
