import type { CodePointSet } from './code-point-set.js';

/** A pattern without what a yes-or-no match does not need: captures, names, laziness. */
export type PatternNode =
  | { readonly op: 'set'; readonly set: CodePointSet }
  | { readonly op: 'any' }
  | { readonly op: 'assertion'; readonly name: AssertionName }
  | { readonly op: 'sequence' | 'choice'; readonly parts: readonly PatternNode[] }
  | { readonly op: 'repeat'; readonly part: PatternNode; readonly min: number; readonly max: number };

export type AssertionName =
  'text-start' | 'text-end' | 'line-start' | 'line-end' | 'word-boundary' | 'no-word-boundary';

/** How many parts the pattern has once its repetitions are written out: what PostgreSQL's compiler works on. */
export function expandedSize(node: PatternNode): number {
  switch (node.op) {
    case 'set':
    case 'any':
    case 'assertion':
      return 1;
    case 'repeat': {
      const times = Number.isFinite(node.max) ? node.max : node.min + 1;
      return expandedSize(node.part) * Math.max(1, times) + 1;
    }
    default:
      return node.parts.reduce((size, part) => size + expandedSize(part), 1);
  }
}

/** Whether the part can only match the empty text. */
export function isZeroWidth(node: PatternNode): boolean {
  switch (node.op) {
    case 'set':
    case 'any':
      return false;
    case 'assertion':
      return true;
    case 'repeat':
      return node.max === 0 || isZeroWidth(node.part);
    default:
      return node.parts.every((part) => isZeroWidth(part));
  }
}
