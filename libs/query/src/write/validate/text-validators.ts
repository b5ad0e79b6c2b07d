import { isIP } from 'node:net';
import type { EnumType, ScalarType } from '@plinth/schema';
import { suggestName } from '@plinth/expression';
import { failType, patternValidator, stringValidator, type ValueValidator } from './value-validator.js';

/** Code points, which is what PostgreSQL counts as characters; `length` is an upper bound of it. */
function isLonger(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  let count = 0;
  for (const _point of text) if (++count > limit) return true;
  return false;
}

export function textValidator(maxLength: number | undefined): ValueValidator {
  return stringValidator('a string', (text) =>
    maxLength !== undefined && isLonger(text, maxLength)
      ? {
          code: 'too-long',
          message: `must have at most ${maxLength} character${maxLength === 1 ? '' : 's'}`,
        }
      : null,
  );
}

/** Types that PostgreSQL cuts off without a word after so many bytes. */
export const byteLimitedValidator = (maxBytes: number): ValueValidator =>
  stringValidator('a string', (text) =>
    Buffer.byteLength(text) > maxBytes
      ? { code: 'too-long', message: `must have at most ${maxBytes} bytes` }
      : null,
  );

export function enumValidator(type: EnumType): ValueValidator {
  const labels = new Set(type.values);
  const shown = type.values.slice(0, 20).map((label) => JSON.stringify(label));
  const list = shown.join(', ') + (type.values.length > shown.length ? ', ...' : '');
  return (value, place) => {
    if (typeof value !== 'string') return failType(value, place, 'a string');
    if (!labels.has(value)) {
      const near = suggestName(value, type.values);
      const hint = near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
      place.fail('enum', `must be one of ${list}${hint}`);
    }
    return value;
  };
}

export const booleanValidator: ValueValidator = (value, place) =>
  typeof value === 'boolean' ? value : failType(value, place, 'true or false');

export const uuidValidator = patternValidator(
  'a UUID',
  /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i,
);

export const macAddressValidator = (bytes: 6 | 8): ValueValidator =>
  patternValidator(
    'a MAC address',
    new RegExp(String.raw`^[\da-f]{2}(?:([:-])[\da-f]{2})(?:\1[\da-f]{2}){${bytes - 2}}$`, 'i'),
  );

/** An address, with a prefix length where there is one. That no bit is set after the prefix of a cidr, PostgreSQL checks. */
export const networkValidator: ValueValidator = stringValidator('an IP address', (text) => {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  const longest = version === 4 ? 32 : 128;
  const hasPrefix = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= longest);
  return version !== 0 && !address.includes('%') && hasPrefix && rest.length === 0
    ? null
    : { code: 'format', message: 'must be an IP address, with an optional /prefix' };
});

/** Base64 with padding and without line breaks (RFC 4648, section 4). */
export const base64Validator: ValueValidator = stringValidator('a base64 string', (text) => {
  const digits = text.replace(/={1,2}$/, '');
  // A search for one bad character cannot backtrack, however long the text is.
  return text.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(digits)
    ? null
    : { code: 'format', message: 'must be base64 with padding' };
});

export function bitValidator(type: ScalarType): ValueValidator {
  const isFixed = type.name === 'bit';
  const length = type.maxLength ?? (isFixed ? 1 : undefined);
  return stringValidator('a string of bits', (text) => {
    if (!/^[01]*$/.test(text)) return { code: 'format', message: 'must be made of the digits 0 and 1' };
    if (length === undefined) return null;
    if (text.length > length) return { code: 'too-long', message: `must have at most ${length} bits` };
    return isFixed && text.length < length
      ? { code: 'too-short', message: `must have ${length} bits` }
      : null;
  });
}

/** `[1,5)`, `empty`; what the bounds are, PostgreSQL checks. */
export const rangeValidator = stringValidator('a range', (text) =>
  /^\s*(?:empty|[[(][\s\S]*,[\s\S]*[\])])\s*$/i.test(text)
    ? null
    : { code: 'format', message: 'must be a range such as [1,5)' },
);

/** `{[1,5),[7,9)}` */
export const multirangeValidator = stringValidator('a multirange', (text) =>
  /^\s*\{[\s\S]*\}\s*$/.test(text)
    ? null
    : { code: 'format', message: 'must be a multirange such as {[1,5),[7,9)}' },
);
