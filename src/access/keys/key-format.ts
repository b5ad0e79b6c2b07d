import { createHash, hash, randomInt } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PREFIX_LENGTH = 10;
const SECRET_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
const KEY = new RegExp(
  `^plinth_([0-9A-Za-z]{${PREFIX_LENGTH}})_([0-9A-Za-z]{${SECRET_LENGTH}})([0-9A-Za-z]{${CHECKSUM_LENGTH}})$`,
);

/** How every key begins, so that secret scanners and the guard know one. */
export const KEY_START = 'plinth_';

/**
 * A new key, `plinth_{prefix}_{secret}{checksum}`: 190 random bits in the secret. The checksum lets a mistyped key be
 * refused without asking the database.
 */
export function generateKey(prefix = randomText(PREFIX_LENGTH)): {
  readonly key: string;
  readonly prefix: string;
} {
  const secret = randomText(SECRET_LENGTH);
  return { key: `${KEY_START}${prefix}_${secret}${checksum(prefix + secret)}`, prefix };
}

/** Where the prefix of a key would stand; nothing is checked yet. */
export const slicePrefix = (key: string): string =>
  key.slice(KEY_START.length, KEY_START.length + PREFIX_LENGTH);

/** The prefix of a well-formed key, or null. */
export function parseKeyPrefix(key: string): string | null {
  const [, prefix, secret, given] = KEY.exec(key) ?? [];
  return prefix !== undefined && secret !== undefined && checksum(prefix + secret) === given ? prefix : null;
}

export const hashKey = (key: string): Buffer => hash('sha256', key, 'buffer');

const randomText = (length: number): string =>
  Array.from({ length }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');

function checksum(text: string): string {
  const digest = createHash('sha256').update(`plinth key ${text}`).digest();
  return Array.from({ length: CHECKSUM_LENGTH }, (_, index) =>
    ALPHABET.charAt((digest[index] ?? 0) % ALPHABET.length),
  ).join('');
}
