import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { decodeProtectedHeader, errors, jwtVerify, SignJWT, type JWTPayload } from 'jose';
import type { Recognised } from '../../access/index.js';
import { PlinthConfig } from '../../common/config/index.js';
import { createLruCache } from '../../common/lru-cache.js';
import { contextClassOf } from '../sessions/proof.js';
import { SessionDirectory, type LiveSession } from '../sessions/session-directory.js';
import { SIGNATURE_ALGORITHM, SigningKeys } from './signing-keys.service.js';

/** RFC 9068, so that no other token of ours is taken for an access token. */
const TOKEN_TYPE = 'at+jwt';
const MAX_TOKEN_LENGTH = 8192;
const MAX_KNOWN = 20_000;

/** What a server without an address of its own calls itself. */
const UNNAMED = 'plinth';

export interface IssuedToken {
  readonly accessToken: string;
  readonly expiresIn: number;
}

interface KnownToken {
  readonly text: string;
  readonly expiresAtMs: number;
  session: LiveSession;
}

/**
 * Access tokens: short-lived JWTs, signed with EdDSA, that any service can verify. Here, a token that was verified before
 * costs a look-up and a comparison, and what it may do is what its session may do now.
 */
@Injectable()
export class AccessTokens {
  /**
   * By signature: what is not there is verified. Only who has a token's signature finds it, so how long the comparison with
   * the rest takes, which is no secret, tells nobody anything.
   */
  private readonly known = createLruCache<KnownToken>(MAX_KNOWN);
  private readonly issuer: string;

  constructor(
    private readonly keys: SigningKeys,
    private readonly sessions: SessionDirectory,
    private readonly config: PlinthConfig,
  ) {
    this.issuer = config.publicUrl ?? UNNAMED;
    keys.onChange(() => this.known.clear());
  }

  async issue({ id, actor, expiresAtMs }: LiveSession): Promise<IssuedToken> {
    const { id: kid, key } = this.keys.signing;
    const nowSeconds = Math.floor(Date.now() / 1000);
    const lifetime = Math.min(
      this.config.accessTokenMinutes * 60,
      Math.max(1, Math.floor(expiresAtMs / 1000) - nowSeconds),
    );
    const { email, email_verified } = actor.claims;
    const actedBy = actor.session?.actedBy;
    const accessToken = await new SignJWT({
      sid: id,
      roles: actor.roles,
      email,
      email_verified,
      // RFC 8693.
      ...(actedBy === undefined ? {} : { act: { sub: actedBy } }),
      auth_time: Math.floor((actor.session?.authenticatedAtMs ?? 0) / 1000),
      amr: actor.session?.amr ?? [],
      acr: contextClassOf(typeof actor.session?.secondFactorAtMs === 'number'),
    })
      .setProtectedHeader({ alg: SIGNATURE_ALGORITHM, typ: TOKEN_TYPE, kid })
      .setIssuer(this.issuer)
      .setAudience(this.issuer)
      .setSubject(actor.id ?? '')
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + lifetime)
      .setJti(randomUUID())
      .sign(key);
    return { accessToken, expiresIn: lifetime };
  }

  /** Who a token speaks for. At once where the token and its session are known. */
  recognise(token: string): Recognised | Promise<Recognised> {
    const known = this.known.get(signatureOf(token));
    if (known === undefined || known.text !== token) return this.verify(token);
    if (known.expiresAtMs <= Date.now()) return 'ended';
    if (!known.session.isStale) return this.admit(known.session);
    const found = this.sessions.find(known.session.id);
    const renew = (session: LiveSession | null): Recognised => {
      if (session === null) return 'ended';
      known.session = session;
      return this.admit(session);
    };
    return found instanceof Promise ? found.then(renew) : renew(found);
  }

  private admit(session: LiveSession): Recognised {
    this.sessions.touch(session);
    return session.actor;
  }

  private async verify(token: string): Promise<Recognised> {
    if (token.length > MAX_TOKEN_LENGTH) return null;
    const payload = await this.read(token);
    if (payload === null || payload === 'ended') return payload;
    const { sid, sub, exp } = payload;
    if (typeof sid !== 'string' || exp === undefined) return null;
    const session = await this.sessions.find(sid);
    if (session === null || session.actor.id !== sub || session.actor.session?.isCookie !== false)
      return 'ended';
    this.known.set(signatureOf(token), { text: token, expiresAtMs: exp * 1000, session });
    return this.admit(session);
  }

  /** The claims of a token that is ours and holds. Keys are only ever those of the ring, named by `kid`. */
  private async read(token: string): Promise<JWTPayload | 'ended' | null> {
    try {
      const { kid } = decodeProtectedHeader(token);
      const key = typeof kid === 'string' ? this.keys.findVerifying(kid) : undefined;
      if (key === undefined) return null;
      const { payload } = await jwtVerify(token, key, {
        algorithms: [SIGNATURE_ALGORITHM],
        typ: TOKEN_TYPE,
        issuer: this.issuer,
        audience: this.issuer,
        requiredClaims: ['sub', 'sid', 'iat', 'exp', 'jti'],
      });
      return payload;
    } catch (error) {
      // Told only of a token whose signature is ours.
      return error instanceof errors.JWTExpired ? 'ended' : null;
    }
  }
}

const signatureOf = (token: string): string => token.slice(token.lastIndexOf('.') + 1);
