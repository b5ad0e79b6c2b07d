/** No unpaired surrogate and no NUL: text that PostgreSQL can hold. */
export const isStorableText = (text: string): boolean => !text.includes('\0') && isWellFormed(text);

/** `String.prototype.isWellFormed`, which the language level of the build does not know yet. */
const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);

const UUID = /^\{?([0-9a-f]{4}-?){7}[0-9a-f]{4}\}?$/i;

/** The canonical form of what PostgreSQL reads as a uuid; null for any other text. */
export function canonicalUuid(text: string): string | null {
  const isBraced = text.startsWith('{');
  if (!UUID.test(text) || isBraced !== text.endsWith('}')) return null;
  const hex = text.replace(/[{}-]/g, '').toLowerCase();
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export const lowerAscii = (text: string): string =>
  text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
export const upperAscii = (text: string): string =>
  text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());

/** Order by code points, which is the order of UTF-8 bytes and of the collation `C`; not that of UTF-16 units. */
export function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at += 1) {
    const [one, other] = [left.charCodeAt(at), right.charCodeAt(at)];
    if (one === other) continue;
    const isOneSurrogate = one >= 0xd800 && one <= 0xdfff;
    const isOtherSurrogate = other >= 0xd800 && other <= 0xdfff;
    // A surrogate stands for a code point beyond every unit that is none.
    if (isOneSurrogate !== isOtherSurrogate) return isOneSurrogate ? 1 : -1;
    return one - other;
  }
  return left.length - right.length;
}

/** Code points of a text. */
export function countCodePoints(text: string): number {
  let count = text.length;
  for (let at = 0; at + 1 < text.length; at += 1) {
    const isPair = (text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
    if (isPair) {
      count -= 1;
      at += 1;
    }
  }
  return count;
}
