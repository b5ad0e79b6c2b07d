import { NameReader, printName } from './name-reader.js';

/** Parses the names of a key's fields, `slug` or `tenant_id,slug`. Throws `QueryError` (`invalid-parameter`). */
export function parseKeyNames(text: string, parameter: string): ReadonlySet<string> {
  const reader = new NameReader(text, 'invalid-parameter', parameter);
  const names = new Set<string>();
  do names.add(reader.readName().name);
  while (reader.take(','));
  reader.expectEnd();
  return names;
}

/** The text that `parseKeyNames` reads as the same names. */
export const printKeyNames = (names: readonly string[]): string =>
  names.map((name) => printName(name)).join(',');
