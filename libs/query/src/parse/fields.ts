import { QueryError } from '../errors.js';
import type { QueryLimits } from '../limits.js';
import { NameReader, printName, type NameNode } from './name-reader.js';

/** One entry of `fields`. */
export type FieldNode =
  | { readonly kind: 'all' }
  | (NameNode & { readonly kind: 'field' })
  | (NameNode & { readonly kind: 'relation'; readonly fields: readonly FieldNode[] });

/** What `fields` means when it is not given. */
export const ALL_FIELDS: readonly FieldNode[] = [{ kind: 'all' }];

/** Parses `id,title,author(name),comments(*)`. Throws `QueryError` (`invalid-fields`, `query-too-complex`). */
export function parseFields(text: string, limits: QueryLimits, parameter = 'fields'): readonly FieldNode[] {
  const reader = new NameReader(text, 'invalid-fields', parameter);
  let embeds = 0;

  const parseList = (depth: number): readonly FieldNode[] => {
    const nodes = [parseNode(depth)];
    while (reader.take(',')) nodes.push(parseNode(depth));
    return nodes;
  };
  const parseNode = (depth: number): FieldNode => {
    if (reader.take('*')) return { kind: 'all' };
    const name = reader.readName();
    if (!reader.take('(')) return { kind: 'field', ...name };
    if (depth >= limits.maxDepth) {
      throw tooCostly(`relations are embedded at most ${limits.maxDepth} deep`, name);
    }
    embeds++;
    if (embeds > limits.maxEmbeds) {
      throw tooCostly(`at most ${limits.maxEmbeds} relations are embedded in one request`, name);
    }
    const fields = parseList(depth + 1);
    reader.expect(')');
    return { kind: 'relation', ...name, fields };
  };
  const tooCostly = (message: string, { name, start, end }: NameNode): QueryError =>
    new QueryError('query-too-complex', message, { parameter, name, position: { start, end } });

  const fields = parseList(0);
  reader.expectEnd();
  return fields;
}

/** The text that `parseFields` reads as the same tree, positions apart. */
export function printFields(fields: readonly FieldNode[]): string {
  const print = (node: FieldNode): string => {
    if (node.kind === 'all') return '*';
    return node.kind === 'field'
      ? printName(node.name)
      : `${printName(node.name)}(${printFields(node.fields)})`;
  };
  return fields.map((node) => print(node)).join(',');
}
