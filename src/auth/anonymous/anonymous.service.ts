import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { PlinthConfig } from '../../common/config/index.js';
import type { Actor } from '../../common/context/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { RateLimits } from '../../common/rate-limit/index.js';
import { userOf } from '../account/account.service.js';
import type { Client } from '../client.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordPolicy } from '../passwords/password-policy.js';
import { Passwords } from '../passwords/passwords.service.js';
import { SessionsService, type SessionKind } from '../sessions/sessions.service.js';
import { SignInAttempts } from '../sign-in/sign-in-attempts.service.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import { SignInService, type SignedIn } from '../sign-in/sign-in.service.js';
import { refuseSignUp } from '../sign-in/sign-up.service.js';
import { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import type { UpgradeDto } from './anonymous.dto.js';

/** People who begin without an account, and who keep what is theirs when they make one. */
@Injectable()
export class AnonymousUsers {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly passwords: Passwords,
    private readonly hasher: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly attempts: SignInAttempts,
    private readonly limits: RateLimits,
    private readonly sessions: SessionsService,
    private readonly signIns: SignInService,
    private readonly events: SignInEvents,
    private readonly config: PlinthConfig,
  ) {}

  /** @throws Problem `forbidden` where it is not switched on, `rate-limited` */
  async begin(kind: SessionKind, client: Client): Promise<SignedIn> {
    if (!this.config.allowsAnonymous) {
      throw new Problem('forbidden', { detail: 'Nobody may begin without an account here.' });
    }
    await this.limits.countAnonymous(client.address);
    const userId = await this.dataSource.transaction(async (manager) => {
      const id = await this.users.createWithoutAddress({ isAnonymous: true }, manager);
      await this.events.record('signed-up', client, { userId: id }, manager);
      return id;
    });
    return this.signIns.begin(userId, { amr: [], secondFactorAt: null }, kind, client);
  }

  /**
   * Gives an anonymous user an address and a password, unless the address has an account. As at a sign-up, neither the
   * answer nor the work tells which.
   * @throws Problem `forbidden` where sign-up is not open, `conflict` for a user who has an account, `invalid-request`,
   *   `rate-limited`
   */
  async upgrade(actor: Actor, { email, password }: UpgradeDto, client: Client): Promise<void> {
    const userId = userOf(actor);
    refuseSignUp(this.config);
    if (!(await this.users.get(userId)).isAnonymous) throw notAnonymous();
    await this.policy.check(password, '/password', [email]);
    await this.attempts.take(`sign-up ${email.toLowerCase()}`, client.address);
    const hash = await this.hasher.hash(password);
    try {
      await this.dataSource.transaction((manager) => this.settle(userId, email, hash, client, manager));
    } catch (error) {
      // Somebody has just made an account with the address.
      if (!(error instanceof Problem) || error.type !== 'unique-violation') throw error;
      await this.events.record('sign-up.refused', client, { userId, email });
    }
    this.sessions.noteEnded(userId);
  }

  private async settle(
    userId: string,
    email: string,
    hash: string,
    client: Client,
    manager: EntityManager,
  ): Promise<void> {
    const user = await manager.findOne(User, { where: { id: userId }, lock: { mode: 'pessimistic_write' } });
    // Of two at once, the second finds an account.
    if (user?.isAnonymous !== true) throw notAnonymous();
    const isFree = (await this.users.findIdByEmail(email, manager)) === null;
    if (isFree) {
      await this.users.update(userId, { email, isAnonymous: false }, manager);
      await this.passwords.set(userId, hash, manager);
    }
    const kind = isFree ? 'user.upgraded' : 'sign-up.refused';
    await this.events.record(kind, client, { userId, email }, manager);
  }
}

const notAnonymous = (): Problem => new Problem('conflict', { detail: 'The user has an account already.' });
