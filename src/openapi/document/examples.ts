import { printName } from '@plinth/query';
import type { DataType } from '@plinth/schema';
import type { CollectionView } from './caller-view.js';
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
