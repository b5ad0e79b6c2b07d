import { isEmail } from 'class-validator';
import { MAX_EMAIL_LENGTH } from '../users/email-address.js';

/** What a provider says of somebody: plain JSON. */
export type Claims = Readonly<Record<string, unknown>>;

const MAX_GROUPS = 1000;
const MAX_TEXT = 255;

/** A member by its path: `realm_access.roles`. A name that has the dots itself goes before. */
export function readMember(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let found: unknown = claims;
  for (const name of path.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Claims)[name];
  }
  return found;
}

/** Null for what is not text, empty, or longer than anybody needs. */
export const readText = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' && value.length <= MAX_TEXT && value.isWellFormed()
    ? value.replaceAll('\0', '')
    : null;

/** A subject may be a number. */
export const readSubject = (value: unknown): string | null =>
  Number.isSafeInteger(value) ? String(value) : readText(value);

/** An address that an account may have, or null. */
export function readEmail(value: unknown): string | null {
  const text = readText(value);
  return text !== null && text.length <= MAX_EMAIL_LENGTH && isEmail(text) ? text : null;
}

/** Some providers say it in words. */
export const readFlag = (value: unknown): boolean => value === true || value === 'true';

/** One group, or many. What is no text is none. */
export function readGroups(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.slice(0, MAX_GROUPS).filter((group) => typeof group === 'string');
}
