import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { AccountService } from '../account/account.service.js';
import type { Client } from '../client.js';
import { AccountMails } from '../mails/account-mails.service.js';
import { ReturnUrls } from '../mails/return-urls.js';
import { OneTimeTokens } from '../sign-in/one-time-tokens.service.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordPolicy } from '../passwords/password-policy.js';
import { Passwords } from '../passwords/passwords.service.js';
import { SecondFactors } from '../second-factor/second-factors.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import type { CreateUserDto, UpdateUserDto, UserDto } from './user.dto.js';
import { UsersService } from './users.service.js';

/** What administrators do with users. */
@Injectable()
export class UserManagementService {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly passwords: Passwords,
    private readonly hasher: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly sessions: SessionsService,
    private readonly account: AccountService,
    private readonly secondFactors: SecondFactors,
    private readonly events: SignInEvents,
    private readonly tokens: OneTimeTokens,
    private readonly mails: AccountMails,
    private readonly links: ReturnUrls,
  ) {}

  /** @throws Problem `unique-violation`, `invalid-request` */
  async create(
    { password, invite = false, returnTo, ...fields }: CreateUserDto,
    client: Client,
  ): Promise<UserDto> {
    if (invite && (password !== undefined || fields.status === 'active')) {
      throw new Problem('invalid-request', {
        detail: 'Who is invited has the status "invited" and no password until they accept.',
        errors: [
          { pointer: '/invite', code: 'conflict', message: 'goes with no password and no status "active"' },
        ],
      });
    }
    const checked = this.links.check(returnTo);
    const hash =
      password === undefined ? null : await this.hashNew(password, [fields.email, fields.username]);
    return this.dataSource.transaction(async (manager) => {
      const user = await this.users.create(invite ? { ...fields, status: 'invited' } : fields, manager);
      if (hash !== null) await this.passwords.set(user.id, hash, manager);
      await this.events.record('user.created', client, { userId: user.id }, manager);
      if (invite) await this.sendInvitation(user.id, checked, client, manager);
      return user;
    });
  }

  /**
   * Mails an invitation anew; links of earlier ones are good no more.
   * @throws Problem `not-found`, `invalid-request`; `conflict` for a user who is not invited
   */
  async invite(id: string, returnTo: string | undefined, client: Client): Promise<void> {
    const checked = this.links.check(returnTo);
    await this.dataSource.transaction(async (manager) => {
      const { status } = await this.users.get(id, manager);
      if (status !== 'invited')
        throw new Problem('conflict', { detail: `The user is ${status}, not invited.` });
      await this.tokens.revokeAll(id, manager, 'invitation');
      await this.sendInvitation(id, checked, client, manager);
    });
  }

  /**
   * A new password ends the user's sessions.
   * @throws Problem `not-found`, `unique-violation`, `invalid-request`
   */
  async update(id: string, { password, ...fields }: UpdateUserDto, client: Client): Promise<UserDto> {
    if (password !== undefined) {
      const { email, username } = await this.users.get(id);
      await this.policy.check(password, '/password', [email, username].filter(isText));
    }
    const user = await this.dataSource.transaction(async (manager) => {
      const { email: before } = await this.users.get(id, manager);
      const changed = await this.users.update(id, fields, manager);
      if (changed.email !== before) {
        // Links that were mailed to the address before lead to this account no more.
        await this.tokens.revokeAll(id, manager);
        await this.mails.write('verification-wanted', { userId: id }, manager);
        if (before !== null) await this.mails.write('email-changed', { userId: id, email: before }, manager);
      }
      return changed;
    });
    this.sessions.noteEnded(id);
    if (password !== undefined) await this.account.setPassword(id, password, client);
    return user;
  }

  /** Keeps a user from signing in, and ends what they have open; or lets them in again. */
  async setBlocked(id: string, isBlocked: boolean, client: Client): Promise<UserDto> {
    const user = await this.dataSource.transaction(async (manager) => {
      const changed = await this.users.update(id, { status: isBlocked ? 'blocked' : 'active' }, manager);
      const kind = isBlocked ? 'user.blocked' : 'user.unblocked';
      await this.events.record(kind, client, { userId: id }, manager);
      return changed;
    });
    this.sessions.noteEnded(id);
    return user;
  }

  /** @throws Problem `not-found` */
  async signOut(id: string, client: Client): Promise<void> {
    await this.users.get(id);
    await this.dataSource.transaction(async (manager) => {
      await this.sessions.endAll(id, manager);
      await this.events.record('signed-out', client, { userId: id }, manager);
    });
    this.sessions.noteEnded(id);
  }

  /**
   * Takes all second factors from a user, passkeys included, so that the first one will do.
   * @throws Problem `not-found`
   */
  async resetSecondFactor(id: string, client: Client): Promise<void> {
    await this.users.get(id);
    await this.dataSource.transaction((manager) => this.secondFactors.reset(id, client, manager));
    this.sessions.noteEnded(id);
  }

  /** @throws Problem `not-found`; `foreign-key-violation` where records refer to the user */
  async delete(id: string, client: Client): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await this.users.delete(id, manager);
      await this.events.record('user.deleted', client, { userId: id }, manager);
    });
    this.sessions.noteEnded(id);
  }

  private async sendInvitation(
    userId: string,
    returnTo: string | null,
    client: Client,
    manager: EntityManager,
  ): Promise<void> {
    await this.events.record('user.invited', client, { userId }, manager);
    await this.mails.write('invited', { userId, returnTo }, manager);
  }

  private async hashNew(password: string, known: readonly (string | null | undefined)[]): Promise<string> {
    await this.policy.check(password, '/password', known.filter(isText));
    return this.hasher.hash(password);
  }
}

const isText = (text: string | null | undefined): text is string => typeof text === 'string';
