import { hash, randomInt } from 'node:crypto';
import type { EntityManager } from 'typeorm';

const COUNT = 10;
const LENGTH = 16;
/** Crockford's, which leaves out what looks alike. Sixteen of these are 80 bits. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const CODE = /^[0-9a-hjkmnp-tv-z]{16}$/;

/** Gives a user ten new codes, in place of those of before. Only their hashes are kept. */
export async function renewRecoveryCodes(userId: string, manager: EntityManager): Promise<string[]> {
  const codes = Array.from({ length: COUNT }, makeCode);
  await manager.query('DELETE FROM plinth.recovery_codes WHERE user_id = $1', [userId]);
  await manager.query('INSERT INTO plinth.recovery_codes (user_id, hash) SELECT $1, unnest($2::bytea[])', [
    userId,
    codes.map((code) => hashCode(userId, readCode(code) ?? '')),
  ]);
  return codes;
}

export async function countRecoveryCodes(userId: string, manager: EntityManager): Promise<number> {
  const [row] = await manager.query<{ count: number }[]>(
    'SELECT count(*)::int AS count FROM plinth.recovery_codes WHERE user_id = $1',
    [userId],
  );
  return row?.count ?? 0;
}

/** Uses a code up; whether it was one. Of many at once with the same, one is told so. */
export async function useRecoveryCode(
  userId: string,
  text: string,
  manager: EntityManager,
): Promise<boolean> {
  const code = readCode(text);
  if (code === null) return false;
  const [used] = await manager.query<[unknown[], number]>(
    'DELETE FROM plinth.recovery_codes WHERE user_id = $1 AND hash = $2 RETURNING 1',
    [userId, hashCode(userId, code)],
  );
  return used.length > 0;
}

export async function removeRecoveryCodes(userId: string, manager: EntityManager): Promise<void> {
  await manager.query('DELETE FROM plinth.recovery_codes WHERE user_id = $1', [userId]);
}

/** `k7mq-2x9f-h3vd-w8np` */
function makeCode(): string {
  const letters = Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return letters.match(/.{4}/g)?.join('-') ?? '';
}

/** As people type it: with or without hyphens, in any case, with the letters that look like others. */
function readCode(text: string): string | null {
  const letters = text.toLowerCase().replaceAll(/[\s-]/g, '').replaceAll('o', '0').replaceAll(/[il]/g, '1');
  return CODE.test(letters) ? letters : null;
}

/** SHA-256: a code has too much entropy for anything slower to be of use. */
const hashCode = (userId: string, code: string): Buffer => hash('sha256', `${userId} ${code}`, 'buffer');
