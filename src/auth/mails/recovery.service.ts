import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { PlinthConfig } from '../../common/config/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { removeCredentials } from '../account/remove-credentials.js';
import type { Client } from '../client.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordPolicy } from '../passwords/password-policy.js';
import { Passwords } from '../passwords/passwords.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { OneTimeTokens, type TokenContent, type TokenPurpose } from '../sign-in/one-time-tokens.service.js';
import { SignInAttempts } from '../sign-in/sign-in-attempts.service.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import { normaliseEmail } from '../users/email-address.js';
import { holdUser } from '../users/hold-user.js';
import { UsersService } from '../users/users.service.js';
import { AccountMails } from './account-mails.service.js';
import type { AddressDto, NewPasswordDto } from './mail-flows.dto.js';
import { ReturnUrls } from './return-urls.js';

/** New passwords by mail: for who has forgotten theirs, and for who was invited and has none. */
@Injectable()
export class Recovery {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly passwords: Passwords,
    private readonly hasher: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly sessions: SessionsService,
    private readonly tokens: OneTimeTokens,
    private readonly attempts: SignInAttempts,
    private readonly events: SignInEvents,
    private readonly mails: AccountMails,
    private readonly links: ReturnUrls,
    private readonly config: PlinthConfig,
  ) {}

  /**
   * Does the same whether there is such an account: a job finds out.
   * @throws Problem `forbidden` where it is switched off, `invalid-request`, `rate-limited`
   */
  async forgot({ email, returnTo }: AddressDto, languages: string, client: Client): Promise<void> {
    this.requireReset();
    const checked = this.links.check(returnTo);
    await this.attempts.take(`forgot ${normaliseEmail(email)}`, client.address);
    await this.dataSource.transaction(async (manager) => {
      await this.events.record('password.forgotten', client, { email }, manager);
      await this.mails.write('password-forgotten', { email, languages, returnTo: checked }, manager);
    });
  }

  /**
   * Ends every session of the user, and every other token.
   * @throws Problem `forbidden` for a link that is not good, `invalid-request` for a password too easy
   */
  async reset(body: NewPasswordDto, languages: string, client: Client): Promise<void> {
    this.requireReset();
    await this.setByToken('password-reset', body, async (userId, manager) => {
      await this.events.record('password.reset', client, { userId }, manager);
      await this.mails.write('password-changed', { userId, languages }, manager);
    });
  }

  /** @throws Problem `forbidden` for a link that is not good, `invalid-request` for a password too easy */
  async accept(body: NewPasswordDto, client: Client): Promise<void> {
    await this.setByToken('invitation', body, async (userId, manager) => {
      await this.users.update(userId, { status: 'active' }, manager);
      await this.events.record('invitation.accepted', client, { userId }, manager);
    });
  }

  private requireReset(): void {
    if (this.config.isPasswordResetOn) return;
    throw new Problem('forbidden', { detail: 'Passwords are not reset by mail here.' });
  }

  /** A password that is refused leaves the token good. */
  private async setByToken(
    purpose: TokenPurpose,
    { token, password }: NewPasswordDto,
    conclude: (userId: string, manager: EntityManager) => Promise<void>,
  ): Promise<void> {
    const userId = ownerOf(await this.tokens.find(purpose, token, this.dataSource.manager));
    const { email, username } = await this.users.get(userId);
    const known = [email, username].filter((text) => text !== null);
    await this.policy.check(password, '/password', known);
    // What takes long is done before anybody has to wait for it.
    const hash = await this.hasher.hash(password);
    await this.dataSource.transaction(async (manager) => {
      // All tokens of the user go, so that two at once must not wait for each other's.
      await holdUser(userId, manager);
      ownerOf(await this.tokens.consume(purpose, token, manager));
      const { emailVerifiedAt, status } = await this.users.get(userId, manager);
      if (status !== (purpose === 'invitation' ? 'invited' : 'active')) throw spent();
      // Whoever made an account with an address that was not theirs keeps no way in.
      if (emailVerifiedAt === null) await removeCredentials(userId, manager);
      await this.tokens.revokeAll(userId, manager);
      await this.sessions.endAll(userId, manager);
      await this.passwords.set(userId, hash, manager);
      // Only who reads the mails of the address has the token.
      if (emailVerifiedAt === null) await this.users.update(userId, { emailVerified: true }, manager);
      await conclude(userId, manager);
    });
    this.sessions.noteEnded(userId);
  }
}

/** @throws Problem `forbidden` for a token that is not good */
export function ownerOf(content: TokenContent | null): string {
  if (content === null || content.userId === null) throw spent();
  return content.userId;
}

/** The one answer to every token that is not good. */
export const spent = (): Problem =>
  new Problem('forbidden', { detail: 'The link is unknown, used or expired; ask for another one.' });
