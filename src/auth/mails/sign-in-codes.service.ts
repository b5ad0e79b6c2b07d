import { createHmac, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ServerSecret } from '../../common/secrets/index.js';
import { hashSecret } from '../sessions/session-secret.js';
import { normaliseEmail } from '../users/email-address.js';

export const CODE_MINUTES = 10;
const TOKEN_BYTES = 32;
const TOKEN = /^[\w-]{43}$/;

/** Wrong guesses at one code. */
const MAX_FAILURES = 5;
/** Of an address in a day: a million codes withstand these. The link of the mail works all the same. */
const MAX_DAILY_FAILURES = 20;
/** Mails to one address. */
const MAX_HOURLY = 20;
/** So many of the newest codes can be entered: who asks twice may have the first mail at hand. */
const MAX_OPEN = 3;

interface Kept {
  readonly id: string;
  readonly hash: Buffer;
  readonly failures: number;
  readonly isOpen: boolean;
}

/** Until the end of the transaction nobody else counts what an address has had, or uses any of it up. */
const HOLD = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 7052601401))';

const LIST = `
  SELECT id::text, code_hash AS hash, failures, used_at IS NULL AND expires_at > now() AS "isOpen"
  FROM plinth.sign_in_codes WHERE email = $1 AND created_at > now() - interval '1 day' ORDER BY id DESC`;

/** Who has shown that a mail is theirs has used up every one that is open. */
const USE_ALL = `
  UPDATE plinth.sign_in_codes SET used_at = now() WHERE email = $1 AND used_at IS NULL AND expires_at > now()`;

const FIND_LINK = 'SELECT email FROM plinth.sign_in_codes WHERE link_hash = $1';

const USE_LINK = `
  UPDATE plinth.sign_in_codes SET used_at = now() WHERE link_hash = $1 AND used_at IS NULL AND expires_at > now()
  RETURNING 1`;

/** Six digits and a link that are mailed together and good once together. Their hashes are kept; that of a code has a key. */
@Injectable()
export class SignInCodes {
  private key: Buffer | undefined;

  constructor(private readonly secret: ServerSecret) {}

  /** @returns null where the address has had too many mails */
  async issue(
    address: string,
    manager: EntityManager,
  ): Promise<{ readonly code: string; readonly token: string } | null> {
    const email = normaliseEmail(address);
    await manager.query(HOLD, [email]);
    const [sent] = await manager.query<{ count: number }[]>(
      `SELECT count(*)::int AS count FROM plinth.sign_in_codes WHERE email = $1 AND created_at > now() - interval '1 hour'`,
      [email],
    );
    if ((sent?.count ?? 0) >= MAX_HOURLY) return null;
    const code = String(randomInt(1_000_000)).padStart(6, '0');
    const token = randomBytes(TOKEN_BYTES);
    await manager.query(
      `INSERT INTO plinth.sign_in_codes (email, code_hash, link_hash, expires_at)
       VALUES ($1, $2, $3, now() + make_interval(mins => $4))`,
      [email, this.hash(email, code), hashSecret(token), CODE_MINUTES],
    );
    return { code, token: token.toString('base64url') };
  }

  /** Uses a code up, as a part of a transaction that must be committed either way: a wrong guess is counted in it. */
  async consumeCode(address: string, code: string, manager: EntityManager): Promise<boolean> {
    const email = normaliseEmail(address);
    const guess = this.hash(email, code);
    await manager.query(HOLD, [email]);
    const kept = await manager.query<Kept[]>(LIST, [email]);
    const open = kept.filter(({ isOpen }) => isOpen).slice(0, MAX_OPEN);
    const failures = kept.reduce((sum, row) => sum + row.failures, 0);
    const isTaken = failures < MAX_DAILY_FAILURES && (open[0]?.failures ?? MAX_FAILURES) < MAX_FAILURES;
    const isRight = open.filter(({ hash }) => timingSafeEqual(hash, guess)).length > 0;
    if (isTaken && isRight) {
      await manager.query(USE_ALL, [email]);
      return true;
    }
    await manager.query('UPDATE plinth.sign_in_codes SET failures = failures + 1 WHERE id = $1', [
      open[0]?.id ?? null,
    ]);
    return false;
  }

  /** @returns the address that the link was mailed to, or null where it is not good */
  async consumeLink(text: string, manager: EntityManager): Promise<string | null> {
    if (!TOKEN.test(text)) return null;
    const hash = hashSecret(Buffer.from(text, 'base64url'));
    const [found] = await manager.query<{ email: string }[]>(FIND_LINK, [hash]);
    if (found === undefined) return null;
    await manager.query(HOLD, [found.email]);
    const [used] = await manager.query<[unknown[], number]>(USE_LINK, [hash]);
    if (used.length === 0) return null;
    await manager.query(USE_ALL, [found.email]);
    return found.email;
  }

  private hash(email: string, code: string): Buffer {
    this.key ??= this.secret.deriveKey('sign-in codes');
    return createHmac('sha256', this.key).update(`${email}\n${code}`).digest();
  }
}
