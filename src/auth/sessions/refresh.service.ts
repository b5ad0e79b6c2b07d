import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import type { Client } from '../client.js';
import { AccountMails } from '../mails/account-mails.service.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import { SessionDirectory } from './session-directory.js';
import { formatRefreshToken, hashSecret, parseRefreshToken, randomSecret } from './session-secret.js';
import { SessionsService, type StartedSession } from './sessions.service.js';

/** For so long, the token before the last one is an honest race of two tabs and not a theft. */
const GRACE_SECONDS = 10;

/** Of many at once with the same token, the row's lock lets one through; the others find another token there. */
const ROTATE = `
  UPDATE plinth.sessions SET refresh_hash = $4, previous_hash = refresh_hash, rotated_at = now(), last_used_at = now(),
    expires_at = $5, address = $6, user_agent = $7
  WHERE id = $1 AND family_hash = $2 AND refresh_hash = $3 AND expires_at > now()
  RETURNING id`;

const JUDGE = `
  SELECT previous_hash = $3 AND rotated_at > now() - make_interval(secs => $4) AS is_race
  FROM plinth.sessions WHERE id = $1 AND family_hash = $2 AND kind = 'token' AND expires_at > now()`;

const END = 'DELETE FROM plinth.sessions WHERE id = $1 AND family_hash = $2 RETURNING user_id';

/**
 * Refresh tokens: each is good once. One that was used before is in two hands, so the session ends; but for the one just
 * replaced, which within seconds is refused and no more. Who does not know the secret that all tokens of a session share
 * has never had one, and ends nothing.
 */
@Injectable()
export class RefreshService {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly sessions: SessionsService,
    private readonly directory: SessionDirectory,
    private readonly events: SignInEvents,
    private readonly mails: AccountMails,
  ) {}

  /**
   * A new refresh token for one that was not used yet.
   * @throws Problem `unauthenticated`; `conflict` where another request with the same token was faster
   */
  async rotate(text: string, client: Client): Promise<StartedSession> {
    const startedAtMs = performance.now();
    const token = parseRefreshToken(text);
    if (token === null) throw refused();
    const { sessionId, family } = token;
    const known = [sessionId, hashSecret(family), hashSecret(token.rotation)] as const;
    const rotation = randomSecret();
    const [rotated] = await this.dataSource.query<[{ id: string }[], number]>(ROTATE, [
      ...known,
      hashSecret(rotation),
      this.sessions.expiry(),
      client.address,
      client.userAgent,
    ]);
    if (rotated.length === 0) await this.refuse(known, client, startedAtMs);
    return { id: sessionId, kind: 'token', secret: formatRefreshToken({ sessionId, family, rotation }) };
  }

  private async refuse(
    [sessionId, familyHash, refreshHash]: readonly [string, Buffer, Buffer],
    client: Client,
    startedAtMs: number,
  ): Promise<never> {
    // A request that has waited for its turn was not late.
    const waitedSeconds = (performance.now() - startedAtMs) / 1000;
    const [found] = await this.dataSource.query<{ is_race: boolean | null }[]>(JUDGE, [
      sessionId,
      familyHash,
      refreshHash,
      GRACE_SECONDS + waitedSeconds,
    ]);
    if (found === undefined) throw refused();
    if (found.is_race === true) {
      throw new Problem('conflict', {
        detail: 'Another request has just used this refresh token; go on with the one that it was given.',
      });
    }
    const userId = await this.dataSource.transaction(async (manager) => {
      const [[session]] = await manager.query<[{ user_id: string }[], number]>(END, [sessionId, familyHash]);
      if (session === undefined) return null;
      await this.events.record('refresh.reused', client, { userId: session.user_id, sessionId }, manager);
      await this.mails.write('refresh-reused', { userId: session.user_id }, manager);
      return session.user_id;
    });
    if (userId !== null) this.directory.forget(userId);
    throw refused();
  }
}

const refused = (): Problem =>
  new Problem('unauthenticated', {
    detail: 'The refresh token is unknown, used before, expired or revoked: sign in again.',
    headers: { 'www-authenticate': 'Bearer realm="plinth", error="invalid_token"' },
  });
