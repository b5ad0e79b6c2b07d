/**
 * Text of the database (comments, names) inside a description. Descriptions are Markdown, which viewers may render with
 * HTML in it: tags and links to scripts are made harmless, everything else stays as its author wrote it.
 */
export const asMarkdown = (text: string): string =>
  text
    .replaceAll(/<(?=[a-z/!?])/gi, '&lt;')
    .replaceAll(/\b(javascript|vbscript|data):/gi, '$1&#58;')
    .replaceAll(/\beval\(/gi, (call) => `${call.slice(0, -1)} (`);

/** A name as code. One that has a backtick or a tag in it is quoted instead. */
export const asCode = (name: string): string =>
  /[`<\n]|eval\(/i.test(name) ? `“${asMarkdown(name)}”` : `\`${name}\``;

const LISTED_NAMES = 40;

/** Names for a sentence: `id`, `title` and so on; the first ones where there are very many. */
export function listNames(names: readonly string[]): string {
  const listed = names.slice(0, LISTED_NAMES).map(asCode).join(', ');
  const rest = names.length - LISTED_NAMES;
  return rest > 0 ? `${listed} and ${rest} more` : listed;
}
