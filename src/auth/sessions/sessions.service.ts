import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { isUUID } from 'class-validator';
import { Repository, type EntityManager } from 'typeorm';
import { pageOf, readCursor, type SystemPage } from '../../access/index.js';
import { PlinthConfig } from '../../common/config/index.js';
import type { Actor } from '../../common/context/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import type { Client } from '../client.js';
import { OneTimeTokens } from '../sign-in/one-time-tokens.service.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import { TIME_AND_ID } from '../time-cursor.js';
import { joinMethods, type Proof } from './proof.js';
import { SessionDirectory, type LiveSession } from './session-directory.js';
import { formatCookie, formatRefreshToken, hashSecret, randomSecret } from './session-secret.js';
import type { SessionQuery } from './session.dto.js';
import { Session } from './session.entity.js';

export type SessionKind = Session['kind'];

/** A session that has just begun, with the one text that proves it. */
export interface StartedSession {
  readonly id: string;
  readonly kind: SessionKind;
  /** A refresh token, or a cookie's value. */
  readonly secret: string;
}

const RENEW_PROOF = `
  UPDATE plinth.sessions
  SET authenticated_at = now(), amr = $2, second_factor_at = coalesce($3, second_factor_at)
  WHERE id = $1`;

const NOTE_FACTOR = `
  UPDATE plinth.sessions SET amr = $2, second_factor_at = authenticated_at WHERE id = $1 AND second_factor_at IS NULL`;

/** Sessions: begun by a sign-in, listed, and ended, which is in force on every instance within a second. */
@Injectable()
export class SessionsService {
  constructor(
    @InjectRepository(Session, SYSTEM_DATA_SOURCE) private readonly sessions: Repository<Session>,
    private readonly directory: SessionDirectory,
    private readonly tickets: OneTimeTokens,
    private readonly events: SignInEvents,
    private readonly config: PlinthConfig,
  ) {}

  /** @param manager of the transaction in which the user has proved who they are */
  async start(
    userId: string,
    { amr, secondFactorAt }: Proof,
    kind: SessionKind,
    { address, userAgent }: Client,
    manager: EntityManager,
  ): Promise<StartedSession> {
    const family = randomSecret();
    const rotation = randomSecret();
    const { identifiers } = await manager.insert(Session, {
      userId,
      kind,
      familyHash: hashSecret(family),
      refreshHash: kind === 'token' ? hashSecret(rotation) : null,
      userAgent,
      address,
      amr,
      secondFactorAt,
      expiresAt: this.expiry(),
    });
    const sessionId = (identifiers[0] as { readonly id: string }).id;
    const secret =
      kind === 'token'
        ? formatRefreshToken({ sessionId, family, rotation })
        : formatCookie({ sessionId, family });
    return { id: sessionId, kind, secret };
  }

  /**
   * A session of an administrator who acts as a user. Nobody is given its refresh token, so it ends with the first access
   * token, and before that with the administrator's own session.
   * @returns its id
   */
  async startActing(
    userId: string,
    actingSessionId: string,
    { address, userAgent }: Client,
    manager: EntityManager,
  ): Promise<string> {
    const { identifiers } = await manager.insert(Session, {
      userId,
      actingSessionId,
      kind: 'token',
      familyHash: hashSecret(randomSecret()),
      refreshHash: hashSecret(randomSecret()),
      userAgent,
      address,
      amr: [],
      expiresAt: new Date(Date.now() + this.config.accessTokenMinutes * 60_000),
    });
    return (identifiers[0] as { readonly id: string }).id;
  }

  /** When a session that is used now will end, if it is not used again. */
  expiry(): Date {
    return new Date(Date.now() + this.config.sessionDays * 86_400_000);
  }

  /**
   * A session in force.
   * @throws Problem `unauthenticated` where it has ended meanwhile
   */
  async get(id: string): Promise<LiveSession> {
    const session = await this.directory.find(id);
    if (session === null) {
      throw new Problem('unauthenticated', {
        detail: 'The session is over: sign in again.',
        headers: { 'www-authenticate': 'Bearer realm="plinth"' },
      });
    }
    return session;
  }

  /** Those of one user, or of all, newest first. */
  async list({ limit, cursor, user }: SessionQuery): Promise<SystemPage<Session>> {
    if (user !== undefined && !isUUID(user)) return pageOf([], limit, () => '');
    const after = readCursor(cursor, TIME_AND_ID.pattern);
    const query = this.sessions
      .createQueryBuilder('session')
      .leftJoinAndSelect('session.actingSession', 'acting')
      .where('session.expiresAt > now()')
      .orderBy('session.createdAt', 'DESC')
      .addOrderBy('session.id', 'DESC')
      .limit(limit + 1);
    if (user !== undefined) query.andWhere('session.userId = :user', { user });
    if (after !== null) {
      query.andWhere('(session.createdAt, session.id) < (:time, :id)', TIME_AND_ID.parse(after));
    }
    return pageOf(await query.getMany(), limit, TIME_AND_ID.format);
  }

  /**
   * Ends one session.
   * @param owner whose it must be; null is anybody's
   * @throws Problem `not-found`
   */
  async end(id: string, owner: string | null, client: Client): Promise<void> {
    const [ended] = isUUID(id)
      ? await this.delete('id = $1 AND ($2::uuid IS NULL OR user_id = $2)', [id, owner])
      : [];
    if (ended === undefined) throw new Problem('not-found', { detail: 'There is no such session.' });
    await this.events.record('session.ended', client, { userId: ended.user_id, sessionId: ended.id });
  }

  /** Ends a session because its user signs out. */
  async signOut(id: string, client: Client): Promise<void> {
    const [ended] = await this.delete('id = $1', [id]);
    if (ended) await this.events.record('signed-out', client, { userId: ended.user_id, sessionId: id });
  }

  /**
   * Notes that the user of a session has proved anew who they are.
   * @param proof what the whole of it is now; a second factor of before counts as long as none is newer
   */
  async renewProof(id: string, userId: string, { amr, secondFactorAt }: Proof): Promise<void> {
    await this.sessions.manager.query(RENEW_PROOF, [id, amr, secondFactorAt]);
    this.noteEnded(userId);
  }

  /**
   * Notes that a user has just added a second factor in this session, where none was shown before: it is as recent as the
   * sign-in that let them add it.
   */
  async noteFactorAdded({ id: userId, session }: Actor, methods: readonly string[]): Promise<void> {
    if (userId === null || session === undefined) return;
    await this.sessions.manager.query(NOTE_FACTOR, [session.id, joinMethods(session.amr, methods)]);
    this.noteEnded(userId);
  }

  /**
   * Ends all sessions of a user, and the sign-ins that wait for a second factor, as a part of a transaction; `noteEnded`
   * is to be called after it.
   * @param manager of the transaction
   */
  async endAll(userId: string, manager: EntityManager): Promise<void> {
    await manager.delete(Session, { userId });
    await this.tickets.revokeAll(userId, manager, 'second-factor');
  }

  /** After a change of sessions or of what they may do. Other instances are told by a trigger; here it holds at once. */
  noteEnded(userId: string): void {
    this.directory.forget(userId);
  }

  private async delete(
    condition: string,
    values: readonly unknown[],
  ): Promise<readonly { readonly id: string; readonly user_id: string }[]> {
    const [rows] = await this.sessions.manager.query<[{ id: string; user_id: string }[], number]>(
      `DELETE FROM plinth.sessions WHERE ${condition} RETURNING id, user_id`,
      [...values],
    );
    for (const { user_id } of rows) this.noteEnded(user_id);
    return rows;
  }
}
