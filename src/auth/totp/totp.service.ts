import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { PlinthConfig } from '../../common/config/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Observer } from '../../common/observability/index.js';
import { serviceName } from '../service-name.js';
import { seal, ServerSecret, unseal } from '../../common/secrets/index.js';
import { findTotpStep, makeTotpSecret, totpUri } from './totp-code.js';

const ENROLMENT_SECONDS = 600;

const ENROL = `
  INSERT INTO plinth.totp_enrolments (user_id, secret, expires_at)
  VALUES ($1, $2, now() + make_interval(secs => $3))
  ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, expires_at = excluded.expires_at`;

const FIND_ENROLMENT = `
  SELECT secret FROM plinth.totp_enrolments WHERE user_id = $1 AND expires_at > now()`;

const END_ENROLMENT = 'DELETE FROM plinth.totp_enrolments WHERE user_id = $1 AND secret = $2 RETURNING 1';

/** Tells of a new factor by the trigger on insertion, also where it replaces another. */
const TURN_ON = `
  INSERT INTO plinth.user_totp (user_id, secret, last_step) VALUES ($1, $2, $3)
  ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, last_step = excluded.last_step, created_at = now()`;

const FIND = 'SELECT secret, last_step::float8 AS last_step FROM plinth.user_totp WHERE user_id = $1';

/** Of many at once with one code, the row's lock lets one through. */
const USE = `
  UPDATE plinth.user_totp SET last_step = $3 WHERE user_id = $1 AND secret = $2 AND last_step < $3 RETURNING 1`;

const REMOVE = 'DELETE FROM plinth.user_totp WHERE user_id = $1 RETURNING 1';

/** A secret that a user puts into an app, and that counts once a code of it was shown. */
export interface TotpEnrolment {
  /** In base32. */
  readonly secret: string;
  readonly uri: string;
}

/** A secret whose first code was right. */
export interface ProvedEnrolment {
  readonly sealed: Buffer;
  /** Of the code. */
  readonly step: number;
}

/** Codes of authenticator apps (RFC 6238). Their secrets are encrypted, and each code is good once. */
@Injectable()
export class Totp {
  private sealing: Buffer | undefined;

  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly secret: ServerSecret,
    private readonly config: PlinthConfig,
    private readonly observer: Observer,
  ) {}

  /** Begins anew; what was begun before is forgotten. An app that is on stays on until the new one is. */
  async enrol(userId: string, label: string): Promise<TotpEnrolment> {
    const secret = makeTotpSecret();
    const sealed = seal(Buffer.from(secret), this.sealingKey, nameOf(userId));
    await this.dataSource.query(ENROL, [userId, sealed, ENROLMENT_SECONDS]);
    return { secret, uri: totpUri(serviceName(this.config), label, secret) };
  }

  /** @returns null where nothing was begun, `wrong` for a code that is not of it */
  async proveEnrolment(userId: string, code: string): Promise<ProvedEnrolment | 'wrong' | null> {
    const [found] = await this.dataSource.query<{ secret: Buffer }[]>(FIND_ENROLMENT, [userId]);
    if (found === undefined) return null;
    const secret = this.open(userId, found.secret);
    const step = secret === null ? null : findTotpStep(secret, code, null);
    return step === null ? 'wrong' : { sealed: found.secret, step };
  }

  /** @returns whether it was turned on by this very call */
  async turnOn(userId: string, { sealed, step }: ProvedEnrolment, manager: EntityManager): Promise<boolean> {
    const [ended] = await manager.query<[unknown[], number]>(END_ENROLMENT, [userId, sealed]);
    if (ended.length === 0) return false;
    await manager.query(TURN_ON, [userId, sealed, step]);
    return true;
  }

  /** Whether a code is right, and was not used before; it is used now. */
  async use(userId: string, code: string, manager: EntityManager): Promise<boolean> {
    const [found] = await manager.query<{ secret: Buffer; last_step: number }[]>(FIND, [userId]);
    if (found === undefined) return false;
    const secret = this.open(userId, found.secret);
    const step = secret === null ? null : findTotpStep(secret, code, found.last_step);
    if (step === null) return false;
    const [used] = await manager.query<[unknown[], number]>(USE, [userId, found.secret, step]);
    return used.length > 0;
  }

  /** @returns whether there was one */
  async remove(userId: string, manager: EntityManager): Promise<boolean> {
    await manager.query('DELETE FROM plinth.totp_enrolments WHERE user_id = $1', [userId]);
    const [removed] = await manager.query<[unknown[], number]>(REMOVE, [userId]);
    return removed.length > 0;
  }

  private get sealingKey(): Buffer {
    this.sealing ??= this.secret.deriveKey('authenticator apps');
    return this.sealing;
  }

  private open(userId: string, sealed: Buffer): string | null {
    const opened = unseal(sealed, this.sealingKey, nameOf(userId));
    if (opened === null) this.observer.observe({ kind: 'auth.totp-unreadable', user: userId });
    return opened?.toString() ?? null;
  }
}

/** A secret that was moved to another user's row does not open. */
const nameOf = (userId: string): string => `totp ${userId}`;
