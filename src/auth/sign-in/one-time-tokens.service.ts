import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { hashSecret } from '../sessions/session-secret.js';

const TOKEN_BYTES = 32;
const TOKEN = /^[\w-]{43}$/;

/** What a token is good for; one is never taken for another. */
export type TokenPurpose =
  | 'set-up'
  | 'email-verification'
  | 'password-reset'
  | 'invitation'
  // Never given to anybody: it counts mails.
  | 'account-exists'
  | 'second-factor'
  | 'passkey-challenge'
  | 'provider-state'
  | 'provider-code';

/** What a token says to whoever uses it up. */
export interface TokenContent {
  /** Whose it is; it goes with the user. */
  readonly userId: string | null;
  /** Plain JSON, or null. */
  readonly data: unknown;
}

const FIND = `
  SELECT user_id AS "userId", data FROM plinth.one_time_tokens
  WHERE hash = $1 AND purpose = $2 AND expires_at > now()`;

/** Tokens that are good once, and not for long. Only their hashes are kept. */
@Injectable()
export class OneTimeTokens {
  async issue(
    purpose: TokenPurpose,
    lifetimeSeconds: number,
    manager: EntityManager,
    { userId = null, data = null }: Partial<TokenContent> = {},
  ): Promise<string> {
    const secret = randomBytes(TOKEN_BYTES);
    await manager.query(
      `INSERT INTO plinth.one_time_tokens (hash, purpose, user_id, data, expires_at)
       VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))`,
      [hashSecret(secret), purpose, userId, data === null ? null : JSON.stringify(data), lifetimeSeconds],
    );
    return secret.toString('base64url');
  }

  /** What a token says, or null where it is not good. It stays good. */
  async find(purpose: TokenPurpose, text: string, manager: EntityManager): Promise<TokenContent | null> {
    return this.read(FIND, purpose, text, manager);
  }

  /** The same, and nobody else can use it up before the transaction is over. */
  async hold(purpose: TokenPurpose, text: string, manager: EntityManager): Promise<TokenContent | null> {
    return this.read(`${FIND} FOR UPDATE`, purpose, text, manager);
  }

  /** Changes what a token says. */
  async amend(purpose: TokenPurpose, text: string, data: unknown, manager: EntityManager): Promise<void> {
    await manager.query('UPDATE plinth.one_time_tokens SET data = $3 WHERE hash = $1 AND purpose = $2', [
      hashSecret(Buffer.from(text, 'base64url')),
      purpose,
      JSON.stringify(data),
    ]);
  }

  /**
   * Uses up what was never kept: a text of random bytes that says itself until when it is good.
   * @returns whether it had not been used before; of many at once, one is told so
   */
  async spend(purpose: TokenPurpose, text: string, until: Date, manager: EntityManager): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `INSERT INTO plinth.one_time_tokens (hash, purpose, expires_at) VALUES ($1, $2, $3)
       ON CONFLICT (hash) DO NOTHING RETURNING 1`,
      [hashSecret(Buffer.from(text, 'base64url')), purpose, until],
    );
    return rows.length > 0;
  }

  private async read(
    statement: string,
    purpose: TokenPurpose,
    text: string,
    manager: EntityManager,
  ): Promise<TokenContent | null> {
    if (!TOKEN.test(text)) return null;
    const [found] = await manager.query<TokenContent[]>(statement, [
      hashSecret(Buffer.from(text, 'base64url')),
      purpose,
    ]);
    return found ?? null;
  }

  /** How many tokens of a kind a user has that are still good. */
  async countOpen(purpose: TokenPurpose, userId: string, manager: EntityManager): Promise<number> {
    const [found] = await manager.query<{ count: number }[]>(
      `SELECT count(*)::int AS count FROM plinth.one_time_tokens
       WHERE user_id = $1 AND purpose = $2 AND expires_at > now()`,
      [userId, purpose],
    );
    return found?.count ?? 0;
  }

  /** Makes every token of a user good for nothing, or those of one kind. */
  async revokeAll(
    userId: string,
    manager: EntityManager,
    purpose: TokenPurpose | null = null,
  ): Promise<void> {
    await manager.query(
      'DELETE FROM plinth.one_time_tokens WHERE user_id = $1 AND ($2::text IS NULL OR purpose = $2)',
      [userId, purpose],
    );
  }

  /**
   * Uses a token up, as a part of a transaction: of many at once, one succeeds.
   * @returns null where it is not good
   */
  async consume(purpose: TokenPurpose, text: string, manager: EntityManager): Promise<TokenContent | null> {
    if (!TOKEN.test(text)) return null;
    const [rows] = await manager.query<[TokenContent[], number]>(
      `DELETE FROM plinth.one_time_tokens WHERE hash = $1 AND purpose = $2 AND expires_at > now()
       RETURNING user_id AS "userId", data`,
      [hashSecret(Buffer.from(text, 'base64url')), purpose],
    );
    return rows[0] ?? null;
  }
}
