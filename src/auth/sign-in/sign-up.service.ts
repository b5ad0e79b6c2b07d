import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { PlinthConfig } from '../../common/config/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import type { Client } from '../client.js';
import { AccountMails } from '../mails/account-mails.service.js';
import { ReturnUrls } from '../mails/return-urls.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordPolicy } from '../passwords/password-policy.js';
import { Passwords } from '../passwords/passwords.service.js';
import { UsersService } from '../users/users.service.js';
import { SignInAttempts } from './sign-in-attempts.service.js';
import { SignInEvents } from './sign-in-events.service.js';
import type { SignUpDto } from './sign-in.dto.js';

/** @throws Problem `forbidden` where nobody may make an account by themselves */
export function refuseSignUp({ signUp }: PlinthConfig): void {
  if (signUp === 'open') return;
  throw new Problem('forbidden', {
    detail: signUp === 'invite' ? 'Accounts are made by invitation.' : 'Sign-up is closed.',
  });
}

/** Takes new users in. Whether an address has an account already shows neither in the answer nor in the work. */
@Injectable()
export class SignUpService {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly passwords: Passwords,
    private readonly hasher: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly attempts: SignInAttempts,
    private readonly events: SignInEvents,
    private readonly mails: AccountMails,
    private readonly links: ReturnUrls,
    private readonly config: PlinthConfig,
  ) {}

  /**
   * Makes an account unless there is one.
   * @throws Problem `forbidden` where sign-up is not open, `invalid-request` for a password that is too easy or an address to
   *   return to that is not allowed,
   *   `rate-limited`
   */
  async signUp(
    { email, password, profile, returnTo }: SignUpDto,
    languages: string,
    client: Client,
  ): Promise<void> {
    refuseSignUp(this.config);
    const checked = this.links.check(returnTo);
    await this.policy.check(password, '/password', [email]);
    await this.attempts.take(`sign-up ${email.toLowerCase()}`, client.address);
    const hash = await this.hasher.hash(password);
    // One transaction with an event and a mail either way: both are written to disk once.
    await this.dataSource.transaction(async (manager) => {
      const userId = await this.users.createIfNew({ email, profile }, manager);
      if (userId !== null) await this.passwords.set(userId, hash, manager);
      await this.events.record(
        userId === null ? 'sign-up.refused' : 'signed-up',
        client,
        { userId, email },
        manager,
      );
      const occasion = userId === null ? 'sign-up-again' : 'signed-up';
      await this.mails.write(occasion, { email, languages, returnTo: checked }, manager);
    });
  }
}
