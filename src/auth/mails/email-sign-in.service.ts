import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { PlinthConfig } from '../../common/config/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { removeCredentials } from '../account/remove-credentials.js';
import type { Client } from '../client.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { OneTimeTokens } from '../sign-in/one-time-tokens.service.js';
import { SignInAttempts } from '../sign-in/sign-in-attempts.service.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import { SignInService, type SignInOutcome } from '../sign-in/sign-in.service.js';
import { normaliseEmail } from '../users/email-address.js';
import { holdUser } from '../users/hold-user.js';
import { UsersService } from '../users/users.service.js';
import { AccountMails } from './account-mails.service.js';
import type { AddressDto, VerifyCodeDto } from './mail-flows.dto.js';
import { ownerOf, spent } from './recovery.service.js';
import { ReturnUrls } from './return-urls.js';
import { SignInCodes } from './sign-in-codes.service.js';

/** Mailboxes as proofs: of an address that was given, and to sign in with. */
@Injectable()
export class EmailSignIn {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly signIns: SignInService,
    private readonly codes: SignInCodes,
    private readonly tokens: OneTimeTokens,
    private readonly attempts: SignInAttempts,
    private readonly events: SignInEvents,
    private readonly mails: AccountMails,
    private readonly links: ReturnUrls,
    private readonly config: PlinthConfig,
  ) {}

  /** @throws Problem `invalid-request`, `rate-limited` */
  async requestVerification(
    userId: string,
    returnTo: string | undefined,
    languages: string,
    client: Client,
  ): Promise<void> {
    const checked = this.links.check(returnTo);
    await this.attempts.take(`verification ${userId}`, client.address);
    await this.mails.write(
      'verification-wanted',
      { userId, languages, returnTo: checked },
      this.dataSource.manager,
    );
  }

  /** @throws Problem `forbidden` for a link that is not good, or whose address is not the user's any more */
  async verify(token: string, client: Client): Promise<void> {
    const userId = await this.dataSource.transaction(async (manager) => {
      const userId = ownerOf(await this.tokens.find('email-verification', token, manager));
      await holdUser(userId, manager);
      const content = await this.tokens.consume('email-verification', token, manager);
      const user = await this.users.get(ownerOf(content), manager);
      if (user.email !== (content?.data as { email?: string } | null)?.email) throw spent();
      if (user.emailVerifiedAt === null) {
        await this.users.update(user.id, { emailVerified: true }, manager);
        await this.events.record('email.verified', client, { userId: user.id }, manager);
      }
      return user.id;
    });
    this.sessions.noteEnded(userId);
  }

  /**
   * Does the same whether there is such an account: a job finds out.
   * @throws Problem `forbidden` where it is switched off, `invalid-request`, `rate-limited`
   */
  async requestCode({ email, returnTo }: AddressDto, languages: string, client: Client): Promise<void> {
    this.requireCodes();
    const checked = this.links.check(returnTo);
    await this.attempts.take(`code ${normaliseEmail(email)}`, client.address);
    await this.dataSource.transaction(async (manager) => {
      await this.events.record('code.requested', client, { email }, manager);
      await this.mails.write('code-wanted', { email, languages, returnTo: checked }, manager);
    });
  }

  /** @throws Problem `unauthenticated`, whatever was wrong; `forbidden`, `invalid-request`, `rate-limited` */
  async verifyCode(body: VerifyCodeDto, client: Client): Promise<SignInOutcome> {
    this.requireCodes();
    const { email, code, token, session = 'token' } = body;
    if ((token === undefined) === (email === undefined || code === undefined)) {
      throw new Problem('invalid-request', { detail: 'The body must have a token, or an email and a code.' });
    }
    const forgive =
      email === undefined
        ? () => Promise.resolve()
        : await this.attempts.take(`enter code ${normaliseEmail(email)}`, client.address);
    const userId = await this.dataSource.transaction(async (manager) => {
      const address = await this.consume(body, manager);
      return address === null ? null : this.admit(address, client, manager);
    });
    if (userId === null) {
      await this.events.record('code.refused', client, { email: email ?? null });
      throw new Problem('unauthenticated', {
        detail: 'The code or the link is wrong, used or expired.',
        headers: { 'www-authenticate': 'Bearer realm="plinth"' },
      });
    }
    await forgive();
    this.sessions.noteEnded(userId);
    return this.signIns.complete(userId, 'email', session, client);
  }

  private requireCodes(): void {
    if (this.config.isEmailCodeOn) return;
    throw new Problem('forbidden', { detail: 'Nobody signs in with a code here.' });
  }

  private async consume(
    { email, code, token }: VerifyCodeDto,
    manager: EntityManager,
  ): Promise<string | null> {
    if (token !== undefined) return this.codes.consumeLink(token, manager);
    const isRight = await this.codes.consumeCode(email ?? '', code ?? '', manager);
    return isRight ? normaliseEmail(email ?? '') : null;
  }

  /** Whom the owner of an address is: nobody where there is no account and none may be made. */
  private async admit(email: string, client: Client, manager: EntityManager): Promise<string | null> {
    if (this.config.signUp === 'open') {
      const made = await this.users.createIfNew({ email, emailVerified: true }, manager);
      if (made !== null) {
        await this.events.record('signed-up', client, { userId: made, email }, manager);
        return made;
      }
    }
    const id = await this.users.findIdByEmail(email, manager);
    if (id === null) return null;
    const user = await this.users.get(id, manager);
    if (user.status !== 'active') return null;
    if (user.emailVerifiedAt === null) await this.takeOver(id, client, manager);
    return id;
  }

  /**
   * Of an account whose address nobody had shown to be theirs, nobody knows who made it. Its owner is known now, so what
   * whoever made it could come back with is taken away.
   */
  private async takeOver(userId: string, client: Client, manager: EntityManager): Promise<void> {
    await removeCredentials(userId, manager);
    await this.users.update(userId, { emailVerified: true }, manager);
    await this.events.record('email.verified', client, { userId }, manager);
  }
}
