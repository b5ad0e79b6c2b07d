import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import type { Client } from '../client.js';
import { AccountMails } from '../mails/account-mails.service.js';
import { PasskeyVerifier } from '../passkeys/passkey-verifier.service.js';
import { OneTimeTokens } from '../sign-in/one-time-tokens.service.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import { isTotpCode } from '../totp/totp-code.js';
import { Totp } from '../totp/totp.service.js';
import { holdUser } from '../users/hold-user.js';
import {
  countRecoveryCodes,
  removeRecoveryCodes,
  renewRecoveryCodes,
  useRecoveryCode,
} from './recovery-codes.js';
import type { SecondFactorAnswerDto, SecondFactorMethod, SecondFactorStateDto } from './second-factor.dto.js';

interface FactorRow {
  readonly has_totp: boolean;
  readonly has_passkey: boolean;
}

const FACTORS = `
  SELECT EXISTS (SELECT FROM plinth.user_totp WHERE user_id = $1) AS has_totp,
         EXISTS (SELECT FROM plinth.passkeys WHERE user_id = $1) AS has_passkey`;

/** For what an answer is asked: a challenge for one thing is not good for another. */
export interface AnswerPurpose {
  readonly purpose: 'second-factor' | 'step-up';
  readonly binding: string;
}

/** What users have besides their first factor: whether, which, and whether an answer is right. */
@Injectable()
export class SecondFactors {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly totp: Totp,
    private readonly passkeys: PasskeyVerifier,
    private readonly tickets: OneTimeTokens,
    private readonly events: SignInEvents,
    private readonly mails: AccountMails,
  ) {}

  /** What a user can show. No methods: there is no second factor, and none is asked for. */
  async describe(
    userId: string,
    manager: EntityManager = this.dataSource.manager,
  ): Promise<SecondFactorStateDto> {
    const [factors] = await manager.query<FactorRow[]>(FACTORS, [userId]);
    const methods: SecondFactorMethod[] = [
      ...(factors?.has_passkey ? (['passkey'] as const) : []),
      ...(factors?.has_totp ? (['totp'] as const) : []),
    ];
    if (methods.length === 0) return { methods, recoveryCodesLeft: 0 };
    const recoveryCodesLeft = await countRecoveryCodes(userId, manager);
    return { methods: recoveryCodesLeft > 0 ? [...methods, 'recovery-code'] : methods, recoveryCodesLeft };
  }

  /**
   * Whether an answer is right, which uses it up with `manager`'s transaction.
   * @returns the methods that it shows, as RFC 8176 names them, or null
   */
  async verify(
    userId: string,
    { code, credential }: SecondFactorAnswerDto,
    { purpose, binding }: AnswerPurpose,
    client: Client,
    manager: EntityManager,
  ): Promise<readonly string[] | null> {
    if (credential !== undefined) {
      const passkey = await this.passkeys.findNamed(credential, manager);
      if (passkey === null || passkey.userId !== userId) return null;
      const expected = { purpose, bindings: [binding], requiresUserVerification: false };
      return (await this.passkeys.verify(credential, passkey, expected, client, manager))?.amr ?? null;
    }
    if (code === undefined) return null;
    if (isTotpCode(code)) return (await this.totp.use(userId, code, manager)) ? ['otp'] : null;
    if (!(await useRecoveryCode(userId, code, manager))) return null;
    await this.events.record('recovery-code.used', client, { userId }, manager);
    // A one-time password out of a list, which is what RFC 4949 means by the word.
    return ['otp'];
  }

  /**
   * Recovery codes for a user who has just added a factor, or null where some are left from before.
   * @param manager of a transaction that holds the user's factors
   */
  async giveCodes(userId: string, manager: EntityManager): Promise<readonly string[] | null> {
    return (await countRecoveryCodes(userId, manager)) > 0 ? null : renewRecoveryCodes(userId, manager);
  }

  /**
   * New recovery codes in place of those of before.
   * @throws Problem `conflict` where there is no second factor to recover from
   */
  async renewCodes(userId: string, client: Client): Promise<readonly string[]> {
    return this.dataSource.transaction(async (manager) => {
      await holdUser(userId, manager);
      const { methods } = await this.describe(userId, manager);
      if (methods.length === 0) {
        throw new Problem('conflict', { detail: 'Recovery codes come with a second factor; add one first.' });
      }
      await this.events.record('recovery-codes.renewed', client, { userId }, manager);
      await this.mails.write('recovery-codes-renewed', { userId }, manager);
      return renewRecoveryCodes(userId, manager);
    });
  }

  /** Recovery codes go with the last factor that they are for. */
  async dropCodesOfNone(userId: string, manager: EntityManager): Promise<void> {
    const { methods } = await this.describe(userId, manager);
    if (methods.length === 0) await removeRecoveryCodes(userId, manager);
  }

  /** Removes all of them, and ends the sign-ins that wait for one. */
  async reset(userId: string, client: Client, manager: EntityManager): Promise<void> {
    await holdUser(userId, manager);
    const { methods } = await this.describe(userId, manager);
    await this.tickets.revokeAll(userId, manager, 'second-factor');
    await this.totp.remove(userId, manager);
    await manager.query('DELETE FROM plinth.passkeys WHERE user_id = $1', [userId]);
    await removeRecoveryCodes(userId, manager);
    await this.events.record('second-factor.reset', client, { userId }, manager);
    if (methods.length > 0) await this.mails.write('second-factor-reset', { userId }, manager);
  }
}

/** @throws Problem `invalid-request` unless exactly one of the members is there */
export function requireOneOf(body: object, names: readonly string[]): void {
  const given = names.filter((name) => (body as Record<string, unknown>)[name] !== undefined);
  if (given.length === 1) return;
  const list = names.map((name) => JSON.stringify(name)).join(', ');
  throw new Problem('invalid-request', {
    detail: `The body must have exactly one of ${list}.`,
    errors: (given.length === 0 ? names : given).map((name) => ({
      pointer: `/${name}`,
      code: given.length === 0 ? 'required' : 'too-many',
      message: given.length === 0 ? 'or another one must be given' : 'must be the only one',
    })),
  });
}
