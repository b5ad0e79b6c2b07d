import { hash } from 'node:crypto';
import { Problem } from '../common/errors/index.js';

/**
 * Entity tags are `"{row version}.{representation}"`: the first part tells the row's version (RFC 9110 preconditions
 * compare only that, so a tag got with one `fields` serves a write with another), the second one the shape or the
 * content of the answer, so that a cache never mixes two of them.
 */
export function formatEntityTag(rowVersion: string | null, representation: string): string {
  return `"${rowVersion === null ? '' : encodeVersion(rowVersion)}.${representation}"`;
}

/** A short digest of an answer's content, for answers that change while their row does not. */
export const digestContent = (body: string): string => hash('sha1', body, 'base64url').slice(0, 16);

/** `123-(0,5)`, a row's transaction and place, as `123-0-5`. */
function encodeVersion(version: string): string {
  const place = version.indexOf('-(');
  const comma = version.indexOf(',', place);
  return `${version.slice(0, place)}-${version.slice(place + 2, comma)}-${version.slice(comma + 1, -1)}`;
}
const decodeVersion = (text: string): string => text.replace(/^(\d+)-(\d+)-(\d+)$/, '$1-($2,$3)');

const TAG = /^\s*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*$/;

/**
 * The row versions that an `If-Match` header accepts, or `*` for any.
 * @throws Problem `invalid-parameter` when it is not a list of entity tags
 */
export function parseIfMatch(header: string): '*' | readonly string[] {
  if (header.trim() === '*') return '*';
  return parseTags('If-Match', header)
    .filter(({ isWeak }) => !isWeak)
    .map(({ value }) => decodeVersion(value.split('.', 1)[0] ?? ''));
}

/** Whether an `If-None-Match` header names this tag (weak comparison, as RFC 9110 wants it). */
export function matchesNone(header: string, entityTag: string): boolean {
  if (header.trim() === '*') return true;
  return parseTags('If-None-Match', header).some(({ value }) => `"${value}"` === entityTag);
}

function parseTags(name: string, header: string): { readonly isWeak: boolean; readonly value: string }[] {
  return header.split(',').map((text) => {
    const match = TAG.exec(text);
    if (!match) {
      throw new Problem('invalid-parameter', {
        detail: `The header ${name} must be * or a list of entity tags such as "1234-0-5.aB3", in double quotes.`,
      });
    }
    return { isWeak: match[1] !== undefined, value: match[2] ?? '' };
  });
}
