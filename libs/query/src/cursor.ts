import { QueryError } from './errors.js';

/**
 * Makes cursors opaque: what is inside may be values of hidden fields, and must be neither read nor made up. `open`
 * gives null for any text that `seal` did not make with the same `binding`.
 */
export interface CursorCodec {
  seal(position: string, binding: string): string;
  open(text: string, binding: string): string | null;
}

/** Where a page ends: the sort keys of its last record as text, or how many rows come before the next page. */
export type CursorPosition =
  | { readonly kind: 'keys'; readonly values: readonly (string | null)[] }
  | { readonly kind: 'offset'; readonly offset: number };

/**
 * What a cursor belongs to: the collection, and the parameters that choose and order the records. Any other request
 * refuses it; `limit` and `fields` may change between pages.
 */
export const cursorBinding = (parts: readonly (string | undefined)[]): string =>
  JSON.stringify(parts.map((part) => part ?? null));

/** Throws `QueryError` (`invalid-cursor`) for a cursor that is not ours or not of this request. */
export function openCursor(codec: CursorCodec, binding: string, text: string): CursorPosition {
  const content = codec.open(text, binding);
  if (content === null) throw invalidCursor();
  const position: unknown = JSON.parse(content);
  if (typeof position === 'number') return { kind: 'offset', offset: position };
  if (!Array.isArray(position)) throw invalidCursor();
  const values = position.filter((value) => value === null || typeof value === 'string');
  if (values.length !== position.length) throw invalidCursor();
  return { kind: 'keys', values };
}

export const invalidCursor = (): QueryError =>
  new QueryError('invalid-cursor', 'the cursor is not one of this list: begin again without it', {
    parameter: 'cursor',
  });
