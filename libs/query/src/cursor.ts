import { hash } from 'node:crypto';
import { QueryError } from './errors.js';

/**
 * Makes cursors opaque: what is inside may be values of hidden fields, and must be neither read nor made up. `open`
 * gives null for any text that `seal` did not make.
 */
export interface CursorCodec {
  seal(bytes: Uint8Array): string;
  open(text: string): Uint8Array | null;
}

/** Where a page ends: the sort keys of its last record as text, or how many rows come before the next page. */
export type CursorPosition =
  | { readonly kind: 'keys'; readonly values: readonly (string | null)[] }
  | { readonly kind: 'offset'; readonly offset: number };

const BINDING_LENGTH = 16;

/**
 * What a cursor belongs to, as a short digest: the collection, and the parameters that choose and order the records. Any
 * other request refuses it; `limit` and `fields` may change between pages.
 */
export function cursorBinding(parts: readonly (string | undefined)[]): string {
  const text = JSON.stringify(parts.map((part) => part ?? null));
  return hash('sha256', text, 'base64url').slice(0, BINDING_LENGTH);
}

/** `position` is JSON text: an array of texts and nulls as a list statement gives it, or a number. */
export const sealCursor = (codec: CursorCodec, binding: string, position: string): string =>
  codec.seal(Buffer.from(binding + position));

/** Throws `QueryError` (`invalid-cursor`) for a cursor that is not ours or not of this request. */
export function openCursor(codec: CursorCodec, binding: string, text: string): CursorPosition {
  const bytes = codec.open(text);
  const content = bytes && Buffer.from(bytes).toString('utf8');
  if (!content?.startsWith(binding)) throw invalidCursor();
  const position: unknown = JSON.parse(content.slice(BINDING_LENGTH));
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
