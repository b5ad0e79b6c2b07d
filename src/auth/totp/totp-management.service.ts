import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { PlinthConfig } from '../../common/config/index.js';
import type { Actor } from '../../common/context/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { userOf } from '../account/account.service.js';
import type { Client } from '../client.js';
import { AccountMails } from '../mails/account-mails.service.js';
import { SecondFactors } from '../second-factor/second-factors.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { OF_CODES, SignInAttempts } from '../sign-in/sign-in-attempts.service.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import { holdUser } from '../users/hold-user.js';
import { UsersService } from '../users/users.service.js';
import { Totp, type TotpEnrolment } from './totp.service.js';

/** Turns the authenticator app of a user on and off. */
@Injectable()
export class TotpManagement {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly totp: Totp,
    private readonly factors: SecondFactors,
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly attempts: SignInAttempts,
    private readonly events: SignInEvents,
    private readonly mails: AccountMails,
    private readonly config: PlinthConfig,
  ) {}

  /** @throws Problem `forbidden` where apps are switched off */
  async enrol(actor: Actor): Promise<TotpEnrolment> {
    this.requireOn();
    const { id, email, username } = await this.users.get(userOf(actor));
    return this.totp.enrol(id, email ?? username ?? id);
  }

  /**
   * @returns recovery codes, or null where the user has some
   * @throws Problem `conflict` where nothing was begun, `forbidden` for a wrong code or where apps are switched off,
   *   `rate-limited`
   */
  async confirm(actor: Actor, code: string, client: Client): Promise<readonly string[] | null> {
    this.requireOn();
    const userId = userOf(actor);
    const forgive = await this.attempts.take(`totp enrolment ${userId}`, client.address, OF_CODES);
    const proved = await this.totp.proveEnrolment(userId, code);
    if (proved === null) throw nothingBegun();
    if (proved === 'wrong') throw wrongCode();
    const codes = await this.dataSource.transaction(async (manager) => {
      await holdUser(userId, manager);
      if (!(await this.totp.turnOn(userId, proved, manager))) throw nothingBegun();
      await this.events.record('totp.added', client, { userId }, manager);
      await this.mails.write('app-added', { userId }, manager);
      return this.factors.giveCodes(userId, manager);
    });
    await forgive();
    await this.sessions.noteFactorAdded(actor, ['otp']);
    return codes;
  }

  /** @throws Problem `not-found` where there is none */
  async remove(actor: Actor, client: Client): Promise<void> {
    const userId = userOf(actor);
    await this.dataSource.transaction(async (manager) => {
      await holdUser(userId, manager);
      if (!(await this.totp.remove(userId, manager))) {
        throw new Problem('not-found', { detail: 'There is no authenticator app.' });
      }
      await this.factors.dropCodesOfNone(userId, manager);
      await this.events.record('totp.removed', client, { userId }, manager);
      await this.mails.write('app-removed', { userId }, manager);
    });
    this.sessions.noteEnded(userId);
  }

  private requireOn(): void {
    if (this.config.hasTotp) return;
    throw new Problem('forbidden', { detail: 'Authenticator apps are switched off at this server.' });
  }
}

const nothingBegun = (): Problem =>
  new Problem('conflict', { detail: 'No app is being added; begin at /auth/totp/enroll.' });

const wrongCode = (): Problem =>
  new Problem('forbidden', {
    detail: 'The code is wrong.',
    errors: [{ pointer: '/code', code: 'wrong', message: 'is wrong' }],
  });
