import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { requireRecentAuth } from '../../access/index.js';
import type { Actor } from '../../common/context/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import type { Client } from '../client.js';
import { AccountMails } from '../mails/account-mails.service.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordPolicy } from '../passwords/password-policy.js';
import { Passwords } from '../passwords/passwords.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { SignInAttempts } from '../sign-in/sign-in-attempts.service.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import type { ChangePasswordDto } from '../sign-in/sign-in.dto.js';
import { SignInService, type SignedIn } from '../sign-in/sign-in.service.js';
import type { UpdateMeDto, UserDto } from '../users/user.dto.js';
import { UsersService } from '../users/users.service.js';

const OWN_FACTORS = { maxAgeSeconds: 300, secondFactor: true } as const;

/** What users do with their own account. */
@Injectable()
export class AccountService {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly passwords: Passwords,
    private readonly hasher: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly attempts: SignInAttempts,
    private readonly sessions: SessionsService,
    private readonly signIns: SignInService,
    private readonly events: SignInEvents,
    private readonly mails: AccountMails,
  ) {}

  get(actor: Actor): Promise<UserDto> {
    return this.users.get(userOf(actor));
  }

  update(actor: Actor, { username, profile }: UpdateMeDto): Promise<UserDto> {
    return this.users.update(userOf(actor), { username, profile }, this.dataSource.manager);
  }

  /**
   * Ends every session of the user, also the one that asks, and begins a new one for it.
   * @throws Problem `forbidden` where the current password is wrong, `invalid-request` where the new one is too easy,
   *   `rate-limited`; `reauthentication-required` where the user has a second factor and has not shown it lately
   */
  async changePassword(
    actor: Actor,
    { currentPassword, newPassword }: ChangePasswordDto,
    client: Client,
  ): Promise<SignedIn> {
    // The current password proves the rest.
    if (actor.session?.hasSecondFactor) requireRecentAuth(actor, OWN_FACTORS);
    const { id, email, username } = await this.users.get(userOf(actor));
    const known = [email, username].filter((text) => text !== null);
    await this.policy.check(newPassword, '/newPassword', known);
    const forgive = await this.attempts.take(`password ${id}`, client.address);
    const { isRight } = await this.passwords.verifyById(id, currentPassword);
    if (!isRight) {
      await this.events.record('password.refused', client, { userId: id });
      throw new Problem('forbidden', {
        detail: 'The current password is wrong.',
        errors: [{ pointer: '/currentPassword', code: 'wrong', message: 'is wrong' }],
      });
    }
    await forgive();
    await this.setPassword(id, newPassword, client);
    const { session } = actor;
    const proof = {
      amr: [...new Set(['pwd', ...(session?.amr ?? [])])],
      secondFactorAt:
        typeof session?.secondFactorAtMs === 'number' ? new Date(session.secondFactorAtMs) : null,
    };
    return this.signIns.begin(id, proof, session?.isCookie ? 'cookie' : 'token', client);
  }

  /** Sets a password that was found good, and ends every session of the user. */
  async setPassword(userId: string, password: string, client: Client): Promise<void> {
    const hash = await this.hasher.hash(password);
    await this.dataSource.transaction(async (manager) => {
      await this.sessions.endAll(userId, manager);
      await this.passwords.set(userId, hash, manager);
      await this.events.record('password.changed', client, { userId }, manager);
      await this.mails.write('password-changed', { userId }, manager);
    });
    this.sessions.noteEnded(userId);
  }
}

/** @throws Problem `forbidden` for a key, which has no account */
export function userOf({ kind, id }: Actor): string {
  if (kind !== 'user' || id === null) {
    throw new Problem('forbidden', {
      detail: 'This address is for people who sign in; a key has no account.',
    });
  }
  return id;
}
