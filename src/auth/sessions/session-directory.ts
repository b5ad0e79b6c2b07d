import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { isUUID } from 'class-validator';
import type { DataSource } from 'typeorm';
import { ADMIN_ROLE, ANONYMOUS_ROLE, AUTHENTICATED_ROLE, effectiveRoles } from '../../access/index.js';
import { PlinthConfig } from '../../common/config/index.js';
import type { Actor } from '../../common/context/index.js';
import { GatheredLookups, SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { createLruCache } from '../../common/lru-cache.js';
import { Observer } from '../../common/observability/index.js';
import { IdentityWatch } from './identity-watch.js';
import { hashSecret, parseCookie } from './session-secret.js';

/** A session in force, as it was read. Once something changes that it depends on, it is stale and read again. */
export interface LiveSession {
  readonly id: string;
  readonly actor: Actor;
  /** By which a cookie is known. */
  readonly familyHash: Buffer;
  expiresAtMs: number;
  isStale: boolean;
  /** When its use was last noted. */
  touchedAtMs: number;
  /** The cookie's value once it was seen to be right, so that a hot request compares and does not hash. */
  verified: Buffer | null;
}

interface SessionRow {
  readonly id: string;
  readonly user_id: string;
  readonly kind: 'token' | 'cookie';
  readonly family_hash: Buffer;
  readonly expires_at: Date;
  readonly authenticated_at: Date;
  readonly second_factor_at: Date | null;
  readonly amr: readonly string[];
  readonly has_second_factor: boolean;
  readonly last_used_at: Date;
  readonly email: string | null;
  readonly email_verified_at: Date | null;
  readonly username: string | null;
  readonly claims: Record<string, unknown>;
  readonly is_anonymous: boolean;
  readonly roles: readonly string[];
  /** Who acts as the user, with their roles; null where the user asks. */
  readonly acting_id: string | null;
  readonly acting_roles: readonly string[];
}

const LOAD = `
  SELECT s.id, s.user_id, s.kind, s.family_hash, s.expires_at, s.authenticated_at, s.second_factor_at, s.amr,
         s.last_used_at,
         u.email, u.email_verified_at, u.username, u.claims, u.is_anonymous,
         ARRAY(SELECT r.role::text FROM plinth.user_roles r WHERE r.user_id = u.id) AS roles,
         (EXISTS (SELECT FROM plinth.user_totp t WHERE t.user_id = u.id)
           OR EXISTS (SELECT FROM plinth.passkeys p WHERE p.user_id = u.id)) AS has_second_factor,
         acting.id AS acting_id,
         ARRAY(SELECT r.role::text FROM plinth.user_roles r WHERE r.user_id = acting.id) AS acting_roles
  FROM plinth.sessions s JOIN plinth.users u ON u.id = s.user_id
  LEFT JOIN plinth.sessions own ON own.id = s.acting_session_id AND own.expires_at > now()
  LEFT JOIN plinth.users acting ON acting.id = own.user_id AND acting.status = 'active'
  WHERE s.id = ANY ($1) AND s.expires_at > now() AND u.status = 'active'
    AND (s.acting_session_id IS NULL OR acting.id IS NOT NULL)`;

const TOUCH = `
  UPDATE plinth.sessions SET last_used_at = now(),
    expires_at = CASE kind WHEN 'cookie' THEN now() + make_interval(days => $2) ELSE expires_at END
  WHERE id = $1`;

const MAX_KNOWN = 20_000;
/** Ids that lead nowhere are kept apart, so that guesses never push out sessions that are in use. */
const MAX_UNKNOWN = 10_000;
const TOUCH_MS = 10 * 60_000;
const DAY_MS = 86_400_000;

/**
 * Sessions in force, without asking the database for those that were seen before. A change of a user's rights makes what
 * is known of the user's sessions stale, on every instance.
 */
@Injectable()
export class SessionDirectory {
  private readonly known = createLruCache<LiveSession>(MAX_KNOWN, {
    // Who still holds it would not hear of changes any more.
    dispose: (session) => this.drop(session),
  });
  private readonly unknown = createLruCache<true>(MAX_UNKNOWN);
  private readonly byUser = new Map<string, Set<LiveSession>>();
  private readonly lookups = new GatheredLookups((ids) => this.load(ids));
  /** Counts changes, so that what was read before one is not kept after it. */
  private generation = 0;

  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    watch: IdentityWatch,
    private readonly config: PlinthConfig,
    private readonly observer: Observer,
  ) {
    watch.onChange((userId) => this.forget(userId));
  }

  /** A session in force, or null. At once where it is known. */
  find(id: string): LiveSession | null | Promise<LiveSession | null> {
    const known = this.known.get(id);
    if (known !== undefined) {
      if (known.expiresAtMs > Date.now()) return known;
      // Another instance may have noted its use since.
      this.known.delete(id);
    }
    return this.unknown.has(id) || !isUUID(id) ? null : this.lookups.find(id);
  }

  /** The session of a cookie's value, or null. */
  findByCookie(value: string): LiveSession | null | Promise<LiveSession | null> {
    const parsed = parseCookie(value);
    if (parsed === null) return null;
    const session = this.find(parsed.sessionId);
    const check = (found: LiveSession | null): LiveSession | null =>
      found?.actor.session?.isCookie === true && isCookieOf(found, value, parsed.family) ? found : null;
    return session instanceof Promise ? session.then(check) : check(session);
  }

  /** Notes now and then that a session is used; nobody waits for it. */
  touch(session: LiveSession): void {
    const now = Date.now();
    if (session.touchedAtMs + TOUCH_MS > now) return;
    session.touchedAtMs = now;
    this.dataSource.query(TOUCH, [session.id, this.config.sessionDays]).then(
      () => {
        if (session.actor.session?.isCookie) session.expiresAtMs = now + this.config.sessionDays * DAY_MS;
      },
      (error: Error) => this.observer.observe({ kind: 'auth.session-use-unnoted', reason: error.message }),
    );
  }

  /** What is asked from now on is read anew; of one user, or of all. */
  forget(userId: string | null): void {
    this.generation += 1;
    this.lookups.renew();
    this.unknown.clear();
    if (userId === null) this.known.clear();
    else for (const { id } of Array.from(this.byUser.get(userId) ?? [])) this.known.delete(id);
  }

  private async load(ids: readonly string[]): Promise<ReadonlyMap<string, LiveSession>> {
    const { generation } = this;
    const rows = await this.dataSource.query<SessionRow[]>(LOAD, [ids]);
    const found = new Map(rows.map((row) => [row.id, toLiveSession(row)]));
    for (const id of ids) {
      const session = found.get(id);
      // For this one request what was read still counts: it was asked before the change was heard of.
      if (generation !== this.generation) {
        if (session) session.isStale = true;
      } else if (session === undefined) this.unknown.set(id, true);
      else this.keep(session);
    }
    return found;
  }

  private keep(session: LiveSession): void {
    for (const userId of usersOf(session)) {
      const others = this.byUser.get(userId);
      if (others) others.add(session);
      else this.byUser.set(userId, new Set([session]));
    }
    this.known.set(session.id, session);
  }

  private drop(session: LiveSession): void {
    session.isStale = true;
    for (const userId of usersOf(session)) {
      const others = this.byUser.get(userId);
      others?.delete(session);
      if (others?.size === 0) this.byUser.delete(userId);
    }
  }
}

/** On whose rights a session depends. */
function usersOf({ actor }: LiveSession): readonly string[] {
  const actedBy = actor.session?.actedBy;
  return actedBy === undefined ? [actor.id ?? ''] : [actor.id ?? '', actedBy];
}

function isCookieOf(session: LiveSession, value: string, family: Buffer): boolean {
  const given = Buffer.from(value);
  const { verified, familyHash } = session;
  if (verified !== null && verified.length === given.length && timingSafeEqual(given, verified)) return true;
  if (!timingSafeEqual(hashSecret(family), familyHash)) return false;
  session.verified = given;
  return true;
}

/** Who acts as somebody has no role that they could not have themselves. */
function rolesOf({ roles, is_anonymous, acting_id, acting_roles }: SessionRow): readonly string[] {
  const isBounded = acting_id !== null && !acting_roles.includes(ADMIN_ROLE);
  const given = isBounded ? roles.filter((role) => acting_roles.includes(role)) : roles;
  return [...given, is_anonymous ? ANONYMOUS_ROLE : AUTHENTICATED_ROLE];
}

function toLiveSession(row: SessionRow): LiveSession {
  const session = {
    id: row.id,
    isCookie: row.kind === 'cookie',
    authenticatedAtMs: row.authenticated_at.getTime(),
    ...(row.acting_id === null ? {} : { actedBy: row.acting_id }),
    secondFactorAtMs: row.second_factor_at?.getTime() ?? null,
    amr: Object.freeze([...row.amr]),
    hasSecondFactor: row.has_second_factor,
  };
  const actor: Actor = {
    kind: 'user',
    id: row.user_id,
    roles: Object.freeze(effectiveRoles(rolesOf(row))),
    claims: Object.freeze({
      ...row.claims,
      email: row.email,
      email_verified: row.email_verified_at !== null,
      username: row.username,
      is_anonymous: row.is_anonymous,
      session_id: row.id,
      amr: session.amr,
    }),
    session: Object.freeze(session),
  };
  return {
    id: row.id,
    actor: Object.freeze(actor),
    familyHash: row.family_hash,
    expiresAtMs: row.expires_at.getTime(),
    isStale: false,
    touchedAtMs: row.last_used_at.getTime(),
    verified: null,
  };
}
